"""Caddy in front of a server, configured by `deploy/Caddyfile`, without TLS."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from tests.kit.in_front import ProxyInFront
from tests.kit.ports import HOST
from tests.kit.process import PartMissing

DEPLOY: Final = Path(__file__).resolve().parents[2] / "deploy"
PROGRAMS: Final = ("caddy", "caddy-2.6")
"""The newest Caddy, from a wheel or on PATH, and Caddy 2.6 if it is on PATH under this name."""


def find_caddy(program: str = "caddy") -> Path:
    """Return the program's path. Raises PartMissing."""
    found = shutil.which(program, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if found is None:
        raise PartMissing(f"there is no {program} on PATH")
    return Path(found)


class Caddy(ProxyInFront):
    """A Caddy in front of the server that listens on `upstream`."""

    def __init__(self, upstream: int, program: str = "caddy") -> None:
        command: list[str | Path] = [find_caddy(program), "run", "--adapter", "caddyfile", "--config"]
        super().__init__("caddy")
        file = self._directory / "Caddyfile"
        # Its admin endpoint would listen on a port that all Caddies share.
        file.write_text("{\n\tadmin off\n" + (DEPLOY / "Caddyfile").read_text("utf-8").partition("\n{\n")[2], "utf-8")
        if program == "caddy":
            shutil.copy(DEPLOY / "caddy-2.7.conf", self._directory)
        environment = {
            **os.environ,
            "CHAT_HOST": f"http://{HOST}:{self.port}",
            "CHAT_UPSTREAM": f"{HOST}:{upstream}",
            "HOME": str(self._directory),
            "XDG_DATA_HOME": str(self._directory),
            "XDG_CONFIG_HOME": str(self._directory),
        }
        self._prepare([*command, file], environment)
