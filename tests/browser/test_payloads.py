"""Hundreds of texts that would like to be more than text, in every field that there is, before somebody else's eyes.

Chromium enforces Trusted Types here (`tests/browser/test_safety.py` proves that it does): a page that handed any of
these to a parser would be stopped, and heard. `sit_down` fails for every violation, dialog, error and request to a
stranger.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from chatserver.domain.rooms.rooms import Room
from tests.browser.conftest import SitDown, sitting_down
from tests.browser.payloads import OTHERS, PAYLOADS, as_kept
from tests.browser.person import Person
from tests.browser.site import database, join, open_site, room
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(120)
WARNING: Final = "May be hard to read: "
LENGTH: Final = 80
"""Of a content warning."""
AT_ONCE: Final = 50
ROOMS: Final = [
    room("written", "Written", position=-9),
    room("mended", "Mended", position=-8),
]
NAMED: Final = [
    room("said", "All said", about="\n".join(PAYLOADS), topic="\n".join(PAYLOADS), welcome="\n\n".join(PAYLOADS),
         agreement="\n".join(PAYLOADS), position=-7),
    *(room(f"named-{at}", f"{at} {payload}", about=payload, position=at) for at, payload in enumerate(PAYLOADS)),
]  # fmt: skip
"""Only where they are what a test looks at: they make every lobby long."""

ELEMENTS: Final = """() => {
    const known = new Set(%s);
    const strange = [];
    for (const e of document.querySelectorAll("*")) {
        const isOurs = known.has(e.localName) && [...e.attributes].every((a) =>
            !a.name.startsWith("on") && !["srcdoc", "srcset", "ping", "formaction", "autofocus"].includes(a.name)
            && !(["href", "src", "action", "data"].includes(a.name)
                && /stranger|^\\s*(javascript|data|blob):/i.test(a.value)));
        if (!isOurs || e.shadowRoot) strange.push(e.outerHTML.slice(0, 200));
    }
    return strange;
}"""
"""Elements and attributes of which the page itself makes none."""


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    with _open() as server:
        yield server


def _open(rooms: Sequence[Room] = ()) -> AbstractContextManager[ChatServer]:
    own = ("posts_per_second", "post_burst", "names_per_hour")
    free = dict.fromkeys(("commands_per_second", "command_burst", *own), 1e6)
    free |= {f"member_{name}": 1e6 for name in list(free)[:2]}
    return open_site([*ROOMS, *rooms], limits=free, looks_for_contacts=False)


async def kinds(page: Page) -> list[str]:
    found = await page.evaluate("() => [...new Set([...document.querySelectorAll('*')].map((e) => e.localName))]")
    return list(found)


async def only_words(person: Person, known: Sequence[str]) -> None:
    """Nothing ran and nothing left; every element is of a kind that harmless words have, too."""
    page = person.page
    assert await page.evaluate("() => [window.ran, ({}).ran]") == [None, None]
    assert await page.evaluate(ELEMENTS % [*known]) == []
    assert person.went_to == []
    assert person.unforgiven() == []
    assert page.url == f"{person.url}/"
    assert len(person.context.pages) == 1


async def ask_all(client: ChatClient, command: str, all_: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    for start in range(0, len(all_), AT_ONCE):
        part = all_[start : start + AT_ONCE]
        answers += await asyncio.gather(*(client.exchange(command, **fields) for fields in part))
    return answers


async def shown(person: Person, selector: str) -> list[str]:
    found = await person.page.locator(selector).evaluate_all("(all) => all.map((e) => e.textContent)")
    return list(found)


async def to_the_beginning(person: Person) -> None:
    """Page back until the room begins."""
    earlier = person.page.locator("button.earlier")
    # By their elements: finding hundreds by their role takes longer than showing them.
    posts = person.log.locator("article")
    await expect(posts.first).to_be_visible()
    while await earlier.is_visible():
        before = await posts.count()
        await earlier.click()
        await expect(posts.nth(before)).to_be_attached()
        await expect(earlier).to_have_text("Earlier posts")


@asynccontextmanager
async def somebody(server: ChatServer, where: str) -> AsyncIterator[ChatClient]:
    async with ChatClient(server.ws_url) as client:
        await join(client, where)
        yield client


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def known(site: ChatServer, chromium: Browser) -> AsyncIterator[list[str]]:
    """The kinds of elements that the page makes of words that mean no harm: lobby, room, answer, warning, menu."""
    async with sitting_down(chromium) as sit_down:
        ann = await sit_down(site.url)
        await ann.arrive()
        seen = {*await kinds(ann.page)}
        await ann.enter("Awake at night")
        async with somebody(site, "sleep") as ben:
            first = await ben.ask("post", room="sleep", text="good evening", warning="nothing bad")
            await ben.ask("post", room="sleep", text="an answer", reply_to=first["offset"])
            await ben.ask("react", room="sleep", offset=first["offset"], reaction="hug", on=True)
            await ann.sees("an answer")
        await ann.open_menu("an answer")
        seen |= {*await kinds(ann.page)}
    yield sorted(seen)


def _post(where: str, text: str) -> dict[str, Any]:
    return {"room": where, "text": text, "warning": text[:LENGTH].strip()}


async def texts_and_warnings_are_all(person: Person) -> list[str]:
    """Open every post: each payload is there as text and as warning. Return the warnings."""
    await person.page.locator(".veil button").evaluate_all("(all) => all.forEach((e) => e.click())")
    texts = [text for text in await shown(person, "article .text") if not text.startswith("to ")]
    assert texts == [as_kept(payload) for payload in PAYLOADS]
    warnings = [text for text in await shown(person, "article .warning") if text]
    assert warnings == [WARNING + as_kept(payload[:LENGTH]).replace("\n", " ").strip() for payload in PAYLOADS]
    return warnings


async def test_posts_warnings_answers_and_names_are_words_to_somebody_else(
    site: ChatServer, sit_down: SitDown, known: Sequence[str]
) -> None:
    """The names got into the database somehow: `test_names_of_such_words_are_refused`."""
    assert len(set(PAYLOADS)) >= 300
    async with somebody(site, "written") as eve:
        told: list[int] = []
        for start in range(0, len(PAYLOADS), AT_ONCE):
            # Each of them answers one of those before, and so shows its warning.
            posts = [_post("written", text) for text in PAYLOADS[start : start + AT_ONCE]]
            for post, offset in zip(posts, told[-AT_ONCE:], strict=False):
                post["reply_to"] = offset
            told += [answer["ok"]["offset"] for answer in await ask_all(eve, "post", posts)]
        quoted = len(PAYLOADS) - AT_ONCE
        rest = [{"room": "written", "text": f"to {offset}", "reply_to": offset} for offset in told[quoted:]]
        assert all("ok" in answer for answer in await ask_all(eve, "post", rest))
    with sqlite3.connect(database(site), timeout=10) as db:
        names = zip(PAYLOADS, told, strict=True)
        db.executemany("UPDATE log SET name = ? WHERE channel = 'room:written' AND \"offset\" = ?", names)
    db.close()
    ann = await sit_down(site.url)
    await ann.arrive()
    await ann.enter("Written")
    await to_the_beginning(ann)
    assert (await shown(ann, "article .head b"))[: len(PAYLOADS)] == [*PAYLOADS]
    quotes = [text for text in await shown(ann, "article .quote") if text]
    warnings = await texts_and_warnings_are_all(ann)
    assert quotes == [f"Answer to {name}: {warning}" for name, warning in zip(PAYLOADS, warnings, strict=True)]
    await only_words(ann, known)
    await ann.go_back_to_lobby()
    await only_words(ann, known)


async def test_changes_are_words_to_somebody_else(site: ChatServer, sit_down: SitDown, known: Sequence[str]) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    async with somebody(site, "mended") as eve:
        posted = await ask_all(eve, "post", [{"room": "mended", "text": "good evening"} for _ in PAYLOADS])
        await ann.enter("Mended")
        changed = [
            {**_post("mended", text), "offset": answer["ok"]["offset"]}
            for answer, text in zip(posted, PAYLOADS, strict=True)
        ]
        assert all("ok" in answer for answer in await ask_all(eve, "edit", changed))
        await to_the_beginning(ann)
    await expect(ann.log.locator(".when").filter(has_text="changed")).to_have_count(len(PAYLOADS))
    await texts_and_warnings_are_all(ann)
    await only_words(ann, known)
    await ann.go_back_to_lobby()
    await only_words(ann, known)


@pytest.fixture
def named_site() -> Iterator[ChatServer]:
    with _open(NAMED) as server:
        yield server


async def test_a_room_of_such_words_is_words_in_the_lobby_and_at_its_door(
    named_site: ChatServer, sit_down: SitDown, known: Sequence[str]
) -> None:
    ann = await sit_down(named_site.url)
    await ann.arrive()
    known = [*known, "h1", "p"]
    names = await shown(ann, ".card-name")
    assert {f"{at} {payload}" for at, payload in enumerate(PAYLOADS)} <= set(names)
    assert set(PAYLOADS) <= set(await shown(ann, ".card-about"))
    await only_words(ann, known)
    await ann.card("All said").click()
    accept = ann.page.get_by_role("button", name="I agree, take me in")
    await expect(accept).to_be_visible()
    assert await shown(ann, ".agreement p") == [*PAYLOADS]
    await only_words(ann, known)
    await accept.click()
    await expect(ann.writing).to_be_visible()
    assert await shown(ann, ".topic") == ["\n".join(PAYLOADS)]
    assert set(PAYLOADS) <= set(await shown(ann, ".pinned p"))
    await only_words(ann, known)


async def test_names_of_such_words_are_refused(site: ChatServer) -> None:
    async with somebody(site, "grief") as eve:
        for answer in await ask_all(eve, "rename", [{"name": payload} for payload in PAYLOADS]):
            # A name that was cleaned into one is no markup any more.
            assert answer.get("error", {"code": "name_refused"})["code"] == "name_refused"
            assert not set('<>"&/:;=()`${}\\') & set(answer.get("ok", {}).get("member", {}).get("name", ""))
            assert set(answer.get("error", {}).get("details", {"why": 1})) == {"why"}


async def test_what_is_typed_into_the_page_itself_stays_words(
    site: ChatServer, sit_down: SitDown, known: Sequence[str]
) -> None:
    """Through the fields that a person fills: writing, its draft after a reload, name, and come-back code."""
    ann = await sit_down(site.url)
    ann.forgive(r"the server responded with a status of 4\d\d")
    await ann.arrive()
    known = [*known, "section", "h2", "output", "form", "input", "a", "fieldset", "legend"]
    await ann.open_own_corner()
    name, code = ann.page.get_by_label("Name", exact=True), ann.page.get_by_label("Come-back code")
    alerts = ann.page.get_by_role("alert")
    for payload in OTHERS[::4]:
        await code.fill(payload)
        await code.press("Enter")
        await expect(alerts.filter(has_text="We don't know this code.")).to_be_visible()
        await name.fill(payload)
        await name.press("Enter")
        await expect(alerts.filter(has_text="This name can't be used here.")).to_be_visible()
    await ann.go_back_to_lobby()
    await ann.enter("Worry and panic")
    await ann.page.get_by_label("This may be hard to read").check()
    warning = ann.page.get_by_label("What is it about? Others see this first.")
    await ann.writing.fill(PAYLOADS[0])
    await warning.fill(PAYLOADS[1])
    await ann.page.reload()
    await expect(ann.writing).to_have_value(PAYLOADS[0])
    await expect(warning).to_have_value(PAYLOADS[1])
    await only_words(ann, known)
