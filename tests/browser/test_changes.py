"""Changes of posts and words that were refused: nothing is lost by pressing something else, or by what others do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.browser.conftest import Stay
from tests.browser.listener import Listener, a_listener
from tests.browser.person import Person
from tests.browser.seeker import talks
from tests.browser.site import join, open_site, say
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    with open_site(listening={"pause_minutes": 0.0}) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def heron(site: ChatServer) -> AsyncIterator[Listener]:
    async with a_listener(site) as listener:
        yield listener


async def sit_in(stay: Stay, url: str, room: str) -> Person:
    person = await stay(url)
    await person.enter(room)
    return person


async def change(person: Person, post: str) -> None:
    menu = await person.open_menu(post)
    await menu.get_by_role("button", name="Change it").click()
    await expect(about(person)).to_contain_text("Changing your post")


def about(person: Person) -> Locator:
    return person.page.locator(".composer .about")


def note(person: Person) -> Locator:
    return person.page.locator(".composer .under")


def press(person: Person, name: str) -> Locator:
    return person.page.get_by_role("button", name=name, exact=True)


async def test_a_refused_change_stands_there_until_it_is_sent_all_the_same(
    site: ChatServer, stay: Stay, heron: Listener
) -> None:
    ann = await stay(site.url)
    session = await talks(ann, heron)
    await ann.say("you can write to me")
    await change(ann, "you can write to me")
    await ann.writing.fill("write to me: ann@example.org")
    await press(ann, "Save the change").click()
    anyway = press(ann, "Send it anyway")
    await expect(note(ann)).to_contain_text("an e-mail address")
    await expect(anyway).to_be_visible()
    # What others do takes neither the words nor the button away.
    await heron.say(session, "I am here")
    await ann.sees("I am here")
    await heron.client.ask("typing", room=session)
    await expect(ann.page.get_by_text(f"{heron.name} is writing…")).to_be_visible()
    await expect(note(ann)).to_contain_text("an e-mail address")
    await expect(ann.writing).to_have_value("write to me: ann@example.org")
    # Something else was written meanwhile: that is not what was refused.
    await ann.writing.fill("write to me: ann at example")
    await expect(anyway).to_have_count(0)
    await ann.writing.fill("or call +44 7700 900123")
    await press(ann, "Save the change").click()
    await anyway.press("Enter")
    await expect(ann.writing).to_be_focused()
    await ann.sees("or call +44 7700 900123")
    await heron.client.ask("end", session=session)


async def test_what_was_refused_in_the_middle_of_a_change_does_not_get_into_that_post(
    site: ChatServer, stay: Stay, heron: Listener
) -> None:
    ann = await stay(site.url)
    session = await talks(ann, heron)
    await ann.say("an earlier post")
    await ann.write("ann@example.org")
    refused = ann.post("ann@example.org")
    await expect(refused.get_by_role("button", name="Change it")).to_be_visible()
    await change(ann, "an earlier post")
    await ann.writing.fill("an earlier post, better")
    await refused.get_by_role("button", name="Change it").click()
    await expect(ann.writing).to_have_value("an earlier post, better")
    await press(ann, "Save the change").click()
    await ann.sees("an earlier post, better")
    await expect(ann.writing).to_have_value("ann@example.org")
    await heron.client.ask("end", session=session)


async def test_a_draft_keeps_its_warning_and_its_answer_over_a_change(site: ChatServer, stay: Stay) -> None:
    ann = await sit_in(stay, site.url, "Low days")
    await ann.say("the first")
    await ann.say("the second")
    menu = await ann.open_menu("the first")
    await menu.get_by_role("button", name="Answer this").click()
    await ann.writing.fill("it is about loss")
    await ann.page.get_by_label("This may be hard to read").check()
    await ann.page.get_by_label("What is it about? Others see this first.").fill("loss")
    await change(ann, "the second")
    await expect(ann.page.get_by_label("This may be hard to read")).not_to_be_checked()
    await ann.page.reload()
    await expect(about(ann)).to_contain_text("Changing your post")
    await press(ann, "Cancel").click()
    await expect(ann.writing).to_have_value("it is about loss")
    await expect(ann.page.get_by_label("This may be hard to read")).to_be_checked()
    await expect(ann.page.get_by_label("What is it about? Others see this first.")).to_have_value("loss")
    await expect(about(ann)).to_contain_text("Answering")
    await press(ann, "Send").click()
    post = await ann.sees("it is about loss")
    await expect(post.locator(".warning")).to_contain_text("loss")
    await expect(post.locator(".quote")).to_contain_text("the first")


async def test_a_change_is_not_thrown_away_by_answering_something_else(site: ChatServer, stay: Stay) -> None:
    ann = await sit_in(stay, site.url, "Worry and panic")
    await ann.say("to be changed")
    await ann.say("to be answered")
    await change(ann, "to be changed")
    await ann.writing.fill("a long change of it")
    menu = await ann.open_menu("to be answered")
    await menu.get_by_role("button", name="Answer this").click()
    await expect(note(ann)).to_contain_text("Save your change first, or cancel it.")
    await expect(ann.writing).to_be_focused()
    await expect(ann.writing).to_have_value("a long change of it")
    # Nor is one that was taken up again.
    await ann.page.reload()
    await expect(ann.writing).to_have_value("a long change of it")
    menu = await ann.open_menu("to be answered")
    await menu.get_by_role("button", name="Answer this").click()
    await expect(note(ann)).to_contain_text("Save your change first, or cancel it.")
    await expect(ann.writing).to_have_value("a long change of it")
    await press(ann, "Save the change").click()
    await ann.sees("a long change of it")


async def test_why_something_was_not_sent_stands_there_until_one_writes_on(site: ChatServer, stay: Stay) -> None:
    ann = await sit_in(stay, site.url, "Awake at night")
    await press(ann, "Send").click()
    await expect(note(ann)).to_contain_text("There is nothing in it yet.")
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "sleep")
        await say(ben, "sleep", "somebody else writes")
    await ann.sees("somebody else writes")
    await expect(note(ann)).to_contain_text("There is nothing in it yet.")
    await ann.writing.fill("now")
    await expect(note(ann)).not_to_contain_text("There is nothing in it yet.")


async def test_trying_again_and_removing_keep_the_focus_in_the_list(site: ChatServer, stay: Stay) -> None:
    ann = await sit_in(stay, site.url, "Feeling alone")
    await ann.write("find me at ann@example.org")
    row = ann.post("find me at")
    await expect(row).to_contain_text(re.compile("Not sent|Couldn't be sent"))
    await row.get_by_role("button", name="Remove").press("Enter")
    await expect(row).to_have_count(0)
    await expect(ann.log).to_be_focused()


async def test_a_report_goes_on_though_the_post_is_taken_back_and_its_writer_leaves(
    site: ChatServer, stay: Stay
) -> None:
    ann = await sit_in(stay, site.url, "Just need company")
    async with ChatClient(site.ws_url) as ben:
        name = ben.hello_ok["member"]["name"]
        await join(ben, "company")
        (offset,) = await say(ben, "company", "something cruel")
        menu = await ann.open_menu("something cruel")
        await menu.get_by_role("button", name="Report", exact=True).click()
        await ann.page.get_by_label("Unkind or hurtful").check()
        own = ann.page.get_by_label("Would you like to add something?")
        await own.fill("it was there a moment ago")
        await ben.ask("redact", room="company", offset=offset)
        await expect(ann.post("This post was removed by its writer.")).to_be_visible()
        await expect(own).to_have_value("it was there a moment ago")
        await press(ann, "Send this report").click()
        await expect(ann.page.locator(".done")).to_contain_text("A moderator will look at it")
        await press(ann, "Close").click()
        await press(ann, "People").click()
        people = ann.page.get_by_role("dialog")
        await people.get_by_role("button", name=f"Report: {name}").click()
        await people.get_by_label("Unkind or hurtful").check()
        await own.fill("and they are gone now")
        await ben.ask("leave", room="company")
        await expect(people).to_contain_text("Just you at the moment")
        await expect(own).to_have_value("and they are gone now")
        await press(ann, "Send this report").click()
        await expect(people.locator(".done")).to_contain_text("A moderator will look at it")
        await people.locator(".report-panel").get_by_role("button", name="Close").click()
        await expect(people.get_by_role("listitem")).to_have_count(1)
        await expect(people.get_by_role("heading", name="Who is here")).to_be_focused()
