"""Autobahn's fuzzing client: what it takes to run it, and what it says about a server.

It is older than the Pythons here and needs a 2.7; `scripts/autobahn` finds one and installs it beside the project.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import msgspec

from tests.kit import web
from tests.kit.ports import HOST, free_port
from tests.kit.process import PartMissing, Process

ROOT: Final = Path(__file__).resolve().parents[2]
CASES: Final = ("1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*")
"""All but limits and speed (9.*) and compression (12.*, 13.*), which this server never agrees to."""
COUNT: Final = 247
GOOD: Final = frozenset({"OK", "NON-STRICT", "INFORMATIONAL"})
_INSTALL_SECONDS: Final = 280.0
_NO_PYTHON: Final = 3
_START: Final = "import site, sys; site.addsitedir(sys.argv.pop(1)); from autobahntestsuite.wstest import run; run()"


class NoPython2(RuntimeError):
    """There is no Python 2.7: the one part that may be missing under CI too, and is then skipped by name."""


class Verdict(msgspec.Struct, frozen=True, rename={"behavior_close": "behaviorClose", "close_code": "remoteCloseCode"}):
    """What was found in one case."""

    behavior: str
    behavior_close: str
    close_code: int | None
    duration: int
    """Milliseconds."""

    @property
    def is_good(self) -> bool:
        return self.behavior in GOOD and self.behavior_close in GOOD


@dataclass(frozen=True)
class Suite:
    """The installed suite."""

    python: str
    folder: str

    def run(
        self, url: str, cases: Sequence[str], directory: Path, *, slices: int, timeout: float
    ) -> dict[str, Verdict]:
        """Run the cases against a server, in so many clients at once: they wait more than they work. The verdicts by
        the name of their case."""
        ids = self._ids(cases)
        with ThreadPoolExecutor(slices) as pool:
            parts = [
                pool.submit(self._run_slice, url, ids[at::slices], directory / f"part-{at}", timeout)
                for at in range(min(slices, len(ids)))
            ]
        found = {name: verdict for part in parts for name, verdict in part.result().items()}
        return {name: found[name] for name in ids}

    def _ids(self, patterns: Sequence[str]) -> list[str]:
        code = (
            "import json, site, sys; site.addsitedir(sys.argv[1]); from autobahntestsuite import fuzzing as f; "
            "s = f.CaseSet(f.CaseSetname, f.CaseBasename, f.Cases, f.CaseCategories, f.CaseSubCategories); "
            "print(json.dumps(s.parseSpecCases({'cases': sys.argv[2:]})))"
        )
        listed = subprocess.run(
            [self.python, "-W", "ignore", "-c", code, self.folder, *patterns],
            capture_output=True,
            check=True,
            timeout=60,
        )
        ids: list[str] = json.loads(listed.stdout)
        return ids

    def _run_slice(self, url: str, ids: Sequence[str], directory: Path, timeout: float) -> dict[str, Verdict]:
        directory.mkdir(parents=True)
        spec = {
            "outdir": str(directory / "reports"),
            "servers": [{"agent": "chat", "url": url}],
            "cases": list(ids),
            "exclude-cases": [],
            "exclude-agent-cases": {},
        }
        file = directory / "spec.json"
        file.write_text(json.dumps(spec))
        command = [self.python, "-W", "ignore", "-c", _START, self.folder, "-m", "fuzzingclient", "-s", str(file)]
        client = Process(command, directory / "log", cwd=directory)
        client.start(lambda: True)
        code = client.wait(timeout)
        index = directory / "reports" / "index.json"
        if code != 0 or not index.exists():
            raise RuntimeError(f"the fuzzing client ended with {code}:\n{client.tail()}")
        return msgspec.json.decode(index.read_bytes(), type=dict[str, dict[str, Verdict]])["chat"]


def install() -> Suite:
    """The suite, installed if it is not yet. Raises PartMissing; NoPython2 where nothing could run it."""
    script = subprocess.run(
        ["/bin/sh", ROOT / "scripts" / "autobahn"],
        capture_output=True,
        text=True,
        check=False,
        timeout=_INSTALL_SECONDS,
        stdin=subprocess.DEVNULL,
    )
    if script.returncode == _NO_PYTHON:
        raise NoPython2("Autobahn's test suite runs on Python 2.7, and none is here")
    if script.returncode != 0:
        raise PartMissing(script.stderr.strip())
    python, folder = script.stdout.splitlines()
    return Suite(python, folder)


@contextlib.contextmanager
def echoing(directory: Path, *options: str, largest: int = 1024 * 1024) -> Iterator[str]:
    """An echo server of our own; where it listens, as `ws://host:port`."""
    port = free_port()
    command = [sys.executable, "-m", "tests.autobahn.echo", str(port), str(largest), *options]
    environment = {**os.environ, "CHATSERVER_DATA_DIR": str(directory / "data")}
    server = Process(command, directory / "echo.log", cwd=ROOT, env=environment)

    def answers() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return web.get(f"http://{HOST}:{port}/", timeout=5).status_code == httpx.codes.NO_CONTENT
        return False

    server.start(answers)
    try:
        yield f"ws://{HOST}:{port}"
    finally:
        server.stop()
