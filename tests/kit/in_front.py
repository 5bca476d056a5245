"""A reverse proxy in front of a server, with a temporary directory of its own."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.kit.ports import HOST, free_port
from tests.kit.process import Process


class ProxyInFront:
    """A proxy that is started by `with`. The class of a proxy writes its configuration and then calls `_prepare`."""

    def __init__(self, name: str) -> None:
        self.port = free_port()
        self._directory = Path(tempfile.mkdtemp(prefix=f"chat-{name}-"))
        self._process: Process

    def _prepare(self, command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        self._process = Process(command, self._directory / "log", env=env)

    def __enter__(self) -> Self:
        self._process.start(self._listens)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0
