"""Words stay words: whatever is written anywhere is shown as text, and nothing runs or calls out.

`test_payloads.py` brings hundreds of them before somebody else's eyes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.async_api import Page, Request, expect

from tests.browser.conftest import SitDown
from tests.browser.payloads import OTHERS as PAYLOADS
from tests.browser.payloads import as_kept
from tests.browser.site import database, join, open_site, room, texts_in
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

_STRANGER: Final = "https://stranger.invalid/x"
HOSTILE: Final = "<img src=x onerror=window.ran=1><script>window.ran=1</script>"
TYPE_AND_SEND: Final = """(area, texts) => {
    for (const text of texts) {
        area.value = text;
        area.dispatchEvent(new Event("input", {bubbles: true}));
        area.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true}));
    }
}"""
"""What `fill` and Enter make the page hear, for many texts at once."""
ROOMS: Final = [
    room(
        "hostile",
        f"Hostile {HOSTILE}",
        about=f"about {HOSTILE}",
        topic=f"topic {HOSTILE}",
        welcome=f"welcome {HOSTILE}",
        agreement=f"agreement {HOSTILE}",
    )
]


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    # New guests cannot send links into rooms, and links are what much of this is made of.
    with open_site(ROOMS, looks_for_contacts=False) as server:
        yield server


async def expect_only_words(page: Page) -> None:
    """Nothing ran, and no text became an element."""
    assert await page.evaluate("() => window.ran") is None
    foreign = "script, style, iframe, object, embed, link, img, video, audio, [onerror], [onload], [onfocus]"
    assert await page.locator("#screen").locator(foreign).count() == 0
    assert await page.locator("a[href^='javascript:'], base, meta[http-equiv], [autofocus]").count() == 0


async def test_what_one_writes_oneself_is_shown_as_it_was_written(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    await ann.enter("Worry and panic")
    first, *others = PAYLOADS
    await ann.writing.fill(first)
    await ann.writing.press("Enter")
    await ann.writing.evaluate(TYPE_AND_SEND, others)
    await expect(ann.log.locator("article")).to_have_count(len(PAYLOADS))
    await expect(ann.log.locator(".pending")).to_have_count(0)
    texts = await ann.log.locator("article .text").evaluate_all("(all) => all.map((e) => e.textContent)")
    assert texts == [as_kept(payload) for payload in PAYLOADS] == await texts_in(site, "anxiety")
    posts = ann.log.get_by_role("article")
    menu = await ann.open_menu(posts.first)
    await menu.get_by_role("button", name="Answer this").click()
    await ann.page.get_by_label("This may be hard to read").check()
    await ann.page.get_by_label("What is it about? Others see this first.").fill(PAYLOADS[2])
    await ann.write(PAYLOADS[3])
    await expect(ann.log.locator(".warning")).to_have_count(len(PAYLOADS) + 1)
    menu = await ann.open_menu(posts.nth(-2))
    await menu.get_by_role("button", name="Change it").click()
    await ann.writing.fill(HOSTILE)
    await ann.page.get_by_role("button", name="Save the change").click()
    await expect(posts.nth(-2)).to_contain_text(HOSTILE)
    await expect_only_words(ann.page)


async def test_a_room_with_hostile_words_is_only_words(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    await expect(ann.card("Hostile")).to_contain_text(f"about {HOSTILE}")
    await ann.card("Hostile").click()
    await expect(ann.page.get_by_text(f"agreement {HOSTILE}")).to_be_visible()
    await expect_only_words(ann.page)
    await ann.page.get_by_role("button", name="I agree, take me in").click()
    await expect(ann.page.get_by_role("heading", name=f"Hostile {HOSTILE}")).to_be_visible()
    await expect(ann.page.get_by_text(f"welcome {HOSTILE}")).to_be_visible()
    await expect(ann.page.get_by_text(f"topic {HOSTILE}")).to_be_visible()
    await expect_only_words(ann.page)


async def test_a_hostile_name_that_got_in_somehow_is_only_words(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    async with ChatClient(site.ws_url) as eve:
        for payload in PAYLOADS:
            answer = await eve.exchange("rename", name=payload)
            assert answer["error"]["code"] == "name_refused" if "error" in answer else "<" not in str(answer)
        await join(eve, "grief")
        await eve.ask("post", room="grief", text="who am i")
    with sqlite3.connect(database(site), timeout=10) as connection:
        connection.execute("UPDATE log SET name = ? WHERE text = 'who am i'", [HOSTILE])
    connection.close()
    await ann.enter("Missing someone")
    await expect(ann.post("who am i")).to_contain_text(HOSTILE)
    menu = await ann.open_menu("who am i")
    await expect(menu.get_by_role("button", name=f"Hide {HOSTILE}")).to_be_visible()
    await menu.get_by_role("button", name="Answer this").click()
    await expect(ann.page.get_by_text(f"Answering {HOSTILE}")).to_be_visible()
    await expect_only_words(ann.page)


async def test_the_page_is_held_by_a_strict_policy(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    answer = await ann.page.goto(site.url)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    for part in (
        "default-src 'none'",
        "script-src 'self'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ):
        assert part in policy
    assert "unsafe" not in policy
    # What the policy forbids is forbidden in this browser, and was heard by the test.
    refused = await ann.page.evaluate(
        "() => { try { document.body.innerHTML = '<b>x</b>'; return false; } catch { return true; } }"
    )
    assert refused
    with_image = "(url) => new Promise((done) => { const i = new Image(); i.onerror = () => done(true); i.src = url; })"
    assert await ann.page.evaluate(with_image, _STRANGER)
    assert any("require-trusted-types-for" in said for said in ann.trouble)
    assert any("img-src" in said for said in ann.trouble)
    ann.forgive("CSP: ", "Content Security Policy", "TrustedHTML", "stranger.invalid")


async def test_what_the_page_sets_cannot_be_read_by_scripts(site: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(site.url)
    await ann.arrive()
    cookies = await ann.context.cookies()
    assert cookies
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Strict" for cookie in cookies)
    assert await ann.page.evaluate("() => document.cookie") == ""


async def test_the_token_is_in_no_address_and_nothing_tells_where_somebody_came_from(
    site: ChatServer, sit_down: SitDown
) -> None:
    ann = await sit_down(site.url)
    await ann.may_leave()
    asked: list[Request] = []
    sockets: list[str] = []

    def note(request: Request) -> None:
        asked.append(request)

    ann.context.on("request", note)
    ann.page.on("websocket", lambda socket: sockets.append(socket.url))
    await ann.arrive()
    await ann.enter("Awake at night")
    await ann.say("good night")
    await ann.go_back_to_lobby()
    await ann.open_own_corner()
    await ann.page.get_by_role("button", name="Make a come-back code").click()
    await expect(ann.page.locator("output.code")).not_to_be_empty()
    code = await ann.page.locator("output.code").inner_text()
    async with ann.page.expect_download() as download:
        await ann.page.get_by_role("link", name="Save a copy of it all").click()
    export = (await (await download.value).path()).read_text()
    secrets = [cookie.get("value", "") for cookie in await ann.context.cookies()]
    kept = str(await ann.kept()) + await ann.page.evaluate("() => document.referrer + location.href + document.title")
    await ann.page.get_by_role("link", name="Leave now").click()
    await ann.page.wait_for_url("https://www.wikipedia.org/")
    assert secrets
    assert sockets == [site.ws_url]
    assert (await download.value).url == f"{site.url}/api/identity/export"
    assert {request.url for request in asked} >= {f"{site.url}/", f"{site.url}/api/identity"}
    for request in asked:
        headers = await request.all_headers()
        assert "referer" not in headers, request.url
        # Only the cookie carries it, and only to its own server.
        told = request.url + str({name: value for name, value in headers.items() if name != "cookie"})
        assert ("cookie" in headers) <= request.url.startswith(site.url)
        assert not any(secret in told for secret in [*secrets, code])
    assert await ann.page.evaluate("() => document.referrer") == ""
    for where in (kept, export, site.process.output()):
        assert not any(secret in where for secret in [*secrets, code])
