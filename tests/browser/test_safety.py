"""Words stay words: whatever is written anywhere is shown as text, and nothing runs or calls out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import SitDown
from tests.browser.house import database, join, open_house, room, texts_in
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

_STRANGER: Final = "https://stranger.invalid/x"
PAYLOADS: Final = (
    "<script>window.ran=1</script>",
    "<SCRIPT SRC=https://stranger.invalid/x.js></SCRIPT>",
    "<img src=x onerror=window.ran=1>",
    "<img src=https://stranger.invalid/x.png>",
    "<svg onload=window.ran=1>",
    "<svg><script>window.ran=1</script></svg>",
    "<svg><animate onbegin=window.ran=1 attributeName=x dur=1s>",
    "<iframe src=javascript:window.ran=1></iframe>",
    "<iframe srcdoc='<script>parent.ran=1</script>'></iframe>",
    "<object data=https://stranger.invalid/x></object>",
    "<embed src=https://stranger.invalid/x>",
    "<link rel=stylesheet href=https://stranger.invalid/x.css>",
    "<style>@import 'https://stranger.invalid/x.css';</style>",
    "<style>*{background:url(https://stranger.invalid/x)}</style>",
    "<meta http-equiv=refresh content='0;url=https://stranger.invalid/x'>",
    "<base href=https://stranger.invalid/>",
    "<form action=https://stranger.invalid/x><button>send</button></form>",
    "<body onload=window.ran=1>",
    "<details open ontoggle=window.ran=1>",
    "<video><source onerror=window.ran=1></video>",
    "<audio src=x onerror=window.ran=1>",
    "<input autofocus onfocus=window.ran=1>",
    "<marquee onstart=window.ran=1>",
    "<a href=javascript:window.ran=1>touch me</a>",
    "<math><mtext><script>window.ran=1</script></mtext></math>",
    "<template><script>window.ran=1</script></template>",
    "</textarea><script>window.ran=1</script>",
    "</title><script>window.ran=1</script>",
    "--><script>window.ran=1</script><!--",
    "]]><script>window.ran=1</script>",
    '"><script>window.ran=1</script>',
    "' onmouseover='window.ran=1",
    '" autofocus onfocus="window.ran=1',
    "`-window.ran=1-`",
    "${window.ran=1}",
    "{{constructor.constructor('window.ran=1')()}}",
    "javascript:window.ran=1//",
    "data:text/html,<script>opener.ran=1</script>",
    "&lt;script&gt;window.ran=1&lt;/script&gt;",
    "&#60;img src=x onerror=window.ran=1&#62;",
    "\\u003cscript\\u003ewindow.ran=1\\u003c/script\\u003e",
    "<noscript><p title='</noscript><img src=x onerror=window.ran=1>'>",
    "https://stranger.invalid/x",
    "![x](https://stranger.invalid/x.png)",
)
HOSTILE: Final = "<img src=x onerror=window.ran=1><script>window.ran=1</script>"
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
def house() -> Iterator[ChatServer]:
    with open_house(ROOMS) as server:
        yield server


async def expect_only_words(page: Page) -> None:
    """Nothing ran, and no text became an element."""
    assert await page.evaluate("() => window.ran") is None
    foreign = "script, style, iframe, object, embed, link, img, video, audio, [onerror], [onload], [onfocus]"
    assert await page.locator("#screen").locator(foreign).count() == 0
    assert await page.locator("a[href^='javascript:'], base, meta[http-equiv], [autofocus]").count() == 0


async def test_what_others_write_is_shown_as_it_was_written(house: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(house.url)
    await ann.arrive()
    await ann.enter("Awake at night")
    async with ChatClient(house.ws_url) as eve:
        await join(eve, "sleep")
        for payload in PAYLOADS:
            await eve.ask("post", room="sleep", text=payload, warning=payload[:80])
        answered = await eve.ask("post", room="sleep", text="an answer", reply_to=1)
        await eve.ask("edit", room="sleep", offset=answered["offset"], text=HOSTILE, warning=HOSTILE[:80])
        await expect(ann.log.get_by_role("article")).to_have_count(len(PAYLOADS) + 1)
    await ann.page.get_by_role("button", name="Show it").evaluate_all("(all) => all.forEach((e) => e.click())")
    await expect(ann.page.get_by_role("button", name="Hide it again")).to_have_count(len(PAYLOADS) + 1)
    texts = await ann.log.locator("article .text").evaluate_all("(all) => all.map((e) => e.textContent)")
    assert texts == [*PAYLOADS, HOSTILE]
    warnings = await ann.log.locator("article .warning").evaluate_all("(all) => all.map((e) => e.textContent)")
    assert warnings == [f"May be hard to read: {text[:80]}" for text in (*PAYLOADS, HOSTILE)]
    await expect_only_words(ann.page)
    await ann.page.reload()
    await ann.enter("Awake at night")
    await expect(ann.log.get_by_role("article")).to_have_count(len(PAYLOADS) + 1)
    await expect_only_words(ann.page)


async def test_what_one_writes_oneself_is_shown_as_it_was_written(house: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(house.url)
    await ann.arrive()
    await ann.enter("Worry and panic")
    for payload in PAYLOADS:
        await ann.writing.fill(payload)
        await ann.writing.press("Enter")
    await expect(ann.log.get_by_role("article")).to_have_count(len(PAYLOADS))
    await expect(ann.log.locator(".pending")).to_have_count(0)
    texts = await ann.log.locator("article .text").evaluate_all("(all) => all.map((e) => e.textContent)")
    assert texts == list(PAYLOADS) == await texts_in(house, "anxiety")
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


async def test_the_name_and_code_fields_run_nothing(house: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(house.url)
    ann.forgive(r"the server responded with a status of 4\d\d")
    await ann.arrive()
    before = await ann.name()
    await ann.open_own_corner()
    name, code = ann.page.get_by_label("Name", exact=True), ann.page.get_by_label("Come-back code")
    alerts = ann.page.get_by_role("alert")
    for payload in (PAYLOADS[0], PAYLOADS[2], PAYLOADS[31], PAYLOADS[36]):
        await name.fill(payload)
        await name.press("Enter")
        await expect(alerts.filter(has_text="This name can't be used here.")).to_be_visible()
        await code.fill(payload)
        await code.press("Enter")
        await expect(alerts.filter(has_text="We don't know this code.")).to_be_visible()
    await expect_only_words(ann.page)
    await ann.go_back_to_lobby()
    assert await ann.name() == before


async def test_a_room_with_hostile_words_is_only_words(house: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(house.url)
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


async def test_a_hostile_name_that_got_in_somehow_is_only_words(house: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(house.url)
    await ann.arrive()
    async with ChatClient(house.ws_url) as eve:
        for payload in PAYLOADS:
            answer = await eve.exchange("rename", name=payload)
            assert answer["error"]["code"] == "name_refused" if "error" in answer else "<" not in str(answer)
        await join(eve, "grief")
        await eve.ask("post", room="grief", text="who am i")
    with sqlite3.connect(database(house), timeout=10) as connection:
        connection.execute("UPDATE log SET name = ? WHERE text = 'who am i'", [HOSTILE])
    connection.close()
    await ann.enter("Missing someone")
    await expect(ann.post("who am i")).to_contain_text(HOSTILE)
    menu = await ann.open_menu("who am i")
    await expect(menu.get_by_role("button", name=f"Hide {HOSTILE}")).to_be_visible()
    await menu.get_by_role("button", name="Answer this").click()
    await expect(ann.page.get_by_text(f"Answering {HOSTILE}")).to_be_visible()
    await expect_only_words(ann.page)


async def test_the_page_is_held_by_a_strict_policy(house: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(house.url)
    answer = await ann.page.goto(house.url)
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


async def test_what_the_page_sets_cannot_be_read_by_scripts(house: ChatServer, sit_down: SitDown) -> None:
    ann = await sit_down(house.url)
    await ann.arrive()
    cookies = await ann.context.cookies()
    assert cookies
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Strict" for cookie in cookies)
    assert await ann.page.evaluate("() => document.cookie") == ""
