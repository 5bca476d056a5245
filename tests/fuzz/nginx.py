"""nginx in front of a server, as `deploy/nginx.conf` has it: its time limits and sizes, without TLS and names."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

from tests.kit.in_front import ProxyInFront
from tests.kit.ports import HOST
from tests.kit.process import PartMissing

_DEPLOYED: Final = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
_ELSEWHERE: Final = re.compile(r"^\s*(listen|http2|ssl_\w+|error_log|server_name)\s.*;\n", re.MULTILINE)
_REDIRECT: Final = re.compile(r"^server \{\n    listen 80;.*?^\}\n", re.MULTILINE | re.DOTALL)


class Nginx(ProxyInFront):
    """One nginx of our own, in front of the server that listens on `upstream`."""

    def __init__(self, upstream: int) -> None:
        program = shutil.which("nginx")
        if program is None:
            raise PartMissing("there is no nginx on PATH")
        super().__init__("nginx")
        file = self._directory / "nginx.conf"
        file.write_text(_configuration(self._directory, upstream, self.port))
        self._prepare([program, "-p", self._directory, "-c", file, "-e", "stderr"])


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
