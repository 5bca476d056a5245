"""People who stay at their browsers from one test of a file to the next."""

from __future__ import annotations

from typing import Final

from playwright.async_api import Browser, ViewportSize

from tests.browser.person import Person

_WINDOW: Final[ViewportSize] = {"width": 1280, "height": 720}


class Regulars:
    """One person for each name. Loading a page takes most of what a short test costs, so tests that need no newcomer
    share one: it is in the lobby at the beginning of each, with whatever the tests before wrote in the rooms.

    After a test that failed, or that closed the page, the next test gets somebody new.
    """

    def __init__(self, chromium: Browser) -> None:
        self._chromium = chromium
        self._people: dict[str, Person] = {}
        self._taking_part: set[str] = set()
        self._trouble: list[str] = []
        """Of those who were sent away in the middle of a test."""

    async def come(self, url: str, name: str = "ann", *, viewport: ViewportSize = _WINDOW) -> Person:
        """The person with this name in this file, in the lobby of the server at this address."""
        person = await self.sit(url, name, viewport=viewport)
        if person.page.url.startswith(url):
            await person.go_back_to_lobby()
            return person
        return await person.arrive()

    async def sit(self, url: str, name: str, *, viewport: ViewportSize = _WINDOW) -> Person:
        """The same, with the page as it was left, or with none yet."""
        self._taking_part.add(name)
        person = self._people.get(name)
        if person is not None and (person.url != url or person.page.is_closed()):
            self._trouble += person.unforgiven()
            await self._send_away(name)
            person = None
        if person is None:
            person = self._people[name] = await Person.sit_down(self._chromium, url, viewport=viewport)
        if person.page.viewport_size != viewport:
            await person.page.set_viewport_size(viewport)
        return person

    async def end_test(self, *, has_failed: bool) -> list[str]:
        """What happened in this test around those who took part and should not have; then they may go on."""
        here = {name: self._people[name] for name in self._taking_part if name in self._people}
        self._taking_part.clear()
        trouble = [*self._trouble, *(said for person in here.values() for said in person.unforgiven())]
        self._trouble.clear()
        for name, person in here.items():
            if has_failed or trouble:
                await self._send_away(name)
            else:
                person.begin_anew()
        return trouble

    async def close(self) -> None:
        for name in list(self._people):
            await self._send_away(name)

    async def _send_away(self, name: str) -> None:
        await self._people.pop(name).context.close()
