"""The real `chatserver serve`, started as an operator starts it, on a port and a data directory of its own."""

from __future__ import annotations

import contextlib
import http
import http.client
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from chatserver.config import PREFIX, load, to_toml
from tests.kit import forks
from tests.kit.database import migrated_sqlite
from tests.kit.ports import HOST, free_port
from tests.kit.process import STOP_SECONDS, Process, wait_until

_ROOT = Path(__file__).resolve().parents[2]


class ChatServer:
    """One server with its workers. It keeps its port and its data through kills and restarts.

    `config` holds keys as in the TOML file: `{"limits": {"text_length": 100}}`. `clock` is how many seconds its wall
    clock is ahead.
    """

    def __init__(
        self,
        workers: int = 1,
        redis_url: str | None = None,
        database_url: str | None = None,
        config: Mapping[str, Any] | None = None,
        *,
        clock: float = 0.0,
        is_forked: bool = True,
        hashes_quickly: bool = True,
    ) -> None:
        """If it is not `is_forked`, or has a wrong clock, it is started without a fork, as an operator starts it."""
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="chat-server-"))
        self.workers = workers
        self._has_sqlite = database_url is None
        chosen = {"redis_url": redis_url, "database_url": database_url}
        values = {
            "host": HOST,
            "port": self.port,
            "workers": workers,
            "data_dir": str(self.directory / "data"),
            "log_format": "json",
            # All people in a test have one address, as in a large school.
            "shared_networks": ["127.0.0.0/8=1000"],
            # What the model raises comes some time after the post: a test that is not about it must not meet it.
            "screening": {"second_look": False},
            **{key: value for key, value in chosen.items() if value is not None},
            **(config or {}),
        }
        file = self.directory / "chatserver.toml"
        file.write_text(to_toml(values))
        environment = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        # A warning for which a test would fail must be visible in the log too.
        environment["PYTHONWARNINGS"] = "default"
        self._environment = environment
        command = _command(file, clock)
        self.process = Process(
            command,
            self.directory / "log",
            env=environment,
            cwd=_ROOT,
            is_forked=is_forked and clock == 0,
            hashes_quickly=hashes_quickly,
        )

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def redis_namespace(self) -> str:
        """Return the prefix of its names in Redis, once it has started."""
        return load(self.directory / "chatserver.toml").redis_namespace

    @property
    def ws_url(self) -> str:
        return f"ws://{HOST}:{self.port}/ws"

    def set_clock(self, seconds: float) -> None:
        """Set its wall clock ahead by so many seconds, from its next start on."""
        self.process.command = [str(part) for part in _command(self.directory / "chatserver.toml", seconds)]
        self.process.is_forked = False

    def start(self) -> Self:
        """Start (again, with the same data). Return once `/statusz` says that all is well and every worker is there."""
        kept = self.directory / "data" / "chat.db"
        if self.process.is_forked and self._has_sqlite and not kept.exists():
            migrated_sqlite(kept)
        self.process.start(lambda: self.is_ready() and len(self.worker_pids()) == self.workers)
        return self

    def stop(self, timeout: float = STOP_SECONDS + 10) -> int:
        """Ask it to drain and end, and return its exit code. Its data is kept for another `start`."""
        return self.process.stop(timeout)

    def close(self) -> None:
        """Kill it at once and delete its data."""
        self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, *arguments: str, said: str = "") -> str:
        """Return what `chatserver` prints when it is run on this machine with these arguments. Raises RuntimeError if
        it fails."""
        command: list[str | Path] = ["chatserver", *arguments, "--config", self.directory / "chatserver.toml"]
        done = forks.run(command, said, env=self._environment)
        if done.returncode:
            raise RuntimeError(f"chatserver {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def is_ready(self) -> bool:
        return self.get("/statusz") == http.HTTPStatus.OK

    def get(self, path: str) -> int | None:
        """Return the status of a GET, or None if nobody answers."""
        # Asked many times a second until a server has started: httpx would take five times as long.
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def worker_pids(self) -> list[int]:
        """Return the worker processes, oldest first."""
        if not self.process.is_running:
            return []
        if self.workers == 1:
            return [self.process.pid]
        found: list[tuple[float, int]] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children():
                with contextlib.suppress(psutil.NoSuchProcess):
                    if child.status() != psutil.STATUS_ZOMBIE and "resource_tracker" not in " ".join(child.cmdline()):
                        found.append((child.create_time(), child.pid))
        return [pid for _, pid in sorted(found)]

    def place_of_numbers(self) -> Path:
        """Return the directory with the workers' metrics."""
        files = [Path(file.path) for pid in self.worker_pids() for file in psutil.Process(pid).open_files()]
        return next(file.parent for file in files if file.parent.name.startswith("chatserver-metrics-"))

    def kill_worker(self, pid: int) -> None:
        """Kill one worker at once: its sockets break, and its supervisor starts another."""
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: pid not in self.worker_pids(), f"the end of worker {pid}")

    def freeze_worker(self, pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)

    def thaw_worker(self, pid: int) -> None:
        os.kill(pid, signal.SIGCONT)

    def wait_for_workers(self, timeout: float = STOP_SECONDS) -> list[int]:
        """Wait until all workers are there and the server is ready. Return their process ids."""
        wait_until(
            lambda: len(self.worker_pids()) == self.workers and self.is_ready(), f"{self.workers} workers", timeout
        )
        return self.worker_pids()

    def log(self) -> list[dict[str, Any]]:
        """Return what was logged, one object per line. Lines that are not JSON are under the key `text`."""
        lines: list[dict[str, Any]] = []
        for line in self.process.output().splitlines():
            try:
                value = json.loads(line)
            except ValueError:
                value = line
            lines.append(value if isinstance(value, dict) else {"text": line})
        return lines

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _command(file: Path, clock: float) -> list[str | Path]:
    program = ["chatserver"] if clock == 0 else ["tests.kit.skewed", str(clock)]
    return [sys.executable, "-m", *program, "serve", "--config", file]
