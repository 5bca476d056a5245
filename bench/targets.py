"""The servers that are measured, and how to speak to each: ours, the relay (the limit), and the naive loop."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

import uvloop

from bench.frames import client_frame, upgrade
from bench.machine import Cores, family, on_cores
from chatserver.domain.history import ChannelName, Epoch, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.protocol.codec import Encoding, encode_frame
from chatserver.protocol.rooms.messages import PostedPush, PostView
from chatserver.store.drivers.migrate import migrate
from chatserver.store.drivers.sqlite import SqliteStore
from tests.kit import web
from tests.kit.ports import free_port, is_free
from tests.kit.process import Process
from tests.kit.server import ChatServer

LONG: Final = 19
"""How many times the words are repeated in a long post, which is close to the longest allowed."""
WORDS: Final = "I have been awake since three again, and it helps to read that I am not the only one. Thank you all."
ENOUGH: Final = 1_000_000
"""A limit that no scenario reaches: all load comes from one address, and a few senders write for a whole room."""
RAISED: Final[Mapping[str, float]] = {
    "connections_per_address": ENOUGH,
    "guests_per_address_per_hour": ENOUGH,
    "guest_burst_per_address": ENOUGH,
    "rooms_per_member": ENOUGH,
    "tcp_per_address": ENOUGH,
    "calls_per_address_per_second": ENOUGH,
    "call_burst_per_address": ENOUGH,
    "files_per_address_per_second": ENOUGH,
    "file_burst_per_address": ENOUGH,
}
"""Limits that every scenario raises, because everybody comes from one address."""
RAISED_FOR_SENDERS: Final[Mapping[str, float]] = {
    "commands_per_second": ENOUGH,
    "command_burst": ENOUGH,
    "member_commands_per_second": ENOUGH,
    "member_command_burst": ENOUGH,
    "posts_per_second": ENOUGH,
    "post_burst": ENOUGH,
    "reactions_per_second": ENOUGH,
    "reaction_burst": ENOUGH,
    "names_per_hour": ENOUGH,
    "codes_per_minute": ENOUGH,
    "new_codes_per_address_per_hour": ENOUGH,
}
"""Limits that are raised as well if few senders write without a pause."""
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - Linux keeps files in memory there
_ROOT: Final = Path(__file__).resolve().parents[1]


class Dialect(Protocol):
    """The protocol of one server. A marker is the first word of a text, and names a post by sender and number."""

    port: int
    words: str
    """The text of each post after its marker."""
    has_replies: bool
    """Whether commands are answered. If not, a sender recognises its post by its marker."""

    def upgrade(self, room: int) -> bytes: ...

    def steps(self, room: int, token: str | None, since: Mapping[str, Any] | None) -> Sequence[bytes]:
        """Return what to send after the upgrade, each once the previous step was answered."""
        ...

    def post(self, room: int, marker: str) -> bytes: ...


class ChatDialect:
    """Protocol v1, JSON."""

    has_replies = True

    def __init__(self, port: int, times: int = 1) -> None:
        self.port = port
        self.words = " ".join([WORDS] * times)

    def upgrade(self, room: int) -> bytes:
        return upgrade("/ws", self.port, "chat.v1.json")

    def steps(self, room: int, token: str | None, since: Mapping[str, Any] | None) -> Sequence[bytes]:
        hello: dict[str, Any] = {"cmd": "hello", "id": "h"}
        hello |= {"guest": True} if token is None else {"token": token}
        join = {"cmd": "join", "id": "j", "room": room_id(room), "agreement": 1}
        if since is not None:
            join["since"] = since
        return [client_frame(_json(message)) for message in (hello, join)]

    def post(self, room: int, marker: str) -> bytes:
        return client_frame(
            b'{"cmd":"post","id":"%b","room":"%b","text":"%b %b"}'
            % (marker.encode(), room_id(room).encode(), marker.encode(), self.words.encode())
        )


class RelayDialect:
    """The relay sends every message on to the room, so a sender writes what our server would push, of the same size."""

    has_replies = False
    words = WORDS

    def __init__(self, port: int) -> None:
        self.port = port

    def upgrade(self, room: int) -> bytes:
        return upgrade(f"/r/{room}", self.port)

    def steps(self, room: int, token: str | None, since: Mapping[str, Any] | None) -> Sequence[bytes]:
        return ()

    def post(self, room: int, marker: str) -> bytes:
        return client_frame(_PUSH_HEAD + marker.encode() + _PUSH_TAIL)


def room_id(number: int) -> str:
    return f"bench-{number}"


def _json(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


def _push_around_a_marker() -> tuple[bytes, bytes]:
    post = PostView(
        offset=Offset(1234),
        author=MemberId("p_" + "x" * 34),
        name="Quiet Wren",
        text=f"MARKER {WORDS}",
        at=Millis(1_767_225_600_000),
    )
    push = PostedPush(
        channel=ChannelName(f"room:{room_id(0)}"),
        epoch=Epoch("b7Jk2mQx"),
        offset=post.offset,
        at=post.at,
        post=post,
    )
    frame = encode_frame(Encoding.JSON, push)
    head, _, tail = frame[frame.index(b"{") :].partition(b"MARKER")
    return head, tail


_PUSH_HEAD, _PUSH_TAIL = _push_around_a_marker()


class Target:
    """One server under load. `pids` are the processes that count as the server's."""

    name: str
    dialect: Dialect

    @property
    def pids(self) -> list[int]:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Chat(Target):
    """Our server as a user starts it, with rooms for the load. `raised` are the raised limits; everything else is the
    default. `times` is how often the words are repeated in each post."""

    name = "ours"

    def __init__(
        self,
        cores: Cores,
        *,
        rooms: int,
        raised: Mapping[str, float],
        workers: int = 1,
        redis_url: str | None = None,
        times: int = 1,
        name: str = "ours",
        in_memory: bool = False,
    ) -> None:
        self.name = name
        self._memory = Path(tempfile.mkdtemp(prefix="chat-bench-", dir=MEMORY)) if in_memory else None
        config: dict[str, Any] = {"limits": {**raised}}
        if self._memory is not None:
            config["database_url"] = f"sqlite:///{self._memory / 'chat.db'}"
        self.server = ChatServer(workers=workers, redis_url=redis_url, config=config, is_forked=False)
        self.dialect = ChatDialect(self.server.port, times)
        try:
            self._add_rooms(rooms)
            with on_cores(cores.servers if workers == 1 else cores.others):
                self.server.start()
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> list[int]:
        return family(self.server.process.pid)

    def metrics(self) -> dict[str, float]:
        """Return its metrics, by name with labels."""
        text = web.get(self.server.url + "/metrics", timeout=10).text
        pairs = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def sum_of(self, name: str) -> float:
        """Return one metric, summed over its labels."""
        return sum(value for key, value in self.metrics().items() if key.partition("{")[0] == name)

    def close(self) -> None:
        self.server.close()
        if self._memory is not None:
            shutil.rmtree(self._memory, ignore_errors=True)

    def _add_rooms(self, count: int) -> None:
        data = self._memory
        if data is None:
            data = self.server.directory / "data"
            data.mkdir(mode=0o700)
        migrate(f"sqlite:///{data / 'chat.db'}")
        wanted = [
            Room(id=RoomId(room_id(number)), name=f"Bench {number}", about="", capacity=ENOUGH)
            for number in range(count)
        ]

        async def add() -> None:
            store = SqliteStore(data / "chat.db")
            await store.open()
            try:
                await store.add_rooms(wanted)
            finally:
                await store.close()

        uvloop.run(add())


class Baseline(Target):
    """A relay in a process of its own."""

    def __init__(self, cores: Cores, name: str, command: Sequence[str | Path]) -> None:
        self.name = name
        port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="chat-bench-"))
        self.dialect = RelayDialect(port)
        self.process = Process([*command, str(port)], self.directory / "log", cwd=_ROOT)
        try:
            with on_cores(cores.servers):
                self.process.start(lambda: not is_free(port))
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> list[int]:
        return family(self.process.pid)

    def close(self) -> None:
        self.process.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class Baselines:
    """Makes the two baselines. `limit_name` says which relay it is: in C, or in Python if there is no compiler."""

    def __init__(self, cores: Cores) -> None:
        self._cores = cores
        self._directory = Path(tempfile.mkdtemp(prefix="chat-bench-"))
        self._binary = _compiled(self._directory)
        self.limit_name = "C relay" if self._binary is not None else "raw-socket Python relay (no C compiler here)"

    def limit(self) -> Baseline:
        command = [self._binary] if self._binary is not None else [sys.executable, "-m", "bench.relay"]
        return Baseline(self._cores, "relay", command)

    def naive(self) -> Baseline:
        return Baseline(self._cores, "naive", [sys.executable, "-m", "bench.naive"])

    def close(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)


def _compiled(directory: Path) -> Path | None:
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None:
        return None
    binary = directory / "relay"
    source = Path(__file__).with_name("relay.c")
    made = subprocess.run([compiler, "-O2", "-o", binary, source], capture_output=True, check=False, timeout=60)
    return binary if made.returncode == 0 else None
