"""One-to-one as the listener sees it: from the invitation to the words of the next day, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests.browser.conftest import SitDown
from tests.browser.console import Console, hire, invite
from tests.browser.house import open_house
from tests.browser.listener import a_listener
from tests.browser.person import LOST_NETWORK
from tests.browser.wire import Wire
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(180)

_DAY = 24 * 3600


@pytest.fixture
def house() -> Iterator[ChatServer]:
    """One for each test: who listened in an earlier one is asked by nobody."""
    with open_house(listening={"languages": ["en", "de"], "pause_minutes": 5.0}) as server:
        yield server


# --------------------------------------------------------------------------------------------------- the whole story


async def test_a_conversation_from_the_invitation_to_the_words_of_the_next_day(
    house: ChatServer, sit_down: SitDown
) -> None:
    async with Wire(house.port) as wire:
        mira, ann = Console(await sit_down(wire.url)), await sit_down(house.url)
        for person in (mira.person, ann):
            person.forgive(LOST_NETWORK)
        await mira.accept_invitation(await invite(house), "mira", "Soft Harbour")
        assert "#" not in mira.page.url
        await expect(mira.stand).to_contain_text("Before your first conversation")
        await mira.practise()
        await mira.listen()
        await expect(mira.stand).to_contain_text("You are free.")

        await ann.arrive()
        await ann.page.locator("#ask-link").click()
        await ann.page.get_by_role("button", name="I agree, ask for a listener").click()
        await expect(mira.proposal).to_contain_text("has been waiting for")
        await expect(mira.page).to_have_title("Somebody is waiting")
        await mira.accept()
        await expect(mira.panes).to_have_count(1)
        await expect(mira.stand).to_contain_text("You are with somebody, and free for another.")
        await mira.write("Hello, I have time.")
        await ann.sees("Hello, I have time.")
        await ann.say("i can't sleep")
        await expect(mira.panes).to_contain_text("i can't sleep")

        wire.cut()
        await expect(mira.person.link).to_contain_text("You haven't lost anything")
        await mira.write("That sounds lonely.")
        await ann.say("are you there")
        await expect(mira.panes).to_contain_text("Not sent yet")
        wire.mend()
        await mira.person.network_returns()
        await ann.sees("That sounds lonely.")
        await expect(mira.panes.locator(".text")).to_have_text(
            ["Hello, I have time.", "i can't sleep", "are you there", "That sounds lonely."]
        )
        await expect(mira.panes).not_to_contain_text("Not sent yet")

        async with a_listener(house) as heron:
            await heron.listen()
            await mira.open_more()
            await mira.press("Ask a colleague").first.click()
            await mira.page.get_by_label("Whom?").select_option(label=heron.name)
            await mira.page.get_by_label("Hand over to them").check()
            await mira.page.locator(".panel .panel").get_by_role("button", name="Ask a colleague").click()
            await expect(mira.panes).to_contain_text(f"Waiting for their word on {heron.name} taking over.")
            await ann.page.get_by_role("button", name="Yes, that's fine").click()
            await expect(mira.panes).to_contain_text(f"They said yes. Waiting for {heron.name}.")
            console = await heron.console(lambda it: bool(it.get("invitations")))
            session = console["invitations"][0]["id"]
            await heron.client.ask("answer", session=session, yes=True)
            await heron.client.ask("join", room=session)
            await expect(mira.page.get_by_text("Thank you for handing over so gently.").first).to_be_visible()
            await expect(mira.panes).to_have_count(0)
            await heron.say(session, "I read what you two wrote. I'm here.")
            await ann.sees("I read what you two wrote. I'm here.")
            # And back, by a colleague who asks at this console.
            await expect(mira.stand).to_contain_text("Paused until")


async def test_both_say_again_and_the_words_lead_back_the_next_day(house: ChatServer, sit_down: SitDown) -> None:
    mira, ann = Console(await sit_down(house.url)), await sit_down(house.url)
    for person in (mira.person, ann):
        person.forgive(LOST_NETWORK)
    login = await hire(house, "Soft Harbour")
    await mira.sign_in(login)
    await mira.listen()
    await ann.arrive()
    await ann.page.locator("#ask-link").click()
    await ann.page.get_by_role("button", name="I agree, ask for a listener").click()
    await mira.accept()
    await ann.say("thank you for staying")
    await mira.end_kindly("Good night, and take your time.")
    await expect(mira.stand).to_have_text(re.compile("^Paused until .* a conversation has just ended"))
    await expect(mira.panes).to_contain_text("Good night, and take your time.")
    await expect(mira.page.get_by_text(re.compile("^You both can read it until"))).to_be_visible()
    await mira.page.get_by_label("I'd talk with them again").check()
    await ann.page.get_by_label("I'd talk with them again").check()
    await ann.page.get_by_role("button", name="Show my come-back words").click()
    words = await ann.page.locator(".code").inner_text()

    house.stop()
    house.set_clock(_DAY)
    house.start()
    await mira.person.network_returns()
    await expect(mira.page.get_by_text("Your sign-in is over")).to_be_visible()
    await mira.fill_in(login)
    await expect(mira.panes).to_have_count(0)
    await mira.listen()
    eve = await (await sit_down(house.url)).arrive()
    await eve.page.locator("#ask-link").click()
    await eve.page.get_by_role("main").get_by_text("I have come-back words").click()
    await eve.page.get_by_label("The words you were given").fill(words)
    await eve.page.get_by_role("button", name="I agree, ask for a listener").click()
    await expect(mira.proposal).to_contain_text("They have talked with you before and would like to again.")
    await mira.accept()
    await eve.say("it's me")
    await expect(mira.panes).to_contain_text("it's me")
