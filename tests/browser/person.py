"""A person at a browser: where they click, what they read, and everything that must not happen around them."""

from __future__ import annotations

import re
from typing import Any, Final, Self
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Dialog, Locator, Page, Request, Route, expect

PATIENCE_MS: Final = 15_000
"""What a test waits for something that should happen. The machines of CI are slow and shared."""
LOST_NETWORK: Final = re.compile(r"Failed to load resource: net::ERR_|WebSocket connection to .* failed")
"""What Chromium itself prints when a connection cannot be made."""

_HEAR_VIOLATIONS: Final = """
addEventListener("securitypolicyviolation", (e) =>
    console.error(`CSP: ${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`));
"""

expect.set_options(timeout=PATIENCE_MS)


class Person:
    """One browser context with its first page. `trouble` holds every console error, uncaught exception, dialog, policy
    violation and request to a stranger; it must be empty at the end but for what `forgive` names."""

    def __init__(self, context: BrowserContext, page: Page, url: str) -> None:
        self.context = context
        self.page = page
        self.url = url
        self.trouble: list[str] = []
        self.went_to: list[str] = []
        """Pages of other sites that were asked for. None of them is reached."""
        self._forgiven: list[re.Pattern[str]] = []
        self._may_leave = False

    @classmethod
    async def sit_down(cls, browser: Browser, url: str, **options: Any) -> Self:
        """Open a browser of their own: no cookies, no storage. Nothing is loaded yet."""
        context = await browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        await context.add_init_script(_HEAR_VIOLATIONS)
        person = cls(context, await context.new_page(), url)
        context.on("console", person._hear)
        context.on("weberror", lambda error: person.trouble.append(f"uncaught: {error.error}"))
        context.on("dialog", person._refuse)
        context.on("request", person._notice)
        return person

    # What may happen in this test

    def forgive(self, *patterns: str | re.Pattern[str]) -> None:
        """Console errors that belong to what the test does, such as a connection that it cut."""
        self._forgiven += [re.compile(pattern) for pattern in patterns]

    async def may_leave(self) -> None:
        """In this test the page may lead to another site, which is an empty page.

        Only now: while any route is set, every request goes through the test, and nothing is cached.
        """
        self._may_leave = True
        own = urlsplit(self.url).netloc
        await self.context.route(lambda asked: urlsplit(asked).netloc != own, self._stand_in)

    async def may_leave_no_more(self) -> None:
        """Take back `may_leave`."""
        self._may_leave = False
        await self.context.unroute_all(behavior="ignoreErrors")

    def unforgiven(self) -> list[str]:
        return [said for said in self.trouble if not any(pattern.search(said) for pattern in self._forgiven)]

    def begin_anew(self) -> None:
        """Forget the trouble so far, and forgive nothing any more."""
        self.trouble.clear()
        self.went_to.clear()
        self._forgiven.clear()

    # What they do

    async def arrive(self, path: str = "/") -> Self:
        """Load the page, and wait until the lobby shows a name and rooms: then the connection is open."""
        await self.page.goto(self.url + path)
        await self.sees_lobby()
        return self

    async def enter(self, room: str) -> Self:
        """From the lobby into a room, accepting its agreement where one is shown."""
        await self.card(room).click()
        accept = self.page.get_by_role("button", name="I agree, take me in")
        await expect(accept.or_(self.writing)).to_be_visible()
        if await accept.is_visible():
            await accept.click()
        await expect(self.writing).to_be_visible()
        return self

    async def go_back_to_lobby(self) -> None:
        await self.page.locator("#home").click()
        await self.sees_lobby()

    async def write(self, text: str) -> None:
        """Write and send. Says nothing about its arrival."""
        await self.writing.fill(text)
        await self.page.get_by_role("button", name="Send", exact=True).click()

    async def say(self, text: str) -> None:
        """Write, send, and wait until it stands among the room's posts for good."""
        await self.write(text)
        await self.sees(text)

    async def open_menu(self, post: str | Locator) -> Locator:
        """The panel with what one can do with a post, which is given or named by its text."""
        row = self.post(post) if isinstance(post, str) else post
        await row.get_by_role("button", name=re.compile("^React, answer and more")).click()
        menu = self.page.get_by_role("group", name=re.compile("^For the post of"))
        await expect(menu).to_be_visible()
        return menu

    async def open_own_corner(self) -> None:
        await self.page.get_by_role("button", name="Your name and privacy").click()
        await expect(self.page.get_by_role("heading", name="Your name and privacy", level=1)).to_be_visible()

    async def network_returns(self) -> None:
        """What a device tells its pages when it has a network again: they need not wait for their next try."""
        await self.page.evaluate("() => dispatchEvent(new Event('online'))")

    async def next_frames(self) -> None:
        """Wait for the next two frames: by then the browser has told the page of scrolling and of new sizes."""
        await self.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    async def keeps_no_more(self, text: str) -> None:
        """Wait until this browser's storage has nothing with this text in it."""
        await self.page.wait_for_function(
            "(text) => !JSON.stringify([{...localStorage}, {...sessionStorage}]).includes(text)", arg=text
        )

    # What they see

    @property
    def writing(self) -> Locator:
        return self.page.get_by_role("textbox", name=re.compile("^(Write to|Change your post)"))

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def link(self) -> Locator:
        """The line that tells about the connection."""
        return self.page.locator("#link")

    def card(self, room: str) -> Locator:
        return self.page.get_by_role("main").get_by_role("button", name=re.compile("^" + re.escape(room)))

    def post(self, text: str) -> Locator:
        """A post with this text, in any state. Answers that quote it are not meant."""
        own_words = self.page.locator(".text").filter(has_text=text)
        return self.log.get_by_role("article").filter(has=own_words)

    def waiting(self, text: str) -> Locator:
        """A post of one's own that is not known to be safe yet."""
        return self.post(text).and_(self.page.locator(".pending"))

    async def sees_lobby(self) -> None:
        await expect(self.page.get_by_role("heading", name="Hello. Come in.")).to_be_visible()
        await expect(self.page.get_by_role("button", name="Your name and privacy")).to_be_visible()
        await expect(self.page.get_by_role("main").get_by_role("listitem").first).to_be_visible()

    async def sees(self, text: str) -> Locator:
        """Wait until the post is there once, and as a fact."""
        post = self.post(text)
        await expect(post).to_have_count(1)
        await expect(self.waiting(text)).to_have_count(0)
        return post

    async def texts(self) -> list[str]:
        """The posts' texts, as they stand, oldest first."""
        return await self.log.locator("article .text").all_inner_texts()

    async def name(self) -> str:
        """Their own name, read in the lobby."""
        own = self.page.locator(".you-are b")
        await expect(own).not_to_be_empty()
        return await own.inner_text()

    async def kept(self) -> dict[str, str]:
        """What the page has in this browser's storage."""
        stores = await self.page.evaluate("() => ({...localStorage, ...sessionStorage})")
        return dict(stores)

    # What is noticed around them

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.trouble.append(f"console: {message.text}")

    async def _refuse(self, dialog: Dialog) -> None:
        self.trouble.append(f"dialog: {dialog.type} {dialog.message}")
        await dialog.dismiss()

    def _notice(self, request: Request) -> None:
        asked, own = urlsplit(request.url), urlsplit(self.url)
        if asked.scheme in {"data", "about", "blob"} or asked.netloc == own.netloc:
            return
        self.went_to.append(request.url)
        if not self._may_leave:
            self.trouble.append(f"request to a stranger: {request.url}")

    async def _stand_in(self, route: Route) -> None:
        if route.request.is_navigation_request():
            await route.fulfill(content_type="text/html", body="<!doctype html><title>elsewhere</title>elsewhere")
        else:
            await route.abort()
