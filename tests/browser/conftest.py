"""One browser for all, one server for each module, and as many people as a test wants."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.person import Person
from tests.browser.regulars import Regulars
from tests.browser.site import open_site
from tests.kit.browser import open_browser
from tests.kit.server import ChatServer

SitDown = Callable[..., Awaitable[Person]]
Stay = Callable[..., Awaitable[Person]]

_HERE = Path(__file__).parent
_HAS_FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.browser)
            # One browser serves every test, so all of them share its loop.
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        item.stash[_HAS_FAILED] = True
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(browser_program: Path) -> AsyncIterator[Browser]:
    async with open_browser(browser_program) as opened:
        yield opened


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    """One worker on embedded defaults, with the seeded rooms and those of `tests.browser.site`."""
    with open_site() as server:
        yield server


@contextlib.asynccontextmanager
async def sitting_down(chromium: Browser) -> AsyncIterator[SitDown]:
    """Somebody new at a browser: `await sit_down(server.url, color_scheme="dark")`. Fails at its end for any console
    error, uncaught exception, dialog, policy violation or request to a stranger."""
    people: list[Person] = []

    async def one(url: str, **options: Any) -> Person:
        person = await Person.sit_down(chromium, url, **options)
        people.append(person)
        return person

    yield one
    trouble = [said for person in people for said in person.unforgiven()]
    for person in people:
        await person.context.close()
    assert trouble == []


@pytest_asyncio.fixture(loop_scope="session")
async def sit_down(chromium: Browser) -> AsyncIterator[SitDown]:
    """`sitting_down` for one test."""
    async with sitting_down(chromium) as one:
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def people(chromium: Browser) -> AsyncIterator[Regulars]:
    regulars = Regulars(chromium)
    yield regulars
    await regulars.close()


@pytest_asyncio.fixture(loop_scope="session")
async def regulars(people: Regulars, request: pytest.FixtureRequest) -> AsyncIterator[Regulars]:
    """People who stay from one test of a file to the next. Fails at its end as `sit_down` does."""
    yield people
    assert await people.end_test(has_failed=request.node.stash.get(_HAS_FAILED, False)) == []


@pytest.fixture
def stay(regulars: Regulars) -> Stay:
    """Somebody of `regulars`, in the lobby: `await stay(server.url)`."""
    return regulars.come
