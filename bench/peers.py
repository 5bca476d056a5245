"""The peers: servers of other projects, which are fetched in locked versions into `.build/peers`.

Bun and the package ws for Node relay each message, as the naive loop does. Centrifugo keeps 300 posts a room, with
presence and recovery. `bench/peers` holds versions and checksums.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.frames import client_frame, upgrade
from bench.machine import Cores
from bench.markers import marker_of, read_marker, sender_of
from bench.measure import Maker
from bench.stream import Unfaithful
from bench.targets import Baseline, length_of_a_push, room_id
from tests.kit.ports import free_port

SOURCES: Final = Path(__file__).with_name("peers")
CACHE: Final = Path(__file__).resolve().parents[1] / ".build" / "peers"
_FETCH_SECONDS: Final = 1_800
_COMPLAINT: Final = 300


class Unavailable(Exception):
    """A peer is not available here. The message is the reason."""


class Locked(msgspec.Struct, frozen=True):
    """A Go module in one version. `sum` is its checksum in Go's checksum database."""

    module: str
    version: str
    sum: str

    @classmethod
    def read(cls) -> Locked:
        return msgspec.json.decode((SOURCES / "centrifugo.json").read_bytes(), type=cls)


class Peers(msgspec.Struct, frozen=True):
    """The available peers, and why the others are missing."""

    makers: dict[str, Maker]
    versions: dict[str, str]
    missing: dict[str, str]


def obtain(cores: Cores) -> Peers:
    """Fetch the peers that are not cached. A peer that is not available is listed with the reason."""
    found = Peers({}, {}, {})
    ways: Mapping[str, Callable[[Cores], tuple[Maker, str]]] = {"bun": _bun, "ws": _ws, "centrifugo": _centrifugo}
    for name, way in ways.items():
        try:
            found.makers[name], found.versions[name] = way(cores)
        except Unavailable as why:
            found.missing[name] = str(why)
    return found


# --------------------------------------------------------------------------------------------------- from npm


def _bun(cores: Cores) -> tuple[Maker, str]:
    modules = _npm_packages()
    binary = next((one for one in sorted(modules.glob("@oven/bun-*/bin/bun")) if _runs(one)), None)
    # The package's own script puts the binary there, unless npm does not run scripts.
    binary = binary or next((one for one in [modules / "bun" / "bin" / "bun.exe"] if _runs(one)), None)
    if binary is None:
        raise Unavailable("the package bun has no binary for this machine")
    return _relay(cores, "bun", [binary, SOURCES / "bun.js"]), f"Bun {_npm_version('bun')}"


def _ws(cores: Cores) -> tuple[Maker, str]:
    modules = _npm_packages()
    node = _program("node")
    # Node looks for a package beside the file that wants it.
    script = modules.parent / "node_ws.js"
    shutil.copyfile(SOURCES / "node_ws.js", script)
    runtime = _run([node, "--version"], CACHE).strip()
    return _relay(cores, "ws", [node, script]), f"ws {_npm_version('ws')} on Node {runtime}"


def _relay(cores: Cores, name: str, command: Sequence[str | Path]) -> Maker:
    return partial(Baseline, cores, name, command)


def _npm_packages() -> Path:
    """Return the folder `node_modules` with the locked packages. Raises Unavailable."""
    lock = SOURCES / "package-lock.json"
    folder = CACHE / f"npm-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    modules, done = folder / "node_modules", folder / ".done"
    if not done.exists():
        npm = _program("npm")
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(SOURCES / name, folder / name)
        _run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], folder)
        done.touch()
    return modules


def _npm_version(package: str) -> str:
    packages = json.loads((SOURCES / "package-lock.json").read_text())["packages"]
    return str(packages[f"node_modules/{package}"]["version"])


def _runs(binary: Path) -> bool:
    try:
        return subprocess.run([binary, "--version"], capture_output=True, check=False, timeout=60).returncode == 0
    except OSError:
        return False


# ---------------------------------------------------------------------------------------------------- from Go


def _centrifugo(cores: Cores) -> tuple[Maker, str]:
    locked = Locked.read()
    folder = CACHE / f"centrifugo-{locked.version}"
    binary = folder / "centrifugo"
    if not binary.exists():
        go = _program("go")
        folder.mkdir(parents=True, exist_ok=True)
        wanted = f"{locked.module}@{locked.version}"
        given = json.loads(_run([go, "mod", "download", "-json", wanted], folder))["Sum"]
        if given != locked.sum:
            raise Unavailable(f"{wanted} is not what was locked: {given}")
        _run([go, "install", wanted], folder, {"GOBIN": str(folder), "GOFLAGS": ""})
    return partial(Centrifugo, cores, binary), f"Centrifugo {locked.version}"


class CentrifugoDialect:
    """Centrifugo's JSON protocol: connect and subscribe, then publications, several of which may share a frame."""

    has_replies = has_offsets = joins_lines = True
    has_told = False
    reply = b'{"id":'

    def __init__(self, port: int, words: str) -> None:
        self.port = port
        self.words = words

    def upgrade(self, room: int) -> bytes:
        return upgrade("/connection/websocket", self.port)

    def steps(self, room: int, token: str | None, since: Mapping[str, Any] | None) -> Sequence[bytes]:
        subscribe = b'{"id":2,"subscribe":{"channel":"%b"}}' % room_id(room).encode()
        return [client_frame(b'{"id":1,"connect":{}}'), client_frame(subscribe)]

    def post(self, room: int, marker: str) -> bytes:
        return client_frame(
            b'{"id":%d,"publish":{"channel":"%b","data":{"text":"%b %b"}}}'
            % (_number(marker), room_id(room).encode(), marker.encode(), self.words.encode())
        )

    def read_push(self, payload: bytes) -> tuple[str, int] | None:
        push = _push.decode(payload).push
        if push.pub is None:
            raise Unfaithful(f"an unexpected push: {payload[:120]!r}")
        return push.pub.data.text, push.pub.offset

    def answers(self, reply: bytes, marker: str) -> bool:
        return bool(marker) and reply.startswith(b'{"id":%d,' % _number(marker))


def _number(marker: str) -> int:
    """Return the id of a post's command; ids 1 and 2 are those of connect and subscribe."""
    return read_marker(marker)[1] + 3


class _Data(msgspec.Struct):
    text: str


class _Publication(msgspec.Struct):
    data: _Data
    offset: int


class _Channel(msgspec.Struct):
    channel: str
    pub: _Publication | None = None


class _Message(msgspec.Struct):
    push: _Channel


_push: Final = msgspec.json.Decoder(_Message)

_EXAMPLE: Final = (
    f'{{"push":{{"channel":"bench-0","pub":{{"data":{{"text":"{marker_of(sender_of(0), 0)} "}},'
    '"info":{"user":"","client":"00000000-0000-0000-0000-000000000000"},"offset":1234}}}'
)


def centrifugo_words() -> str:
    """Return words with which a publication is as long as a push of ours."""
    return ("It helps to read this. " * 40)[: length_of_a_push() - len(_EXAMPLE)].strip()


class Centrifugo(Baseline):
    """One node with the memory engine."""

    def __init__(self, cores: Cores, binary: Path) -> None:
        port = free_port()
        super().__init__(
            cores,
            "centrifugo",
            [binary],
            dialect=CentrifugoDialect(port, centrifugo_words()),
            config=_configuration(port),
        )


def _configuration(port: int) -> str:
    return json.dumps(
        {
            "http_server": {"address": "127.0.0.1", "port": str(port)},
            "log": {"level": "error"},
            "engine": {"type": "memory"},
            "client": {"insecure": True, "concurrency": 0, "allowed_origins": ["*"]},
            "channel": {
                "without_namespace": {
                    "presence": True,
                    "history_size": 300,
                    "history_ttl": "1h",
                    "force_recovery": True,
                    "allow_publish_for_subscriber": True,
                    "allow_subscribe_for_client": True,
                    "allow_subscribe_for_anonymous": True,
                    "allow_publish_for_anonymous": True,
                }
            },
        }
    )


# ------------------------------------------------------------------------------------------------- programs


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Unavailable(f"there is no {name} on PATH")
    return found


def _run(command: Sequence[str | Path], folder: Path, more: Mapping[str, str] | None = None) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **(more or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_FETCH_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as trouble:
        raise Unavailable(f"{Path(command[0]).name} {command[1]}: {trouble}") from None
    if done.returncode != 0:
        raise Unavailable(f"{Path(command[0]).name} {command[1]} failed: {done.stderr.strip()[-_COMPLAINT:]}")
    return done.stdout
