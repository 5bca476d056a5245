"""One-to-one as the one who asks sees it: from the first touch to looking back, with a listener on the other side."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.conftest import SitDown, Stay
from tests.browser.listener import Listener, a_listener
from tests.browser.person import LOST_NETWORK, Person
from tests.browser.seeker import ask, heading, line, on_page, open_form, press, talks, top, waits
from tests.browser.site import open_site
from tests.browser.wire import Wire
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    listening = {"gone_seconds": 20.0, "pause_minutes": 0.0, "sessions_per_member_a_day": 100}
    with open_site(listening=listening) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wire(site: ChatServer) -> AsyncIterator[Wire]:
    async with Wire(site.port) as line:
        yield line


@pytest_asyncio.fixture(loop_scope="session")
async def ann(wire: Wire, stay: Stay) -> Person:
    """Somebody in the lobby who asks again and again, and each time meets somebody new."""
    return await stay(wire.url)


@pytest_asyncio.fixture(loop_scope="session")
async def heron(site: ChatServer) -> AsyncIterator[Listener]:
    async with a_listener(site) as listener:
        yield listener


# ---------------------------------------------------------------------------------------------------------- asking


async def test_asking_takes_two_touches_and_nothing_has_to_be_filled_in(ann: Person, heron: Listener) -> None:
    await expect(top(ann)).to_have_accessible_name("Ask for a listener")
    await ann.page.get_by_role("main").get_by_role("button", name="Ask for a listener").click()
    await press(ann, "I agree, ask for a listener").click()
    await waits(ann, "You're next")
    # Nobody listens yet: nobody is told that they are next, but what there is, and whether they would like to wait.
    await expect(heading(ann, "No listener is online right now")).to_be_visible()
    await expect(on_page(ann, "Would you like to wait?")).to_be_visible()
    await press(ann, "Yes, I'll wait").click()
    await expect(on_page(ann, "This page tells you as soon as a listener is here.")).to_be_focused()
    await expect(
        on_page(ann, "Your place is kept even if you close this page for up to three minutes.")
    ).to_be_visible()
    await heron.listen()
    console = await heron.console(lambda it: "proposal" in it)
    assert {key for key in console["proposal"] if key in {"topics", "need", "minutes", "heavy"}} == set()
    await expect(on_page(ann, "A listener is being asked at this moment.").first).to_be_visible()
    await heron.client.ask("decline", proposal=console["proposal"]["id"])
    await press(ann, "Leave the line").click()


async def test_what_is_filled_in_reaches_the_listener_who_is_asked(ann: Person, heron: Listener) -> None:
    await open_form(ann)
    topics = ann.page.get_by_role("group", name="What is it about?")
    await topics.get_by_label("Awake at night").check()
    await ann.page.get_by_label("Help me think").check()
    await ann.page.get_by_label("hardly bearable").check()
    await expect(on_page(ann, "That sounds very hard.")).to_be_visible()
    await ann.page.get_by_label("About 30 minutes").check()
    await press(ann, "I agree, ask for a listener").click()
    await waits(ann)
    await press(ann, "Change what you asked for").click()
    await expect(topics.get_by_label("Awake at night")).to_be_checked()
    await ann.page.get_by_role("radio", name="heavy", exact=True).check()
    await press(ann, "Save what you changed").click()
    await waits(ann)
    await heron.listen()
    proposal = (await heron.console(lambda it: "proposal" in it))["proposal"]
    assert (proposal["topics"], proposal["need"]) == (["sleep"], "think")
    assert (proposal["heavy"], proposal["minutes"]) == (3, 30)
    # For half a minute nobody is asked for somebody who leaves while a listener is being asked.
    await heron.client.ask("decline", proposal=proposal["id"])
    await press(ann, "Leave the line").click()
    await expect(on_page(ann, "You left the line.")).to_be_visible()


async def test_at_hours_without_listeners_the_page_says_so_and_when(sit_down: SitDown) -> None:
    with open_site(listening={"hours": "never"}) as server:
        ann = await (await sit_down(server.url)).arrive()
        await top(ann).click()
        await expect(heading(ann, "No listeners are here at this hour")).to_be_visible()
        await expect(on_page(ann, "We don't know yet when they are back.")).to_be_visible()
        await ann.page.get_by_role("main").get_by_role("button", name="Get help now").click()
        await expect(ann.page.get_by_role("dialog", name="Get help now")).to_be_visible()
        await ann.page.keyboard.press("Escape")
        await press(ann, "Go to the rooms").click()
        await ann.sees_lobby()


async def test_words_that_lead_to_nobody_are_told_and_what_was_filled_in_stays(ann: Person) -> None:
    await open_form(ann)
    await on_page(ann, "I have come-back words").click()
    await ann.page.get_by_label("The words you were given").fill("nobody ever had these")
    await press(ann, "I agree, ask for a listener").click()
    await expect(ann.page.get_by_role("alert").filter(has_text="We don't know these words")).to_be_visible()
    await expect(ann.page.get_by_label("The words you were given")).to_have_value("nobody ever had these")
    await ann.page.get_by_label("The words you were given").fill("")


# --------------------------------------------------------------------------------------------------------- waiting


async def test_a_reload_and_another_tab_keep_the_place(site: ChatServer, ann: Person) -> None:
    async with ChatClient(site.ws_url) as ben:
        await ben.ask("ask", agreement=True)
        await ask(ann)
        await waits(ann, "You're second")
        await ann.page.reload()
        await waits(ann, "You're second")
        await ann.go_back_to_lobby()
        await expect(line(ann)).to_contain_text("You're second. Your place is kept")
        other = await ann.context.new_page()
        await other.goto(ann.url)
        await expect(other.locator("#standing")).to_contain_text("You're second.")
        await ben.ask("unask")
        for page in (ann.page, other):
            await expect(page.locator("#standing")).to_contain_text("You're next.")
        await press(ann, "See where you are").click()
        await press(ann, "Leave the line").click()
        await expect(heading(ann, "Ask for a listener")).to_be_visible()
        await expect(other.locator("#standing")).to_be_hidden()
        await other.close()


async def test_all_of_it_with_the_keyboard_alone(ann: Person, heron: Listener) -> None:
    # Before she has had a conversation: the link in the head would lead back to that first.
    keys = ann.page.keyboard

    async def to(target: Locator, most: int = 80) -> None:
        for _ in range(most):
            if await target.evaluate("(e) => e === document.activeElement"):
                return
            await keys.press("Tab")
        raise AssertionError(f"{target} is not reached by Tab")

    await to(top(ann))
    await keys.press("Enter")
    await expect(heading(ann, "Ask for a listener")).to_be_focused()
    await to(ann.page.get_by_label("Worry and panic").first)
    await keys.press("Space")
    await to(press(ann, "I agree, ask for a listener"))
    await keys.press("Enter")
    await expect(heading(ann, "No listener is online right now")).to_be_focused()
    await heron.listen()
    session = await heron.accept()
    await to(ann.writing)
    await keys.type("written with the keyboard")
    await keys.press("Enter")
    await heron.hears(session, "written with the keyboard")
    await keys.press("Shift+Tab")
    await ann.page.evaluate("() => document.getElementById('main').focus()")
    await to(press(ann, "End it"))
    await keys.press("Enter")
    await to(press(ann, "Yes, end it"))
    await keys.press("Enter")
    await expect(heading(ann, "Your conversation is over")).to_be_focused()


async def test_who_waits_can_sit_in_a_room_and_is_fetched_from_there(ann: Person, heron: Listener) -> None:
    await ask(ann)
    await ann.enter("Awake at night")
    await ann.say("waiting, and reading along")
    await expect(line(ann)).to_contain_text("You're next.")
    await heron.listen()
    session = await heron.accept()
    await heron.say(session, "I am here.")
    await expect(line(ann)).to_contain_text(f"{heron.name} has written to you.")
    await expect(ann.page.locator("#say-now")).to_contain_text(f"{heron.name} is here for you.")
    await expect(ann.page).to_have_title(re.compile("^•"))
    await press(ann, "Go there").click()
    await ann.sees("I am here.")
    await expect(ann.page).not_to_have_title(re.compile("^•"))
    await heron.client.ask("end", session=session)


async def test_a_breath_moves_only_when_it_is_asked_to_and_never_where_motion_is_unwanted(ann: Person) -> None:
    await ask(ann)
    lamp = ann.page.locator(".breath i")
    await expect(lamp).to_be_hidden()
    await press(ann, "Breathe with the lamp").click()
    assert await lamp.evaluate("(e) => getComputedStyle(e).animationName") == "breath"
    await press(ann, "Stop").click()
    await expect(lamp).to_be_hidden()
    await ann.page.emulate_media(reduced_motion="reduce")
    await expect(on_page(ann, "Breathe in while you count to four.")).to_be_visible()
    await expect(press(ann, "Breathe with the lamp")).to_be_hidden()
    await press(ann, "Leave the line").click()
    await ann.page.emulate_media(reduced_motion="no-preference")


async def test_a_place_that_lapsed_is_taken_back(sit_down: SitDown) -> None:
    with open_site(listening={"place_minutes": 0.35}) as server:
        ann = await (await sit_down(server.url)).arrive()
        await ask(ann)
        await ann.page.goto("about:blank")
        async with ChatClient(server.ws_url) as ben:
            await ben.ask("ask", agreement=True)
            await ben.wait_for(lambda push: push["push"] == "standing" and push.get("place") == 1, 60)
            await ann.page.goto(server.url)
            await expect(line(ann)).to_contain_text("Your place in the line was given up while you were away.")
            await top(ann).click()
            await expect(heading(ann, "Your place was given up while you were away")).to_be_visible()
            await expect(
                on_page(ann, re.compile(r"You can take the same place back for \S+ seconds? more."))
            ).to_be_visible()
            await ann.page.get_by_role("main").get_by_role("button", name="Take it back").click()
            await waits(ann, "You're next")


# --------------------------------------------------------------------------------------------------------- talking


async def test_they_talk_and_each_sees_the_other_there(ann: Person, heron: Listener) -> None:
    session = await talks(ann, heron)
    people = ann.page.locator(".talk-people")
    await expect(people).to_contain_text(re.compile(f"{heron.name}.*listener.*here"))
    await expect(on_page(ann, re.compile("^Ends at "))).to_be_visible()
    await ann.writing.press_sequentially("hel")
    await heron.client.wait_for(lambda push: push["push"] == "typing")
    await ann.say("hello")
    await heron.hears(session, "hello")
    await heron.client.ask("typing", room=session)
    await expect(on_page(ann, f"{heron.name} is writing…")).to_be_visible()
    await heron.say(session, "good that you came")
    await ann.sees("good that you came")
    await press(ann, "More time").or_(ann.page.get_by_role("button", name=re.compile("^More time"))).first.click()
    await expect(on_page(ann, f"{heron.name} needs to agree.")).to_be_visible()
    before = (await heron.session(session, lambda it: bool(it.get("extend"))))["ends_at"]
    await heron.client.ask("extend", session=session)
    after = await heron.session(session, lambda it: it["ends_at"] > before)
    assert after["ends_at"] == before + 15 * 60_000
    await expect(on_page(ann, f"{heron.name} needs to agree.")).to_be_hidden()
    await press(ann, "End it").click()
    await press(ann, "Yes, end it").click()
    await expect(heading(ann, "Your conversation is over")).to_be_visible()
    assert (await heron.session(session, lambda it: "ended_at" in it))["ending"] == "other"


async def test_contact_details_are_explained_and_can_be_changed_or_sent_anyway(ann: Person, heron: Listener) -> None:
    session = await talks(ann, heron)
    await ann.write("write to me: ann@example.org")
    post = ann.post("ann@example.org")
    await expect(post).to_contain_text("Not sent. There seems to be an e-mail address in it.")
    await expect(ann.page.locator("#say-now")).to_contain_text("an e-mail address")
    await post.get_by_role("button", name="Change it").click()
    await expect(ann.writing).to_have_value("write to me: ann@example.org")
    await expect(post).to_have_count(0)
    await ann.write("call +44 7700 900123")
    await ann.post("call +44").get_by_role("button", name="Send it anyway").click()
    await ann.sees("call +44 7700 900123")
    await heron.hears(session, "call +44 7700 900123")
    await heron.client.ask("end", session=session)


async def test_offline_and_back_in_a_conversation_with_nothing_lost(wire: Wire, ann: Person, heron: Listener) -> None:
    ann.forgive(LOST_NETWORK)
    session = await talks(ann, heron)
    await ann.say("before")
    wire.cut()
    await expect(ann.link).to_be_visible()
    await ann.write("while the network was away")
    await heron.say(session, "take your time")
    wire.mend()
    await ann.network_returns()
    await ann.sees("take your time")
    await ann.sees("while the network was away")
    await heron.hears(session, "while the network was away")
    await ann.page.reload()
    await ann.sees("before")
    await ann.go_back_to_lobby()
    await expect(line(ann)).to_contain_text(re.compile("is waiting for you|has written to you"))
    await top(ann).click()
    for text in ("before", "take your time", "while the network was away"):
        await ann.sees(text)
    await heron.client.ask("end", session=session)


async def test_a_listener_who_vanishes_is_waited_for_and_then_the_place_is_at_the_head(
    site: ChatServer, ann: Person, heron: Listener
) -> None:
    session = await talks(ann, heron)
    await heron.say(session, "one moment")
    await ann.sees("one moment")
    heron.vanish()
    notice = ann.page.locator(".talk-notice")
    await expect(notice).to_contain_text(
        f"{heron.name} lost the connection. We'll wait for them a little", timeout=40_000
    )
    await heron.arrive()
    await expect(notice).to_be_hidden()
    await heron.say(session, "here again")
    await ann.sees("here again")
    await heron.rest()
    heron.vanish()
    async with ChatClient(site.ws_url) as ben:
        await ben.ask("ask", agreement=True)
        await expect(on_page(ann, "You're next.").first).to_be_visible(timeout=60_000)
        await expect(on_page(ann, f"{heron.name} lost the connection, and couldn't come back in time.")).to_be_visible()
        await ben.ask("unask")
    await press(ann, "Leave the line").click()


async def test_block_and_report_are_two_things_of_two_touches(ann: Person, heron: Listener) -> None:
    session = await talks(ann, heron)
    await press(ann, "Report").click()
    dialog = ann.page.get_by_role("dialog", name="Report")
    # Nothing is chosen for them, and nothing is sent before something is.
    await expect(dialog.get_by_role("radio", checked=True)).to_have_count(0)
    await expect(dialog.get_by_role("button", name="Send this report")).to_be_hidden()
    await dialog.get_by_label("Something else").check()
    await dialog.get_by_label("Would you like to add something?").fill("I can't say what it is.")
    await dialog.get_by_role("button", name="Send this report").click()
    await expect(dialog.get_by_text("Thank you. Somebody will look at it")).to_be_visible()
    await dialog.get_by_role("button", name="Go on talking").click()
    await ann.say("and we go on talking")
    await press(ann, "Block").click()
    await press(ann, f"Block {heron.name}").click()
    await expect(heading(ann, "Your conversation is over")).to_be_visible()
    ended = await heron.session(session, lambda it: "ended_at" in it)
    assert ended["ending"] == "other"
    await press(ann, "Ask for a listener again").click()
    await press(ann, "I agree, ask for a listener").click()
    await waits(ann)
    assert "proposal" not in await heron.console()
    await press(ann, "Leave the line").click()


async def test_another_listener_takes_over_when_the_seeker_agrees(
    site: ChatServer, ann: Person, heron: Listener
) -> None:
    session = await talks(ann, heron)
    async with a_listener(site) as otter:
        await otter.listen()
        await heron.invite(otter, session, handover=True)
        await expect(ann.page.locator(".invitation")).to_contain_text(
            f"{heron.name} would like {otter.name} to go on with you in their place. "
            f"{otter.name} will then be able to read what was written so far."
        )
        await press(ann, "Yes, that's fine").click()
        await otter.console(lambda it: bool(it.get("invitations")))
        await otter.client.ask("answer", session=session, yes=True)
        await otter.client.ask("join", room=session)
        await expect(ann.page.get_by_role("textbox", name=f"Write to {otter.name}")).to_be_visible()
        await expect(ann.page.locator(".talk-people")).not_to_contain_text(heron.name)
        await otter.client.ask("end", session=session)
        await expect(heading(ann, "Your conversation is over")).to_be_visible()


# ----------------------------------------------------------------------------------------------------- looking back


async def test_afterwards_both_say_again_and_the_words_lead_to_the_same_listener(
    site: ChatServer, sit_down: SitDown, ann: Person, heron: Listener
) -> None:
    session = await talks(ann, heron)
    await ann.say("thank you for staying")
    await ann.writing.fill("and one more thing")
    kind = "Thank you for telling me. It took courage, and I am glad that you are here."
    await heron.say(session, kind)
    await heron.client.ask("end", session=session)
    # The kind last line is not folded away: it comes first, and large.
    last = ann.page.locator(".last-words")
    await expect(last).to_contain_text(kind)
    assert await last.locator("blockquote").evaluate("(e) => parseFloat(getComputedStyle(e).fontSize)") >= 20
    await expect(on_page(ann, f"{heron.name} has ended it.")).to_be_visible()
    await expect(on_page(ann, re.compile("What was written is removed at .*, for both of you"))).to_be_visible()
    await expect(on_page(ann, "and one more thing")).to_be_visible()
    await on_page(ann, "Read it again").click()
    await expect(ann.page.locator(".reading")).to_contain_text("thank you for staying")
    heard = ann.page.get_by_role("group", name="Did you feel heard?")
    await heard.get_by_label("yes").check()
    await expect(on_page(ann, "Thank you. It is noted.")).to_be_visible()
    await ann.page.get_by_label("I'd talk with them again").check()
    await expect(press(ann, "Show my come-back words")).to_be_hidden()
    await heron.client.ask("again", session=session)
    await press(ann, "Show my come-back words").click()
    code = ann.page.locator(".code")
    await expect(code).not_to_be_empty()
    words = await code.inner_text()
    await ann.page.reload()
    await expect(heading(ann, "Your conversation is over")).to_be_visible()

    eve = await (await sit_down(site.url)).arrive()
    await open_form(eve)
    await on_page(eve, "I have come-back words").click()
    await eve.page.get_by_label("The words you were given").fill(words)
    await eve.page.get_by_label("Wait for this listener only").check()
    await press(eve, "I agree, ask for a listener").click()
    await waits(eve)
    await heron.listen()
    proposal = (await heron.console(lambda it: "proposal" in it))["proposal"]
    assert "came_back" in proposal["why"]
    again = await heron.accept()
    await heron.client.ask("end", session=again)


async def test_a_cruel_last_line_can_be_reported_and_its_writer_blocked_when_it_is_over(
    ann: Person, heron: Listener
) -> None:
    session = await talks(ann, heron)
    await heron.say(session, "a cruel last line")
    await heron.client.ask("end", session=session)
    await expect(heading(ann, "Your conversation is over")).to_be_visible()
    await press(ann, "Report").click()
    dialog = ann.page.get_by_role("dialog", name="Report")
    await dialog.get_by_label("Unkind or hurtful").check()
    await dialog.get_by_role("button", name="Send this report").click()
    await expect(dialog.get_by_text("Thank you. Somebody will look at it")).to_be_visible()
    await dialog.get_by_role("button", name="Close").click()
    await press(ann, "Block").click()
    await press(ann, f"Block {heron.name}").click()
    await expect(on_page(ann, f"You and {heron.name} don't meet here again.")).to_be_visible()
    await expect(press(ann, "Block")).to_be_hidden()
    await expect(ann.page.get_by_label("I'd talk with them again")).to_be_hidden()
    await heron.listen()
    await press(ann, "Ask for a listener again").click()
    await press(ann, "I agree, ask for a listener").click()
    await waits(ann)
    assert "proposal" not in await heron.console()
    await press(ann, "Leave the line").click()
