"""Measures the CPU time of single functions, each against a bound: `python -m bench.cpu_bounds`.

Seconds depend on the machine and on what else it does, so the test suite counts steps and lines of code instead, and
seconds are measured here. The command fails if a bound is exceeded.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from bench import screening
from chatserver import wordlists
from chatserver.domain.errors import Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening import commands as actions
from chatserver.domain.listening.decide import decide_and_apply_due
from chatserver.domain.listening.state import Wish
from chatserver.domain.people.names import clean_name, name_key, warm_up
from chatserver.domain.people.staff import Role
from chatserver.domain.rooms.splitting import plan
from chatserver.domain.text.contact_details import find_contacts
from chatserver.handlers.people.identity import new_member_id
from chatserver.handlers.people.staff import StaffAccounts
from chatserver.store.drivers.migrate import migrate
from chatserver.store.drivers.sqlite import SqliteStore
from tests.domain.costly import CONTACT_PARTS, CRISIS_TEXTS, crowd_with_haters, full_queue
from tests.domain.listening_kit import RULES

_ROUNDS: Final = 5
_SEARCH: Final = 5.0
"""Seconds for which a dear text is searched for."""
_RIGHT: Final = "a lamp in the window"
_WRONG: Final = "a lamp in the cellar"
_HOUR: Final = 3_600_000


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """CPU milliseconds, the least of some rounds, or a ratio of two such times. `least` and `most` are its bounds."""

    name: str
    value: float
    most: float
    least: float = 0.0

    @property
    def holds(self) -> bool:
        return self.least <= self.value <= self.most


def milliseconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(_ROUNDS):
        before = time.process_time()
        work()
        taken.append(time.process_time() - before)
    return min(taken) * 1000


def pure() -> Iterator[Bound]:
    """Measure functions of the domain."""
    stage = full_queue()
    ask = actions.Ask(name="", wish=Wish(), avoid=frozenset(), is_open=True)
    yield Bound(
        name="a command where 1,200 ask and 200 listen",
        value=milliseconds(lambda: decide_and_apply_due(stage.state, ask, MemberId("m_new"), stage.now, RULES)),
        most=5.0,
    )
    words = wordlists.load()
    for text in CRISIS_TEXTS:
        yield Bound(
            name=f"crisis words in 4,000 of {text[:9]!r}",
            value=milliseconds(partial(words.screen, text)),
            most=25.0,
        )
    for part in CONTACT_PARTS:
        text = (part * 2_000)[:2_000]
        yield Bound(
            name=f"contact details in 2,000 of {part!r}",
            value=milliseconds(partial(find_contacts, text)),
            most=25.0,
        )
    for row in screening.rows(_SEARCH):
        is_post = row.name == screening.NAME_OF_POST
        yield Bound(
            name=f"{'all' if is_post else 'the longest part'} of screening {row.name}",
            value=(row.least if is_post else row.least_hold) / 1000,
            most=0.05 if is_post else 0.5,
        )
    warm_up()
    staff = frozenset(name_key(f"Staff {first}{last}") for first in "abcdefghijklmnop" for last in "abcdefghijklmnop")
    for name in ("Quiet Heron 1", "Élodie Heron 22"):
        yield Bound(
            name=f"the name {name!r}",
            value=milliseconds(partial(clean_name, name, max_length=24, staff_keys=staff)),
            most=1.0,
        )
    people, apart = crowd_with_haters()
    yield Bound(
        name="a split of 240, where 20 hide everybody",
        value=milliseconds(lambda: plan(people, [], [], None, apart)),
        most=250.0,
    )


async def sign_ins() -> list[Bound]:
    """Measure whether a refused sign-in costs the same for every login."""
    with tempfile.TemporaryDirectory(prefix="chat-bench-") as folder:
        path = Path(folder) / "chat.db"
        await asyncio.to_thread(migrate, f"sqlite:///{path}")
        store = SqliteStore(path)
        await store.open()
        accounts = StaffAccounts(
            store,
            new_id=lambda: new_member_id(secrets.randbelow),
            now=lambda: Millis(time.time_ns() // 1_000_000),
            name_length=24,
            sign_in_age=12 * _HOUR,
            invitation_age=72 * _HOUR,
            device_key=b"d" * 32,
        )
        await accounts.add_operator("anna", "Anna", _RIGHT)
        link = await accounts.make_invitation([Role.LISTENER], None)
        ben = await accounts.accept_invitation(link.secret, "ben", "Ben", _RIGHT)
        await accounts.make_reset(ben.sign_in.staff.member)
        costs = {
            login: min([await _cost(accounts.sign_in(login, _WRONG)) for _ in range(_ROUNDS)])
            for login in ("anna", "nobody", "ben")
        }
        await store.close()
    return [
        Bound(name=f"a refused sign-in: {what}", value=costs[login] / costs["nobody"], least=0.8, most=1.25)
        for login, what in (("anna", "known / unknown"), ("ben", "waiting for a new password / unknown"))
    ]


async def _cost(asked: Awaitable[object]) -> float:
    before = time.process_time()
    try:
        await asked
    except Refusal:
        return time.process_time() - before
    raise AssertionError("it was not refused")


def main() -> None:
    bounds = [*pure(), *asyncio.run(sign_ins())]
    for bound in bounds:
        print(f"{bound.value:8.3f} (at most {bound.most:g}{'' if bound.holds else ': EXCEEDED'})  {bound.name}")
    sys.exit(0 if all(bound.holds for bound in bounds) else 1)


if __name__ == "__main__":
    main()
