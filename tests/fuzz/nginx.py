"""nginx in front of a server, as `deploy/nginx.conf` has it: its time limits and sizes, without TLS and names."""

from __future__ import annotations

import re
import shutil
import socket
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.kit.ports import HOST, free_port
from tests.kit.process import PartMissing, Process

_DEPLOYED: Final = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
_ELSEWHERE: Final = re.compile(r"^\s*(listen|http2|ssl_\w+|error_log|server_name)\s.*;\n", re.MULTILINE)
_REDIRECT: Final = re.compile(r"^server \{\n    listen 80;.*?^\}\n", re.MULTILINE | re.DOTALL)


class Nginx:
    """One nginx of our own, in front of the server that listens on `upstream`."""

    def __init__(self, upstream: int) -> None:
        program = shutil.which("nginx")
        if program is None:
            raise PartMissing("there is no nginx on PATH")
        self.port = free_port()
        self._directory = Path(tempfile.mkdtemp(prefix="chat-nginx-"))
        file = self._directory / "nginx.conf"
        file.write_text(_configuration(self._directory, upstream, self.port))
        command: list[str | Path] = [program, "-p", self._directory, "-c", file, "-e", "stderr"]
        self._process = Process(command, self._directory / "log")

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


def _configuration(directory: Path, upstream: int, port: int) -> str:
    deployed = _ELSEWHERE.sub("", _REDIRECT.sub("", _DEPLOYED.read_text("utf-8")))
    deployed = deployed.replace("127.0.0.1:8000", f"{HOST}:{upstream}")
    deployed = deployed.replace("server {\n", f"server {{\n    listen {HOST}:{port};\n", 1)
    places = "".join(
        f"{kind}_temp_path {directory}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off;\npid {directory}/pid;\nworker_rlimit_nofile 8192;\nevents {{ worker_connections 4096; }}\n"
        f"http {{\n{places}{deployed}}}\n"
    )
