"""One's own card: it stays in the browser, goes when its owner leaves, and is there when the server is not."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Request, WebSocket, expect

from tests.browser.conftest import SitDown
from tests.browser.eyes import BEYOND, FAR_APART, LOOKS, Scheme, faults
from tests.browser.person import LOST_NETWORK, Person
from tests.browser.site import join, say
from tests.kit.browser import browser_arguments, browser_path
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(120)
ELSEWHERE: Final = "https://www.wikipedia.org/"
PHRASE: Final = "river stone lamp"
CANARY: Final = "zq7canary"
GERMAN: Final[dict[str, Any]] = {"timezone_id": "Europe/Berlin", "locale": "en-GB"}
FIELDS: Final = (
    ".my-card textarea:visible, .my-card input[type=text]:visible, .my-card input[type=tel]:visible, "
    ".my-card input[type=password]:visible"
)
RECORD_HISTORY: Final = """() => {
    window.historyEntries = [];
    for (const name of ["pushState", "replaceState"]) {
        const usual = history[name].bind(history);
        history[name] = (...said) => { window.historyEntries.push(JSON.stringify(said)); usual(...said); };
    }
}"""
LEAVE_AND_LOOK: Final = """() => {
    for (let i = 0; i < 3; i += 1) {
        dispatchEvent(new KeyboardEvent("keydown", { key: "Shift" }));
        dispatchEvent(new KeyboardEvent("keyup", { key: "Shift" }));
    }
    return { ...localStorage };
}"""
"""Three presses, and what is stored before anything else could run."""


class Card:
    """The screen "My card" before a person."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.page = person.page

    async def open(self) -> Card:
        await self.page.evaluate("() => document.getElementById('card-link').click()")
        await expect(self.title).to_be_visible()
        return self

    @property
    def title(self) -> Locator:
        return self.page.get_by_role("heading", name="My card", exact=True)

    def part(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=name, exact=True)

    def button(self, name: str) -> Locator:
        return self.page.locator(".my-card").get_by_role("button", name=name, exact=True)

    async def write(self, part: str, text: str) -> None:
        await self.part(part).get_by_role("button", name=re.compile("^(Write this|Change)")).click()
        await self.part(part).get_by_label("One thing on each line").fill(text)
        await self.part(part).get_by_role("button", name="Done").click()

    async def lock(self, *, stays: bool = False) -> None:
        section = self.part("Passphrase")
        await section.get_by_role("button", name="Lock it").click()
        await section.get_by_role("textbox", name="Passphrase").fill(PHRASE)
        await section.get_by_label("The same once more").fill(PHRASE)
        await section.get_by_label("Keep it when I press").set_checked(stays)
        await section.get_by_role("button", name="Lock it").click()
        await expect(section.get_by_text("It is locked with your passphrase.")).to_be_visible()

    async def unlock(self, phrase: str = PHRASE) -> None:
        await self.page.get_by_role("textbox", name="Passphrase").fill(phrase)
        await self.page.get_by_role("button", name="Open it").click()

    async def stored(self) -> str | None:
        kept = await self.person.kept()
        return kept.get("chat.v1.card")


class Record:
    """All that leaves a browser, or that it remembers, from now on."""

    def __init__(self, page: Page) -> None:
        self.asked: list[Request] = []
        self.said: list[str] = []
        page.context.on("request", self._note)
        page.context.on("console", lambda message: self.said.append(message.text))
        page.on("framenavigated", lambda frame: self.said.append(frame.url))
        page.on("websocket", self._listen)

    def _note(self, request: Request) -> None:
        self.asked.append(request)

    def _listen(self, socket: WebSocket) -> None:
        self.said.append(socket.url)
        socket.on("framesent", lambda frame: self.said.append(str(frame)))
        socket.on("framereceived", lambda frame: self.said.append(str(frame)))


@pytest_asyncio.fixture(loop_scope="session")
async def ann(site: ChatServer, sit_down: SitDown) -> AsyncIterator[Person]:
    person = await sit_down(site.url, viewport={"width": 390, "height": 844}, **GERMAN)
    yield await person.arrive()


def holding(folder: Path, text: str) -> list[Path]:
    """The files in which these words can be read."""
    forms = (text.encode(), text.encode("utf-16-le"))
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if any(form in path.read_bytes() for form in forms)]


async def fill_all(page: Page) -> int:
    """Type the canary into every field that is there; how many there were."""
    fields = await page.locator(FIELDS).all()
    for field in fields:
        await field.fill(f"{CANARY} {PHRASE}")
    return len(fields)


async def test_no_word_of_the_card_leaves_the_browser(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url, **GERMAN)
    record = Record(ann.page)
    await ann.page.add_init_script(f"({RECORD_HISTORY})()")
    await ann.arrive()
    card = await Card(ann).open()
    record.asked.clear()
    page = ann.page
    for change in await page.get_by_role("button", name=re.compile("^(Write this|Change): ")).all():
        # Each is gone once it was pressed: they stand in the same order, the first of them next.
        assert change is not None
        await page.get_by_role("button", name=re.compile("^(Write this|Change): ")).first.click()
    for add in await page.get_by_role("button", name=re.compile("^Add (somebody|a number)")).all():
        await add.click()
    await page.evaluate("() => document.querySelectorAll('.my-card details').forEach((e) => { e.open = true; })")
    await card.part("Passphrase").get_by_role("button", name="Lock it").click()
    # Nine texts and names, two people to call and the two lines of the country, one's own part, passphrases, the file.
    assert await fill_all(page) >= 9 * 2 + 4 * 2 + 1 + 2 + 1
    async with page.expect_download() as download:
        await card.button("Save the file").click()
    saved = await (await download.value).path()
    assert CANARY in saved.read_text()
    await page.locator("input[type=file]").set_input_files(saved)
    await expect(
        page.get_by_role("region", name="Take it with me").get_by_text("It was read. What was new is on your card.")
    ).to_be_visible()
    await card.part("Passphrase").get_by_role("button", name="Lock it").click()
    await expect(page.get_by_text("It is locked with your passphrase.").first).to_be_visible()
    await card.button("Go through it, one step at a time").click()
    while await card.button("Next").is_visible():
        await card.button("Next").click()
    await card.button("Close").click()
    await card.button("Close it now").click()
    await card.unlock(f"{CANARY} {PHRASE}")
    await expect(card.button("Go through it, one step at a time")).to_be_visible()
    await card.button("Back").click()
    await ann.sees_lobby()
    # A change that goes out proves that what goes out is recorded.
    await ann.enter("Awake at night")
    await ann.say("this goes out")
    # Not one request since the card is open, but for what was then done in the rooms.
    assert [request.url for request in record.asked if "/card/" in request.url or "card.css" in request.url] == []
    heard = [f"{r.url} {r.post_data} {await r.all_headers()}" for r in record.asked] + record.said
    heard += [str(await ann.context.cookies()), page.url, await page.title()]
    heard += [*await page.evaluate("() => window.historyEntries")]
    assert any("this goes out" in each for each in heard)
    assert [each for each in heard if CANARY in each] == []
    assert CANARY not in site.process.output()


async def test_nothing_is_asked_of_the_server_while_one_is_at_the_card(ann: Person) -> None:
    card = await Card(ann).open()
    record = Record(ann.page)
    await card.write("What I can do alone", "a walk")
    await card.lock()
    await card.button("Go through it, one step at a time").click()
    await card.button("Close").click()
    async with ann.page.expect_download():
        await card.button("Save the file").click()
    assert [request.url for request in record.asked if not request.url.startswith("blob:")] == []


async def test_leave_now_removes_it_from_every_tab_at_once_unless_it_is_locked_and_shall_stay(ann: Person) -> None:
    card = await Card(ann).open()
    await card.write("What I can do alone", "nobody may see this")
    other = Person(ann.context, await ann.context.new_page(), ann.url)
    await other.arrive()
    there = await Card(other).open()
    await expect(there.part("What I can do alone")).to_contain_text("nobody may see this")
    await there.part("What I can do alone").get_by_role("button", name=re.compile("^Change")).click()
    await ann.may_leave()
    assert await ann.page.evaluate(LEAVE_AND_LOOK) == {}
    for page in (ann.page, other.page):
        await expect(page).to_have_url(ELSEWHERE)
    state = await ann.context.storage_state()
    assert all(not origin["localStorage"] for origin in state["origins"])
    await other.page.close()
    await ann.may_leave_no_more()

    await ann.arrive()
    await card.open()
    await card.write("What I can do alone", "locked away")
    await card.lock(stays=True)
    other = Person(ann.context, await ann.context.new_page(), ann.url)
    await other.arrive()
    await ann.may_leave()
    left = await ann.page.evaluate(LEAVE_AND_LOOK)
    assert list(left) == ["chat.v1.card"]
    assert "locked away" not in str(left)
    for page in (ann.page, other.page):
        await expect(page).to_have_url(ELSEWHERE)
    await other.page.close()
    await ann.may_leave_no_more()
    await ann.arrive()
    await card.open()
    await expect(ann.page.get_by_role("heading", name="Your card is locked.")).to_be_visible()
    await card.unlock("another phrase")
    await expect(ann.page.get_by_text("That didn't open it.")).to_be_visible()
    await card.unlock()
    await expect(card.part("What I can do alone")).to_contain_text("locked away")


async def test_with_a_passphrase_no_byte_of_it_is_readable_in_the_profile(
    site: ChatServer, chromium: Browser, tmp_path: Path
) -> None:
    context = await chromium.browser_type.launch_persistent_context(
        tmp_path, executable_path=browser_path(), args=browser_arguments(), headless=True
    )
    page = context.pages[0]
    person = Person(context, page, site.url)
    await person.arrive()
    card = await Card(person).open()
    await card.lock()
    await card.write("What I can do alone", f"{CANARY} locked")
    await card.write("People I may tell", f"{CANARY} people")
    await page.evaluate("() => localStorage.setItem('control', 'zq7control')")
    stored = await card.stored()
    await context.close()
    assert stored is not None
    assert CANARY not in stored
    assert holding(tmp_path, "zq7control"), "what is stored in the open would be found"
    assert holding(tmp_path, CANARY) == []


async def test_it_works_while_the_server_is_down(site: ChatServer, ann: Person) -> None:
    ann.forgive(LOST_NETWORK)
    card = await Card(ann).open()
    await ann.go_back_to_lobby()
    site.stop()
    try:
        await expect(ann.link).to_be_visible()
        await card.open()
        await card.write("What is worth staying for", "the cat")
        await card.button("Go through it, one step at a time").click()
        await expect(ann.page.get_by_role("heading", name="Lines to call", level=1)).to_be_focused()
        line = ann.page.get_by_role("link", name=re.compile("TelefonSeelsorge"))
        await expect(line).to_have_attribute("href", "tel:08001110111")
        await card.button("Next").click()
        await expect(ann.page.get_by_text("the cat")).to_be_visible()
        await card.button("Next").click()
        await card.button("Get help now").click()
        await expect(ann.page.get_by_role("dialog", name="Get help now")).to_be_visible()
        await ann.page.keyboard.press("Escape")
        await card.button("Close").click()
        assert "the cat" in (await card.stored() or "")
    finally:
        site.start()


async def test_a_card_is_written_arranged_and_gone_through_by_keyboard_alone(
    site: ChatServer, sit_down: SitDown
) -> None:
    ann = await sit_down(site.url, viewport={"width": 1280, "height": 800}, **GERMAN)
    await ann.arrive()
    page, card = ann.page, Card(ann)

    async def tab_to(what: Locator, *, back: bool = False) -> None:
        for _ in range(60):
            await page.keyboard.press("Shift+Tab" if back else "Tab")
            if await what.evaluate("(element) => element === document.activeElement"):
                return
        raise AssertionError(f"no way to {what}")

    await tab_to(page.locator("#card-link"))
    await page.keyboard.press("Enter")
    await expect(card.title).to_be_focused()
    alone = card.part("What I can do alone")
    await tab_to(alone.get_by_role("button"))
    await page.keyboard.press("Enter")
    await page.keyboard.type("a walk")
    await page.keyboard.press("Alt+ArrowUp")
    await expect(page.locator(".part").first).to_contain_text("What I can do alone")
    await expect(alone.get_by_label("One thing on each line")).to_be_focused()
    await tab_to(alone.locator("summary"))
    await page.keyboard.press("Enter")
    await tab_to(alone.get_by_role("button", name="Move down"))
    await page.keyboard.press("Enter")
    await expect(page.locator("#say")).to_have_text("Now part 2 of 9.")
    await tab_to(alone.get_by_role("button", name="Done"))
    await page.keyboard.press("Enter")
    await expect(alone.get_by_role("button", name="Change")).to_be_focused()
    await tab_to(card.button("Go through it, one step at a time"), back=True)
    await page.keyboard.press("Enter")
    for _ in range(2):
        await tab_to(card.button("Next"))
        await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="You went through all of it.")).to_be_focused()
    await tab_to(card.button("Close"), back=True)
    await page.keyboard.press("Enter")
    await expect(card.button("Go through it, one step at a time")).to_be_focused()


async def test_every_state_of_it_is_fit_for_every_eye(ann: Person) -> None:
    page = ann.page
    await page.get_by_role("link", name="Get help").click()
    found = await faults(page, "card sheet", looks=FAR_APART)
    await page.get_by_role("dialog").get_by_role("button", name="My card").click()
    card = Card(ann)
    await expect(card.title).to_be_focused()

    async def look(screen: str, looks: Sequence[tuple[Scheme, int]] = FAR_APART) -> None:
        found.extend(await faults(page, f"card {screen}", height=2_400, looks=looks))
        await page.set_viewport_size({"width": 320, "height": 640})
        found.extend(f"{screen}: {what}" for what in await page.evaluate(BEYOND, 320))
        await page.set_viewport_size({"width": 390, "height": 844})

    await look("empty")
    await card.part("People I may tell").get_by_role("button").click()
    await card.button("Add somebody to call").click()
    await card.part("People I may tell").get_by_label("Name").fill("Sam")
    await card.part("People I may tell").get_by_label("Number").fill("+49 30 123456")
    await card.part("People I may tell").locator("summary").click()
    await card.part("Lines to call").get_by_role("button", name=re.compile("^Change")).click()
    await card.part("Passphrase").get_by_role("button", name="Lock it").click()
    await look("changing")
    for done in await page.get_by_role("button", name="Done").all():
        assert done is not None
        await page.get_by_role("button", name="Done").first.click()
    await card.write("What I can do alone", "a hot shower\nto the river and back")
    await page.reload()
    await ann.sees_lobby()
    await card.open()
    await card.lock()
    await look("written", LOOKS)
    await card.button("Go through it, one step at a time").click()
    await look("first step", LOOKS)
    while await card.button("Next").is_visible():
        await card.button("Next").click()
    await look("end")
    await card.button("Close").click()
    await card.button("Close it now").click()
    await expect(page.get_by_role("heading", name="Your card is locked.")).to_be_visible()
    await look("locked")
    assert found == []


async def test_words_of_a_post_are_kept_also_on_a_locked_card_and_come_back_from_a_file(
    site: ChatServer, ann: Person
) -> None:
    card = Card(ann)
    async with ChatClient(site.ws_url) as ben:
        await join(ben, "company")
        await say(ben, "company", "you are not a burden", "you came back")
    await ann.enter("Just need company")
    menu = await ann.open_menu("you are not a burden")
    await menu.get_by_role("button", name="Keep this for me").click()
    await expect(ann.page.locator("#say")).to_have_text(re.compile("^It is on your card"))
    await card.open()
    await expect(card.part("Things that helped")).to_contain_text("you are not a burden")
    await card.lock()
    await card.button("Close it now").click()
    await card.page.get_by_role("button", name="Back").click()
    menu = await ann.open_menu("you came back")
    await menu.get_by_role("button", name="Keep this for me").click()
    await card.unlock()
    await expect(ann.page.locator("#say")).to_have_text(re.compile("^It is on your card"))
    await card.open()
    await expect(card.part("Things that helped")).to_contain_text("you came back")
    async with ann.page.expect_download() as download:
        await card.button("Save the file").click()
    assert (await download.value).suggested_filename == "notes.txt"
    saved = await (await download.value).path()
    await card.button("Remove my card").click()
    await card.button("Yes, remove it").click()
    await expect(card.title).to_be_focused()
    assert await card.stored() is None
    await ann.page.locator("input[type=file]").set_input_files(saved)
    await expect(card.part("Things that helped")).to_contain_text("you are not a burden")


async def test_two_tabs_show_the_same_card_while_both_write(ann: Person) -> None:
    card = await Card(ann).open()
    other = Person(ann.context, await ann.context.new_page(), ann.url)
    await other.arrive()
    there = await Card(other).open()
    await there.part("What is worth staying for").get_by_role("button").click()
    await card.write("What I can do alone", "a walk")
    await expect(there.part("What I can do alone")).to_contain_text("a walk")
    await there.part("What is worth staying for").get_by_label("One thing on each line").fill("the cat")
    await expect(card.part("What is worth staying for")).to_contain_text("the cat")
    await card.lock()
    await expect(other.page.get_by_role("heading", name="Your card is locked.")).to_be_visible()
    await there.unlock()
    await expect(there.part("What is worth staying for")).to_contain_text("the cat")
    await card.button("Remove my card").click()
    await card.button("Yes, remove it").click()
    await expect(other.page.get_by_text("The card was removed in another tab.")).to_be_visible()
    await other.page.close()


async def test_the_note_and_the_line_lead_to_it_and_back(ann: Person) -> None:
    await ann.enter("Awake at night")
    await ann.say("I want to die")
    note = ann.page.get_by_role("status", name="Only you see this note")
    await note.get_by_role("button", name="My card").click()
    card = Card(ann)
    await expect(card.title).to_be_visible()
    await card.button("Back").click()
    await expect(ann.writing).to_be_visible()
    await ann.page.locator("#ask-link").click()
    await ann.page.get_by_role("button", name="I agree, ask for a listener").click()
    await ann.page.get_by_role("main").get_by_role("button", name="My card").click()
    await expect(card.title).to_be_visible()
    await card.button("Back").click()
    await expect(ann.page.get_by_role("button", name="Leave the line")).to_be_visible()
