"""The servers that are measured, and how to speak to each: ours, the relay (the limit), and the naive loop."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

import uvloop

from bench.frames import client_frame, upgrade
from bench.machine import Cores, bind, family, on_cores
from bench.markers import LENGTH
from bench.stream import read_push
from chatserver.domain.history import ChannelName, Epoch, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.protocol.codec import Encoding, encode_frame
from chatserver.protocol.rooms.messages import PostedPush, PostView
from chatserver.store.drivers.migrate import migrate
from chatserver.store.drivers.postgres import PostgresStore
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.store import Store
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
    has_offsets: bool
    """Whether posts are numbered."""
    has_told: bool
    """Whether the reply to a post says its number."""
    joins_lines: bool
    """Whether the server joins several messages in a frame, one a line, differently for each member."""
    reply: bytes
    """How a reply begins."""

    def read_push(self, payload: bytes) -> tuple[str, int] | None: ...

    def answers(self, reply: bytes, marker: str) -> bool:
        """Whether this reply acknowledges that post."""
        ...

    def upgrade(self, room: int) -> bytes: ...

    def steps(self, room: int, token: str | None, since: Mapping[str, Any] | None) -> Sequence[bytes]:
        """Return what to send after the upgrade, each once the previous step was answered."""
        ...

    def post(self, room: int, marker: str) -> bytes: ...


class ChatDialect:
    """Protocol v1, JSON."""

    has_replies = has_offsets = has_told = True
    joins_lines = False
    reply = b'{"re":'

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

    def read_push(self, payload: bytes) -> tuple[str, int] | None:
        return read_push(payload)

    def answers(self, reply: bytes, marker: str) -> bool:
        return reply.startswith(b'{"re":"%b"' % marker.encode())


class RelayDialect:
    """The relay sends every message on to the room, so a sender writes what our server would push, of the same size."""

    has_replies = has_offsets = has_told = joins_lines = False
    reply = b'{"re":'
    words = WORDS

    def __init__(self, port: int) -> None:
        self.port = port

    def upgrade(self, room: int) -> bytes:
        return upgrade(f"/r/{room}", self.port)

    def steps(self, room: int, token: str | None, since: Mapping[str, Any] | None) -> Sequence[bytes]:
        return ()

    def post(self, room: int, marker: str) -> bytes:
        return client_frame(_PUSH_HEAD + marker.encode() + _PUSH_TAIL)

    def read_push(self, payload: bytes) -> tuple[str, int] | None:
        return read_push(payload)

    def answers(self, reply: bytes, marker: str) -> bool:
        return False


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


def length_of_a_push() -> int:
    """Bytes of a post as a member is shown it, by ours and by the relays."""
    return len(_PUSH_HEAD) + LENGTH + len(_PUSH_TAIL)


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
        database_url: str | None = None,
        prepare: Callable[[Path], None] | None = None,
        expires_when_told: bool = False,
        is_forked: bool = False,
    ) -> None:
        """`prepare` is given the file of the SQLite database, which has the rooms, before the server starts. Expiry
        begins with `begin_expiry` where it `expires_when_told`. Where it `is_forked` it starts sooner, as a
        process of which parts are shared with others."""
        self.name = name
        self._memory = Path(tempfile.mkdtemp(prefix="chat-bench-", dir=MEMORY)) if in_memory else None
        config: dict[str, Any] = {"limits": {**raised}}
        if self._memory is not None:
            config["database_url"] = f"sqlite:///{self._memory / 'chat.db'}"
        self.server = ChatServer(
            workers=workers,
            redis_url=redis_url,
            database_url=database_url,
            config=config,
            is_forked=is_forked,
            hashes_quickly=False,
        )
        self._told = self.server.directory / "expire"
        if expires_when_told:
            process = self.server.process
            at = process.command.index("chatserver")
            process.command[at : at + 1] = ["bench.expiring", str(self._told)]
        self.database = (self._memory or self.server.directory / "data") / "chat.db"
        self._database_url = database_url
        self.dialect = ChatDialect(self.server.port, times)
        try:
            self._add_rooms(rooms)
            if prepare is not None:
                prepare(self.database)
            wanted = cores.servers if workers == 1 else cores.others
            with on_cores(wanted):
                self.server.start()
            if is_forked:
                # It is no child of this process, whose cores it would have.
                bind(self.pids, wanted)
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> list[int]:
        return family(self.server.process.pid)

    def begin_expiry(self) -> None:
        """Let what is old expire from now on."""
        self._told.touch()

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
        url = self._database_url
        if url is None:
            self.database.parent.mkdir(mode=0o700, exist_ok=True)
            url = f"sqlite:///{self.database}"
        migrate(url)
        wanted = [
            Room(id=RoomId(room_id(number)), name=f"Bench {number}", about="", capacity=ENOUGH)
            for number in range(count)
        ]

        async def add() -> None:
            store: Store = SqliteStore(self.database) if self._database_url is None else PostgresStore(url)
            await store.open()
            try:
                await store.add_rooms(wanted)
            finally:
                await store.close()

        uvloop.run(add())


class Baseline(Target):
    """Another server in a process of its own."""

    def __init__(
        self,
        cores: Cores,
        name: str,
        command: Sequence[str | Path],
        dialect: Dialect | None = None,
        config: str | None = None,
    ) -> None:
        """The command gets the port of the dialect as its last word, or the path of a file with the `config`."""
        self.name = name
        self.dialect = dialect if dialect is not None else RelayDialect(free_port())
        port = self.dialect.port
        self.directory = Path(tempfile.mkdtemp(prefix="chat-bench-"))
        last = [str(port)]
        if config is not None:
            (self.directory / "config.json").write_text(config)
            last = ["-c", str(self.directory / "config.json")]
        self.process = Process([*command, *last], self.directory / "log", cwd=_ROOT)
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
