"""Hundreds of texts that would like to be more than text, in every field that there is, before somebody else's eyes.

Chromium enforces Trusted Types here (`tests/browser/test_safety.py` proves that it does): a page that handed any of
these to a parser would be stopped, and heard. `sit_down` fails for every violation, dialog, error and request to a
stranger.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import SitDown
from tests.browser.payloads import OTHERS, PAYLOADS, as_kept
from tests.browser.person import Person
from tests.browser.site import database, join, open_site, room
from tests.kit.client import ChatClient
from tests.kit.marks import new_mark
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(120)
WARNING: Final = "May be hard to read: "
LENGTH: Final = 80
"""Of a content warning."""
AT_ONCE: Final = 50
ROOMS: Final = [
    room("written", "Written", position=-9),
    room("mended", "Mended", position=-8),
    room("said", "All said", about="\n".join(PAYLOADS), topic="\n".join(PAYLOADS), welcome="\n\n".join(PAYLOADS),
         agreement="\n".join(PAYLOADS), position=-7),
    *(room(f"named-{at}", f"{at} {payload}", about=payload, position=at) for at, payload in enumerate(PAYLOADS)),
]  # fmt: skip

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
    own = ("posts_per_second", "post_burst", "names_per_hour")
    free = dict.fromkeys(("commands_per_second", "command_burst", *own), 1e6)
    with open_site(
        ROOMS, limits={**free, **{f"member_{name}": 1e6 for name in list(free)[:2]}}, looks_for_contacts=False
    ) as server:
        yield server


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
    await expect(person.log.get_by_role("article").first).to_be_visible()
    while await earlier.is_visible():
        before = await person.log.get_by_role("article").count()
        await earlier.click()
        await expect(person.log.get_by_role("article").nth(before)).to_be_attached()
        await expect(earlier).to_have_text("Earlier posts")


@asynccontextmanager
async def somebody(server: ChatServer, where: str) -> AsyncIterator[ChatClient]:
    async with ChatClient(server.ws_url) as client:
        await join(client, where)
        yield client


async def harmless(person: Person, server: ChatServer) -> list[str]:
    """The kinds of elements that the page makes of words that mean no harm: lobby, room, answer, warning, menu."""
    seen = {*await kinds(person.page)}
    await person.enter("Awake at night")
    answer = f"an answer {new_mark()}"
    async with somebody(server, "sleep") as ben:
        first = await ben.ask("post", room="sleep", text="good evening", warning="nothing bad")
        await ben.ask("post", room="sleep", text=answer, reply_to=first["offset"])
        await ben.ask("react", room="sleep", offset=first["offset"], reaction="hug", on=True)
        await person.sees(answer)
    await person.open_menu(answer)
    seen |= {*await kinds(person.page)}
    await person.page.keyboard.press("Escape")
    await person.go_back_to_lobby()
    return sorted(seen)


async def test_posts_warnings_answers_and_changes_are_words_to_somebody_else(
    site: ChatServer, sit_down: SitDown
) -> None:
    assert len(set(PAYLOADS)) >= 300
    ann = await sit_down(site.url)
    await ann.arrive()
    known = await harmless(ann, site)
    for where, title in (("written", "Written"), ("mended", "Mended")):
        async with somebody(site, where) as eve:
            start = [{"room": where, "text": text, "warning": text[:LENGTH].strip()} for text in PAYLOADS]
            if where == "mended":
                start = [{"room": where, "text": "good evening"} for _ in PAYLOADS]
            posted = await ask_all(eve, "post", start)
            offsets = [answer["ok"]["offset"] for answer in posted]
            if where == "mended":
                await ann.enter(title)
                changed = [
                    {"room": where, "offset": offset, "text": text, "warning": text[:LENGTH].strip()}
                    for offset, text in zip(offsets, PAYLOADS, strict=True)
                ]
                assert all("ok" in answer for answer in await ask_all(eve, "edit", changed))
            else:
                answers = [{"room": where, "text": f"to {offset}", "reply_to": offset} for offset in offsets]
                assert all("ok" in answer for answer in await ask_all(eve, "post", answers))
                await ann.enter(title)
            await to_the_beginning(ann)
        if where == "mended":
            await expect(ann.log.locator(".when").filter(has_text="changed")).to_have_count(len(PAYLOADS))
        await ann.page.locator(".veil button").evaluate_all("(all) => all.forEach((e) => e.click())")
        texts = [text for text in await shown(ann, "article .text") if not text.startswith("to ")]
        assert texts == [as_kept(payload) for payload in PAYLOADS]
        warnings = [text for text in await shown(ann, "article .warning") if text]
        assert warnings == [WARNING + as_kept(payload[:LENGTH]).replace("\n", " ").strip() for payload in PAYLOADS]
        if where == "written":
            quotes = [text.partition(": ")[2] for text in await shown(ann, "article .quote") if text]
            assert quotes == warnings
        await only_words(ann, known)
        await ann.go_back_to_lobby()
        await only_words(ann, known)


async def test_a_room_of_such_words_is_words_in_the_lobby_and_at_its_door(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    known = [*await harmless(ann, site), "h1", "p"]
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


async def test_names_of_such_words_are_refused_and_would_be_words(site: ChatServer, sit_down: SitDown) -> None:
    """No such name gets through; were one in the database, it would still be words."""
    async with somebody(site, "grief") as eve:
        for answer in await ask_all(eve, "rename", [{"name": payload} for payload in PAYLOADS]):
            # A name that was cleaned into one is no markup any more.
            assert answer.get("error", {"code": "name_refused"})["code"] == "name_refused"
            assert not set('<>"&/:;=()`${}\\') & set(answer.get("ok", {}).get("member", {}).get("name", ""))
            assert set(answer.get("error", {}).get("details", {"why": 1})) == {"why"}
        await ask_all(eve, "post", [{"room": "grief", "text": f"post {at}"} for at in range(len(PAYLOADS))])
    with sqlite3.connect(database(site), timeout=10) as db:
        db.executemany(
            "UPDATE log SET name = ? WHERE text = ?", [(name, f"post {at}") for at, name in enumerate(PAYLOADS)]
        )
    db.close()
    ann = await sit_down(site.url)
    await ann.arrive()
    known = await harmless(ann, site)
    await ann.enter("Missing someone")
    await to_the_beginning(ann)
    assert [*PAYLOADS] == (await shown(ann, "article .head b"))[-len(PAYLOADS) :]
    await only_words(ann, known)


async def test_what_is_typed_into_the_page_itself_stays_words(site: ChatServer, sit_down: SitDown) -> None:
    """Through the fields that a person fills: writing, its draft after a reload, name, and come-back code."""
    ann = await sit_down(site.url)
    ann.forgive(r"the server responded with a status of 4\d\d")
    await ann.arrive()
    known = [*await harmless(ann, site), "section", "h2", "output", "form", "input", "a", "fieldset", "legend"]
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
