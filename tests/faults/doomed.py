"""A server that ends itself with SIGKILL at exact points of its commits, and begins again at once. For tests only.

python -m tests.faults.doomed CONFIG POINTS DEATHS

POINTS is a file with a JSON list of `Point`s: each life of the server dies at the next of them, and writes before that
the point's name to the file DEATHS. The life after the last point is like any other server's. This process holds the
listening socket and forks a life after the other, so that between two of them nobody is refused and little time passes.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

import asyncpg
import msgspec

import chatserver.server
from chatserver.config import Settings, hand_over, load
from chatserver.delivery.hub import Hub
from chatserver.domain.people.names import warm_up
from chatserver.domain.rooms.rooms import Publication
from chatserver.serving import listen, run_alone
from chatserver.store.core.compiler import Call, Row, Statement
from chatserver.store.core.sealing import Sealer
from chatserver.store.drivers import postgres, postgres_connection, sqlite, sqlite_connection
from chatserver.store.drivers.migrate import migrate
from chatserver.store.records import RoomChange

Execute = Callable[..., sqlite3.Cursor]

DURING: Final = "during COMMIT"
ANSWERED: Final = "answer given to the socket"
WRITTEN: Final = "answer on the wire, nothing announced"
ANNOUNCED: Final = "announced"

_AFTER_THE_ANSWER: Final = 0.003
"""Seconds in which the loop has certainly written what was given to it."""
_NAMES: Final = {
    value: name
    for module in pkgutil.iter_modules(chatserver.store.__path__)
    if module.name.endswith("statements")
    for name, value in vars(importlib.import_module(f"chatserver.store.{module.name}")).items()
    if isinstance(value, Statement)
}


class Point(msgspec.Struct, frozen=True):
    """Die at the `passing`-th time that a commit comes by here. `delay`, in seconds, is for DURING."""

    name: str
    passing: int = 1
    delay: float = 0.0


class Doom:
    """Watches the commits of this process for the point at which it is to die."""

    def __init__(self, point: Point, deaths: Path) -> None:
        self._point = point
        self._deaths = deaths
        self._left = point.passing

    def is_here(self, name: str) -> bool:
        """Whether a commit came by the point often enough."""
        if name != self._point.name:
            return False
        self._left -= 1
        return self._left == 0

    def pass_by(self, name: str) -> None:
        if self.is_here(name):
            self.strike()

    def strike(self) -> None:
        with self._deaths.open("a") as file:
            file.write(self._point.name + "\n")
        os.kill(os.getpid(), signal.SIGKILL)

    def commits_now(self) -> None:
        """The COMMIT is about to be asked for. It releases the interpreter, or waits for the network."""
        self.pass_by("before COMMIT")
        if self.is_here(DURING):
            threading.Thread(target=self._strike_soon, daemon=True).start()

    def _strike_soon(self) -> None:
        time.sleep(self._point.delay)
        self.strike()


_is_commit: ContextVar[bool] = ContextVar("_is_commit", default=False)
"""Whether the transaction of this thread or task is one of members' commands."""


def arm(doom: Doom) -> None:
    """Wrap what a commit passes through: the drivers' statements, their BEGIN and COMMIT, and the announcement."""
    _arm_sqlite(doom)
    _arm_postgres(doom)
    announce = Hub.announce

    def announce_or_die(hub: Hub, publications: Sequence[Publication]) -> None:
        doom.pass_by(ANSWERED)
        if doom.is_here(WRITTEN):
            asyncio.get_running_loop().call_later(_AFTER_THE_ANSWER, doom.strike)
            return
        announce(hub, publications)
        doom.pass_by(ANNOUNCED)

    _put(Hub, "announce", announce_or_die)


def _arm_sqlite(doom: Doom) -> None:
    attempt, execute = sqlite._attempt, sqlite_connection._execute

    def attempt_knowing(
        connection: sqlite_connection.SqliteConnection, jobs: Sequence[Any], begin: str, sealer: Sealer
    ) -> Sequence[object]:
        token = _is_commit.set(any(isinstance(job.work, RoomChange) for job in jobs))
        try:
            return attempt(connection, jobs, begin, sealer)
        finally:
            _is_commit.reset(token)

    def execute_or_die(
        call: Call, one: Callable[..., sqlite3.Cursor], many: Callable[..., sqlite3.Cursor]
    ) -> list[Row]:
        if not _is_commit.get():
            return execute(call, one, many)
        name = _NAMES[call.statement]
        doom.pass_by(f"before {name}")
        rows = execute(call, one, many)
        doom.pass_by(f"after {name}")
        return rows

    class Doomed(sqlite3.Connection):
        def execute(self, text: str, *parameters: Any) -> sqlite3.Cursor:
            name = text.partition(" ")[0]
            if not _is_commit.get() or name not in ("BEGIN", "COMMIT"):
                return super().execute(text, *parameters)
            if name == "COMMIT":
                doom.commits_now()
            else:
                doom.pass_by("before BEGIN")
            cursor = super().execute(text, *parameters)
            doom.pass_by(f"after {name}")
            return cursor

    _put(sqlite, "_attempt", attempt_knowing)
    _put(sqlite_connection, "_execute", execute_or_die)
    _put(sqlite3, "connect", partial(sqlite3.connect, factory=Doomed))


def _arm_postgres(doom: Doom) -> None:
    attempt, execute = postgres.PostgresStore._attempt, postgres_connection._execute

    async def attempt_knowing(store: Any, own: Any, jobs: Sequence[Any]) -> Sequence[object]:
        token = _is_commit.set(True)
        try:
            return await attempt(store, own, jobs)
        finally:
            _is_commit.reset(token)

    async def execute_or_die(db: asyncpg.Connection, call: Call) -> list[Row]:
        if not _is_commit.get():
            return await execute(db, call)
        name = _NAMES[call.statement]
        doom.pass_by(f"before {name}")
        rows = await execute(db, call)
        doom.pass_by(f"after {name}")
        return rows

    class Doomed(asyncpg.Connection):
        async def execute(self, query: str, *parameters: Any, timeout: float | None = None) -> str:
            if not _is_commit.get() or query not in ("BEGIN", "COMMIT"):
                return await super().execute(query, *parameters, timeout=timeout)
            if query == "COMMIT":
                doom.commits_now()
            else:
                doom.pass_by("before BEGIN")
            status = await super().execute(query, *parameters, timeout=timeout)
            doom.pass_by(f"after {query}")
            return status

    _put(postgres.PostgresStore, "_attempt", attempt_knowing)
    _put(postgres_connection, "_execute", execute_or_die)
    _put(asyncpg, "connect", partial(asyncpg.connect, connection_class=Doomed))


def _put(owner: object, name: str, wrapper: object) -> None:
    """In the place of what it wraps, for the rest of this process."""
    setattr(owner, name, wrapper)


# ------------------------------------------------------------------------------------------------------- lives


def main(config: Path, points: list[Point], deaths: Path) -> int:
    """Live once for each point and once more. The exit code: 0 where the last life ended as it was told to."""
    settings = load(config)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.master_secret()
    _in_a_fork(lambda: migrate(settings.database_url))
    os.environ.update(hand_over(settings))
    # What every life would do again.
    warm_up()
    told = _Told()
    with listen(settings.host, settings.port) as sock:
        for point in (*points, None):
            code = told.watch(partial(_live, settings, sock, point, deaths))
            if point is None or told.to_end:
                return code
            if code != -signal.SIGKILL:
                sys.stderr.write(f"a life that should have died at {point} ended with {code}\n")
                return 1
    raise AssertionError


class _Told:
    """Hands SIGTERM on to the life of the moment."""

    def __init__(self) -> None:
        self.to_end = False
        self._child = 0
        signal.signal(signal.SIGTERM, self._end)

    def watch(self, live: Callable[[], object]) -> int:
        self._child = _fork(live)
        if self.to_end:
            os.kill(self._child, signal.SIGTERM)
        return _wait(self._child)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.to_end = True
        if self._child:
            os.kill(self._child, signal.SIGTERM)


def _live(settings: Settings, sock: socket.socket, point: Point | None, deaths: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if point is not None:
        arm(Doom(point, deaths))
    run_alone(settings, sock, lambda: None)


def _in_a_fork(work: Callable[[], object]) -> None:
    """Do what may leave threads behind, with which this process could not fork."""
    if _wait(_fork(work)) != 0:
        sys.exit(1)


def _fork(work: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int) -> int:
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    _, config_file, points_file, deaths_file = sys.argv
    plan = msgspec.json.decode(Path(points_file).read_bytes(), type=list[Point])
    sys.exit(main(Path(config_file), plan, Path(deaths_file)))
