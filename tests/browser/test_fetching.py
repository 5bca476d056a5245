"""Parts of the page that are fetched later, on a network that loses the first try."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from tests.browser.conftest import Stay
from tests.browser.person import LOST_NETWORK, Person
from tests.browser.site import join, say
from tests.browser.test_moderating import hire, signed_in
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(120)
_numbers = itertools.count(1)


def heavy() -> str:
    """Words that nobody has written before in this server's room."""
    return f"I have the pills in front of me, night {next(_numbers)}."


class Loser:
    """A network that loses one file a number of times; `asked` holds the addresses it was asked for."""

    def __init__(self, times: int) -> None:
        self.times = self.left = times
        self.asked: list[str] = []

    async def __call__(self, route: Route) -> None:
        self.asked.append(route.request.url)
        if self.left > 0:
            self.left -= 1
            await route.abort()
        else:
            await route.fallback()


@pytest_asyncio.fixture(loop_scope="session")
async def ann(site: ChatServer, stay: Stay) -> AsyncIterator[Person]:
    """Somebody in the lobby, on a network that loses nothing after the test. What came in an earlier test is there: a
    test whose part may be among it loads the page anew."""
    person = await stay(site.url)
    yield person
    await person.context.unroute_all(behavior="ignoreErrors")


async def lose(person: Person, file: str, times: int = 1) -> Loser:
    person.forgive(LOST_NETWORK)
    loser = Loser(times)
    await person.context.route(re.compile(re.escape(file) + r"(\?|$)"), loser)
    return loser


def has_another_address_each_time(lost: Loser) -> bool:
    """Whether each try of the page's had its own address. The browser itself may ask twice for one that was cut: only
    what was lost more than once must have been tried again by the page."""
    tries = [address for address, _ in itertools.groupby(lost.asked)]
    return len(set(tries)) == len(tries) and (len(tries) > 1 or lost.times == 1)


async def test_the_note_for_heavy_words_comes_although_its_parts_were_lost_three_times(ann: Person) -> None:
    times = {"/js/rooms/crisis-note.js": 3, "/js/locales/en-crisis-note.js": 3, "/css/care.css": 1}
    lost = {file: await lose(ann, file, times=number) for file, number in times.items()}
    await ann.arrive()
    await ann.enter("Awake at night")
    await ann.say(heavy())
    note = ann.page.get_by_role("status", name="Only you see this note")
    await expect(note).to_contain_text("You don't have to carry it alone.")
    # Each try has another address: a browser may keep a failed one.
    for file, loser in lost.items():
        assert has_another_address_each_time(loser), file
        assert loser.left == 0, file


async def test_the_note_waits_until_its_writer_is_in_a_room_again(ann: Person) -> None:
    lost = await lose(ann, "/js/rooms/crisis-note.js", times=10_000)
    await ann.arrive()
    await ann.enter("Awake at night")
    await ann.say(heavy())
    await ann.go_back_to_lobby()
    lost.left = 0
    await ann.enter("Awake at night")
    await expect(ann.page.get_by_role("status", name="Only you see this note")).to_be_visible()


async def test_the_note_is_there_beforehand_and_needs_no_network_then(ann: Person) -> None:
    await ann.arrive()
    await ann.enter("Awake at night")
    async with ann.page.expect_response(re.compile("/css/care.css$")):
        await ann.writing.focus()
    lost = await lose(ann, "crisis-note.js", times=10_000)
    await ann.say(heavy())
    await expect(ann.page.get_by_role("status", name="Only you see this note")).to_be_visible()
    assert lost.asked == []


@pytest.mark.parametrize("file", ["/js/listening/seeker/standing-line.js", "/js/listening/seeker/asking.js"])
async def test_asking_for_a_listener_says_what_failed_and_works_at_the_second_try(ann: Person, file: str) -> None:
    await lose(ann, file)
    await ann.arrive()
    await ann.page.locator("#ask-link").click()
    main = ann.page.get_by_role("main")
    await expect(main.get_by_role("alert")).to_have_text("This part of the page didn't come through. Please try again.")
    await main.get_by_role("button", name="Try again").click()
    await expect(main.locator(".asking")).to_be_visible()
    await expect(main.locator(".asking .boot")).to_have_count(0)
    await expect(main.get_by_role("button", name="Try again")).to_have_count(0)


async def test_ones_own_corner_says_what_failed_and_opens_at_the_second_press(ann: Person) -> None:
    await lose(ann, "/js/rooms/views/you.js")
    await ann.page.get_by_role("button", name="Your name and privacy").click()
    await expect(
        ann.page.get_by_role("alert").filter(has_text="This part of the page didn't come through.")
    ).to_be_visible()
    await ann.open_own_corner()


async def test_what_one_can_do_with_a_post_and_long_posts_come_at_the_second_try(site: ChatServer, ann: Person) -> None:
    files = ["/js/rooms/views/tools.js", "/js/shell/fold.js", "/js/rooms/report.js"]
    lost = tools, fold, report = [await lose(ann, file, times=10_000) for file in files]
    await ann.arrive()
    await ann.enter("Missing someone")
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "grief")
        await say(ben, "grief", "line\n" * 40 + f"the last line {next(_numbers)}", "a short one")
    post = await ann.sees("a short one")
    await post.get_by_role("button", name=re.compile("^React, answer and more")).click()
    await expect(post.get_by_role("alert")).to_have_text("This part of the page didn't come through. Please try again.")
    tools.left = fold.left = 0
    menu = await ann.open_menu(post)
    await expect(post.get_by_role("alert")).to_be_hidden()
    tell = menu.get_by_role("button", name="Report", exact=True)
    await tell.click()
    await expect(menu.get_by_role("alert")).to_have_text("This part of the page didn't come through. Please try again.")
    report.left = 0
    await tell.click()
    await expect(menu.get_by_label("Unkind or hurtful")).to_be_focused()
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "grief")
        await say(ben, "grief", "something new")
    await ann.sees("something new")
    await expect(ann.page.get_by_role("button", name="Show all")).to_be_visible()
    for each in lost:
        assert has_another_address_each_time(each)


async def test_a_post_can_be_changed_though_the_network_went_after_it_was_touched(ann: Person) -> None:
    await ann.arrive()
    # Nothing is written here yet that could lie under the pointer already.
    await ann.enter("Feeling alone")
    await ann.say("words to change")
    async with ann.page.expect_response(re.compile("/js/rooms/views/about-post.js$")):
        await ann.post("words to change").hover()
    lost = await lose(ann, "/js/rooms/views/about-post.js", times=10_000)
    menu = await ann.open_menu("words to change")
    await menu.get_by_role("button", name="Change it").click()
    await expect(ann.writing).to_be_focused()
    await ann.writing.fill("words that were changed")
    await ann.page.get_by_role("button", name="Save the change").click()
    await ann.sees("words that were changed")
    assert lost.asked == []


async def test_an_unfinished_change_goes_on_although_its_part_was_lost(ann: Person) -> None:
    await ann.enter("Missing someone")
    await ann.say("half a change")
    menu = await ann.open_menu("half a change")
    await menu.get_by_role("button", name="Change it").click()
    await ann.writing.fill("half a change, and more")
    await ann.go_back_to_lobby()
    await ann.page.reload()
    lost = await lose(ann, "/js/rooms/views/about-post.js", times=2)
    await ann.enter("Missing someone")
    await expect(ann.page.locator(".composer .about")).to_contain_text("Changing your post")
    await expect(ann.writing).to_have_value("half a change, and more")
    assert has_another_address_each_time(lost)


async def test_a_reload_leads_back_into_the_room_although_that_part_was_lost(ann: Person) -> None:
    await ann.enter("Low days")
    loser = await lose(ann, "/js/rooms/arriving.js")
    await ann.page.reload()
    await ann.sees_lobby()
    await ann.enter("Low days")
    await ann.page.reload()
    await expect(ann.writing).to_be_visible()
    assert len(loser.asked) == 2


async def test_what_moderators_say_comes_although_its_part_was_lost_and_nothing_else_happens(
    site: ChatServer, ann: Person
) -> None:
    token = await signed_in(site, await hire(site))
    lost = await lose(ann, "/js/rooms/decisions.js", times=2)
    await ann.enter("Illness and pain")
    await ann.say("I am so tired of this")
    offset = int(await ann.post("I am so tired").get_attribute("data-offset") or 0)
    async with ChatClient(site.ws_url, hello=False) as moderator:
        await moderator.ask("hello", staff=True, token=token)
        await moderator.ask(
            "measure", kind="notice", room="illness", offset=offset, minutes=60, reason="Are you safe right now?"
        )
    await expect(ann.page.get_by_role("region", name="From the moderators")).to_contain_text("Are you safe right now?")
    assert has_another_address_each_time(lost)
