"""One-to-one as the listener sees it: from the invitation to the words of the next day, in a real browser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import SitDown
from tests.browser.console import Console, hire, invite
from tests.browser.eyes import BEYOND
from tests.browser.listener import a_listener
from tests.browser.person import LOST_NETWORK
from tests.browser.regulars import Regulars
from tests.browser.site import open_site
from tests.browser.wire import Wire
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(180)

_DAY = 24 * 3600
_names = iter(["Mira Lowell", "Mira Sands", "Mira Tindale", "Mira Ashdown"])


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    """One for the whole stories, where each rests after a conversation. The last of them stops it."""
    with open_site(listening={"pause_minutes": 5.0, "brief_seconds": 0}) as server:
        yield server


@pytest.fixture(scope="module")
def restless() -> Iterator[ChatServer]:
    """One where a listener goes from conversation to conversation, unless one was heavy."""
    listening = {
        "languages": ["en", "de"],
        "pause_minutes": 0.0,
        "brief_seconds": 0,
        "lease_minutes": 10.0,
        "sessions_a_day": 100,
        "sessions_a_week": 100,
    }
    with open_site(listening=listening) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def login(restless: ChatServer) -> str:
    return await hire(restless, "Mira Harbourne")


@pytest_asyncio.fixture(loop_scope="session")
async def mira(restless: ChatServer, login: str, regulars: Regulars) -> AsyncIterator[Console]:
    """A listener who is free and stays at the console from test to test. Nothing is in her panes."""
    console = Console(await regulars.sit(restless.url, "mira"))
    if not console.page.url.startswith(restless.url):
        await console.sign_in(login)
    await console.turn_to("Listening")
    await expect(console.panes).to_have_count(0)
    await console.listen()
    yield console
    await console.rest()
    await console.put_away()


@pytest_asyncio.fixture(loop_scope="session")
async def newcomer(restless: ChatServer, sit_down: SitDown) -> AsyncIterator[Console]:
    """A listener who is at the console for the first time, and free."""
    console = Console(await sit_down(restless.url))
    await console.sign_in(await hire(restless, next(_names)))
    await console.listen()
    yield console
    await console.rest()


async def session_of(client: ChatClient) -> str:
    """The session that whoever asked is in, as soon as there is one."""
    push = await client.wait_for(lambda push: push["push"] == "standing" and push["state"] == "session")
    return str(push["session"]["id"])


# --------------------------------------------------------------------------------------------------- the whole story


async def test_a_conversation_from_the_invitation_to_the_words_of_the_next_day(
    site: ChatServer, sit_down: SitDown
) -> None:
    async with Wire(site.port) as wire:
        mira, ann = Console(await sit_down(wire.url)), await sit_down(site.url)
        for person in (mira.person, ann):
            person.forgive(LOST_NETWORK)
        await mira.accept_invitation(await invite(site), "mira", "Mira Harbourne")
        assert "#" not in mira.page.url
        await expect(mira.stand).to_contain_text("Before your first conversation")
        await mira.practise()
        await mira.listen()
        await expect(mira.stand).to_contain_text("You are free.")

        name = await (await ann.arrive()).name()
        await ann.page.locator("#ask-link").click()
        await ann.page.get_by_role("button", name="I agree, ask for a listener").click()
        await expect(mira.proposal).to_contain_text("They have just asked. You learn their name when you begin.")
        await expect(mira.page.locator("body")).not_to_contain_text(name)
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

        async with a_listener(site) as heron:
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
            await expect(mira.stand).to_contain_text("Paused until")
            left = mira.page.get_by_role("region", name="Conversations that you left")
            await left.get_by_role("button", name="Report").click()
            await left.get_by_role("button", name="Send this report").click()
            await expect(left.get_by_role("alert")).to_contain_text("Choose what happened first.")
            await left.get_by_role("combobox", name="What happened?").select_option(label="Threats or hate")
            await left.get_by_role("button", name="Send this report").click()
            await expect(left).to_contain_text("Thank you. The moderators have it.")
            await left.get_by_role("button", name="This is heavy for me").click()
            await left.get_by_role("button", name="Mark it as heavy").click()
            await expect(left).to_contain_text("Marked as heavy.")


async def test_both_say_again_and_the_words_lead_back_the_next_day(site: ChatServer, sit_down: SitDown) -> None:
    mira = Console(await sit_down(site.url))
    mira.person.forgive(LOST_NETWORK)
    login = await hire(site, "Mira Lowell")
    await mira.sign_in(login)
    await mira.listen()
    async with ChatClient(site.ws_url) as ann:
        await ann.ask("ask", agreement=True)
        await mira.accept()
        session = await session_of(ann)
        await ann.ask("join", room=session)
        await ann.ask("post", room=session, text="thank you for staying")
        await expect(mira.panes).to_contain_text("thank you for staying")
        await mira.end_kindly("Good night, and take your time.")
        await expect(mira.stand).to_have_text(re.compile("^Paused until .* a conversation has just ended"))
        await expect(mira.panes).to_contain_text("Good night, and take your time.")
        await expect(mira.page.get_by_text(re.compile("^You both can read it until"))).to_be_visible()
        await mira.page.get_by_label("I'd talk with them again").check()
        await ann.ask("again", session=session)
        await ann.wait_for(lambda push: push["push"] == "standing" and push.get("session", {}).get("again_both", False))
        words = (await ann.ask("words", session=session))["words"]

    site.stop()
    site.set_clock(_DAY)
    site.start()
    await mira.person.network_returns()
    await expect(mira.page.get_by_text("Your sign-in is over")).to_be_visible()
    await mira.fill_in(login)
    await expect(mira.panes).to_have_count(0)
    await mira.listen()
    async with ChatClient(site.ws_url) as eve:
        await eve.ask("ask", agreement=True, words=words)
        await expect(mira.proposal).to_contain_text("They have talked with you before and would like to again.")
        await mira.accept()
        session = await session_of(eve)
        await eve.ask("join", room=session)
        await eve.ask("post", room=session, text="it's me")
        await expect(mira.panes).to_contain_text("it's me")


# ---------------------------------------------------------------------------------------------------- being there


async def test_who_is_writing_keeps_the_focus_when_somebody_waits(restless: ChatServer, mira: Console) -> None:
    async with ChatClient(restless.ws_url) as ann, ChatClient(restless.ws_url) as ben:
        await ann.ask("ask", agreement=True, topics=["sleep"], need="listen", heavy=4)
        await expect(mira.proposal.get_by_role("heading").first).to_be_focused()
        await expect(mira.proposal).to_contain_text("About: Awake at night")
        await expect(mira.proposal).to_contain_text("How heavy it feels: 4 of 5")
        await mira.page.keyboard.press("Alt+y")
        await expect(mira.panes).to_have_count(1)
        await mira.page.set_viewport_size({"width": 390, "height": 844})
        await mira.page.keyboard.press("Alt+1")
        await expect(mira.writing).to_be_focused()
        await mira.writing.fill("a thought, half")
        await mira.person.next_frames()
        before = await mira.writing.bounding_box()
        await ben.ask("ask", agreement=True)
        await expect(mira.proposal).to_be_in_viewport(ratio=1)
        await expect(mira.writing).to_be_focused()
        after = await mira.writing.bounding_box()
        assert before is not None
        assert after is not None
        assert abs(after["y"] - before["y"]) < 2
        # On a Mac, Option and N write a letter, and decline nobody.
        option = "(area, key) => !area.dispatchEvent(new KeyboardEvent('keydown', {key, code: 'KeyN', altKey: true, bubbles: true, cancelable: true}))"  # noqa: E501
        for letter in ("ń", "Dead"):
            assert await mira.writing.evaluate(option, letter) is False
        await expect(mira.proposal).to_be_visible()
        await mira.page.keyboard.press("Alt+n")
        await expect(mira.proposal).to_be_hidden()
        await expect(mira.writing).to_have_value("a thought, half")
        # Nothing that was written is lost by a reload either.
        await mira.page.reload()
        await expect(mira.writing).to_have_value("a thought, half")
        await ben.ask("unask")
        await ann.ask("end", session=await session_of(ann))


async def test_a_listener_who_does_nothing_is_asked_before_they_are_set_to_away(
    restless: ChatServer, sit_down: SitDown
) -> None:
    mira = Console(await sit_down(restless.url))
    mira.person.forgive(LOST_NETWORK)
    await mira.page.clock.install()
    await mira.sign_in(await hire(restless, next(_names)))
    await mira.listen()
    still = mira.page.get_by_role("group", name="Still there?")
    await expect(still).to_be_hidden()
    await mira.page.clock.fast_forward("09:10")
    await expect(still).to_be_visible()
    await expect(mira.press("Yes, I'm here")).to_be_focused()
    await mira.page.keyboard.press("Enter")
    await expect(mira.switch).to_be_checked()
    await mira.rest()


async def test_the_profile_is_kept_and_first_words_go_into_the_field_and_are_not_sent(
    restless: ChatServer, mira: Console
) -> None:
    await mira.turn_to("What I take on")
    await mira.page.get_by_label("German").check()
    await mira.page.get_by_role("group", name="Topics I'd rather not take").get_by_label("Missing someone").check()
    await mira.page.get_by_label("Longest conversation").select_option(label="30 minutes")
    await mira.page.get_by_label("First words, number 1").fill("Hello, I have time.")
    await mira.press("Keep this").click()
    await expect(mira.page.get_by_text("Kept.").first).to_be_visible()
    await mira.page.reload()
    await mira.turn_to("What I take on")
    await expect(mira.page.get_by_label("German")).to_be_checked()
    await expect(mira.page.get_by_label("Longest conversation")).to_have_value("30")
    await mira.turn_to("Listening")
    async with ChatClient(restless.ws_url) as ann:
        await ann.ask("ask", agreement=True, language="de")
        await mira.accept()
        await mira.press("First words").click()
        await mira.press("Hello, I have time.").click()
        await expect(mira.writing).to_have_value("Hello, I have time.")
        await expect(mira.panes.locator(".text")).to_have_count(0)
        await ann.ask("end", session=await session_of(ann))


# ------------------------------------------------------------------------------------------------ in conversation


async def test_side_by_side_where_there_is_room_and_one_at_a_time_where_there_is_not(
    restless: ChatServer, mira: Console
) -> None:
    await mira.page.set_viewport_size({"width": 1280, "height": 800})
    async with ChatClient(restless.ws_url) as ann, ChatClient(restless.ws_url) as ben:
        sessions = []
        for number, client in enumerate((ann, ben), 1):
            await client.ask("ask", agreement=True)
            await mira.accept()
            await expect(mira.panes).to_have_count(number)
            sessions.append(await session_of(client))
            await client.ask("join", room=sessions[-1])
        # Measured at one moment: what stands above them comes and goes.
        left, right = await mira.panes.evaluate_all("(all) => all.map((e) => e.getBoundingClientRect().toJSON())")
        assert left["right"] <= right["left"]
        assert abs(left["top"] - right["top"]) < 1
        assert await mira.page.evaluate(BEYOND, 1280) == []

        await mira.page.set_viewport_size({"width": 390, "height": 844})
        await mira.page.keyboard.press("Alt+1")
        await expect(mira.panes.nth(1)).to_be_hidden()
        await mira.write("hello Ann")
        await ann.wait_for(lambda push: push["push"] == "posted" and push["post"]["text"] == "hello Ann")
        await ben.ask("post", room=sessions[1], text="is somebody there")
        tab = mira.page.get_by_role("group", name="Your conversations").get_by_role("button", name="one new message")
        await tab.click()
        await expect(mira.panes.nth(0)).to_be_hidden()
        await expect(mira.panes.nth(1)).to_contain_text("is somebody there")
        await mira.write("yes, I am")
        await ben.wait_for(lambda push: push["push"] == "posted" and push["post"]["text"] == "yes, I am")
        assert all("yes, I am" not in str(push) for push in ann.pushes)

        # Side by side both are read; while another part of the page is shown, neither is.
        await mira.page.set_viewport_size({"width": 1280, "height": 800})
        await ann.ask("post", room=sessions[0], text="thank you")
        await expect(mira.panes.nth(0)).to_contain_text("thank you")
        await expect(mira.page).to_have_title("Listening · Lamplight")
        await mira.turn_to("My account")
        await ann.ask("post", room=sessions[0], text="one more thing")
        await expect(mira.page).to_have_title("One new message · Listening")
        # A change of the window measures anew what is not laid out.
        await mira.page.evaluate(
            "() => { dispatchEvent(new Event('resize')); return new Promise((done) => setTimeout(done, 0)); }"
        )
        await mira.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        assert await mira.page.title() == "One new message · Listening"
        await mira.turn_to("Listening")
        await expect(mira.page).to_have_title("Listening · Lamplight")
        for client, session in zip((ann, ben), sessions, strict=True):
            await client.ask("end", session=session)


async def test_a_moderator_is_called_silently_and_a_heavy_one_is_followed_by_a_note(
    restless: ChatServer, newcomer: Console
) -> None:
    mira = newcomer
    async with ChatClient(restless.ws_url) as ann:
        await ann.ask("ask", agreement=True)
        await mira.accept()
        await expect(mira.writing).to_be_visible()
        await ann.ask("join", room=await session_of(ann))
        await mira.open_more()
        before = len(ann.pushes)
        await mira.press("Call a moderator silently").click()
        await mira.press("Call a moderator").click()
        await expect(mira.page.get_by_text("A moderator has been told.")).to_be_visible()
        await mira.press("This is heavy for me").click()
        await expect(mira.page.get_by_text("Marked as heavy.")).to_be_visible()
        assert [push for push in ann.pushes[before:] if push["push"] != "presence"] == []
        await mira.press("More").click()
        await mira.press("End kindly").click()
        await mira.page.get_by_label("Your last line").fill("  ")
        await mira.press("Send this and end").click()
        await expect(mira.page.get_by_text("Please leave them a line.")).to_be_visible()
        await mira.page.get_by_label("Your last line").fill("Take care of yourself.")
        await mira.press("Send this and end").click()
        await ann.wait_for(lambda push: push["push"] == "posted" and push["post"]["text"] == "Take care of yourself.")
        await ann.wait_for(lambda push: push["push"] == "standing" and push["state"] == "ended")
        await expect(mira.stand).to_contain_text("its note is still to be written")
        await mira.page.get_by_label("How are you after this?").fill("It stayed with me. A call would help.")
        await mira.press("Send the note").click()
        await expect(mira.page.get_by_text("A supervisor reads it.").first).to_be_visible()
        await expect(mira.stand).to_contain_text("that was a heavy one")


async def test_block_and_report_are_two_things_of_two_touches(restless: ChatServer, mira: Console) -> None:
    async with ChatClient(restless.ws_url) as ann:
        await ann.ask("ask", agreement=True)
        await mira.accept()
        await mira.open_more()
        await mira.press("Report").click()
        await mira.page.get_by_role("combobox", name="What happened?").select_option(label="Threats or hate")
        await mira.press("Send this report").click()
        await expect(mira.page.get_by_text("The moderators have it.")).to_be_visible()
        await expect(mira.writing).to_be_visible()
        await mira.press("Block").click()
        await mira.press("End it and block").click()
        await ann.wait_for(lambda push: push["push"] == "standing" and push["state"] == "ended")
        await expect(mira.writing).to_be_hidden()


async def test_what_has_ended_can_still_be_reported_blocked_and_marked_as_heavy(
    restless: ChatServer, newcomer: Console
) -> None:
    mira = newcomer
    async with ChatClient(restless.ws_url) as ann:
        await ann.ask("ask", agreement=True)
        await mira.accept()
        session = await session_of(ann)
        await ann.ask("join", room=session)
        await ann.ask("post", room=session, text="a cruel last line")
        await ann.ask("end", session=session)
        await expect(mira.panes).to_contain_text("They ended this conversation.")
        await mira.press("Report").click()
        await mira.page.get_by_role("combobox", name="What happened?").select_option(label="Threats or hate")
        await mira.press("Send this report").click()
        await expect(mira.panes).to_contain_text("Thank you. The moderators have it.")
        await mira.press("This is heavy for me").click()
        await mira.press("Mark it as heavy").click()
        await expect(mira.panes).to_contain_text("Marked as heavy.")
        await expect(mira.stand).to_contain_text("its note is still to be written")
        await mira.press("Block").click()
        await mira.press("Yes, block").click()
        await expect(mira.panes).to_contain_text("You two don't meet here again.")
        await expect(mira.press("Block")).to_be_hidden()


async def test_what_has_ended_makes_room_for_the_next_and_can_be_looked_at_again(
    restless: ChatServer, newcomer: Console
) -> None:
    mira = newcomer
    async with ChatClient(restless.ws_url) as ann, ChatClient(restless.ws_url) as ben:
        for client, text in ((ann, "from the first"), (ben, "from the second")):
            await client.ask("ask", agreement=True)
            await mira.accept()
            session = await session_of(client)
            await client.ask("join", room=session)
            await client.ask("post", room=session, text=text)
            await expect(mira.panes).to_contain_text(text)
            await expect(mira.panes).to_have_count(1)
            await client.ask("end", session=session)
            await expect(mira.panes).to_contain_text("They ended this conversation.")
        shelf = mira.page.get_by_role("region", name="Ended, and still kept")
        await expect(shelf.get_by_role("button")).to_have_count(1)
        await mira.press("Put it away").click()
        await expect(mira.panes).to_have_count(0)
        await expect(shelf.get_by_role("button")).to_have_count(2)
        await mira.page.reload()
        await expect(shelf.get_by_role("button")).to_have_count(2)
        await shelf.get_by_role("button").last.click()
        await expect(mira.panes).to_contain_text("from the first")
        await expect(mira.press("Report")).to_be_visible()


async def test_a_colleague_who_asks_is_answered_at_the_console(restless: ChatServer, mira: Console) -> None:
    await mira.rest()
    async with a_listener(restless) as heron, ChatClient(restless.ws_url) as ann:
        await heron.listen()
        await ann.ask("ask", agreement=True)
        session = await heron.accept()
        await ann.ask("join", room=session)
        await mira.listen()
        console = await heron.console(lambda it: any(each["name"] == "Mira Harbourne" for each in it["colleagues"]))
        other = next(each["id"] for each in console["colleagues"] if each["name"] == "Mira Harbourne")
        await heron.client.ask("invite", session=session, listener=other)
        await ann.ask("answer", session=session, yes=True)
        asked = mira.page.get_by_role("region", name=f"{heron.name} asks for you")
        await expect(asked).to_contain_text("Would you join the conversation with")
        await asked.get_by_role("button", name="Yes, I will").click()
        await expect(mira.panes).to_contain_text(f"{heron.name} holds this conversation; you are helping.")
        await mira.write("Hello, I'm here too.")
        await ann.wait_for(lambda push: push["push"] == "posted" and push["post"]["text"] == "Hello, I'm here too.")
        await ann.ask("end", session=session)
