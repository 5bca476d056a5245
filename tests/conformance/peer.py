"""A client that knows the wire and nothing else: it says what it is told to say, and keeps what it hears, in order."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgpack  # type: ignore[import-untyped]
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from chatserver.protocol.codec import Encoding
from tests.conformance.traffic import Traffic

Json = dict[str, Any]
T = TypeVar("T")

PATIENCE: Final = 20.0
"""Seconds until something that should have happened is given up on. Nothing waits this long when all is well."""
_numbers = itertools.count(1)


class Refused(Exception):
    """The server said no. `error` is the wire's error."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error['code']}: {error}")
        self.error = error
        self.code: str = error["code"]


class Peer:
    """One connection. `heard` is every message in order of arrival; `close_code` is set when it has ended."""

    def __init__(self, socket: ClientConnection, encoding: Encoding, traffic: Traffic) -> None:
        self.socket = socket
        self.encoding = encoding
        self.heard: list[Json] = []
        self.close_code: int | None = None
        self.member: Json = {}
        self.token: str | None = None
        self.me: dict[str, list[str]] = {}
        """One's own ids in each room, the newest first."""
        self._traffic = traffic
        self._changed = asyncio.Event()
        self._asked: dict[str, Json] = {}
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, url: str, traffic: Traffic, encoding: Encoding = Encoding.JSON, **options: Any) -> Self:
        options.setdefault("subprotocols", [encoding.subprotocol])
        socket = await connect(url, compression=None, ping_interval=None, max_size=None, open_timeout=10, **options)
        return cls(socket, encoding, traffic)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    # -------------------------------------------------------------------------------------------- saying

    async def send(self, cmd: str, **fields: Any) -> str:
        """Send a command and do not wait for its answer. Returns its id."""
        command = {"cmd": cmd, "id": f"t{next(_numbers)}", **fields}
        self._asked[command["id"]] = command
        await self.send_raw(self.pack(command))
        return str(command["id"])

    async def send_raw(self, data: str | bytes) -> None:
        await self.socket.send(data)

    def pack(self, value: object) -> str | bytes:
        """Any value, as this connection's encoding would write it."""
        if self.encoding is Encoding.JSON:
            return json.dumps(value, ensure_ascii=False)
        packed: bytes = msgpack.packb(value)
        return packed

    @property
    def letters(self) -> str:
        """A few letters for a name that nobody else has. No digits: between letters they may look like a number."""
        return "".join(letter for letter in self.member["id"][2:] if letter.isalpha())[:8]

    def id_in(self, room: str) -> str:
        """One's own id in a room, as the others there know it."""
        return self.me[room][0]

    async def ask(self, cmd: str, **fields: Any) -> Json:
        """Send a command; give its `ok`, or raise Refused."""
        return await self.answer_to(await self.send(cmd, **fields))

    async def refusal(self, cmd: str, **fields: Any) -> Json:
        """Send a command that must be refused; give the error."""
        try:
            answer = await self.ask(cmd, **fields)
        except Refused as refused:
            return refused.error
        raise AssertionError(f"{cmd} was not refused: {answer}")

    async def hello(self, **fields: Any) -> Json:
        """Say hello, as a new guest unless told otherwise."""
        ok = await self.ask("hello", **(fields or {"guest": True}))
        self.member, self.token = ok["member"], ok.get("token", fields.get("token"))
        return ok

    async def join(self, room: str, **fields: Any) -> Json:
        return await self.ask("join", **{"room": room, "agreement": 1, **fields})

    async def post(self, room: str, text: str, **fields: Any) -> int:
        """Write, and give the offset."""
        return int((await self.ask("post", room=room, text=text, **fields))["offset"])

    # ------------------------------------------------------------------------------------------- hearing

    async def answer_to(self, command_id: str) -> Json:
        answer = await self.until(lambda: next((each for each in self.heard if each.get("re") == command_id), None))
        if "error" in answer:
            if command_id in self._asked:
                self._traffic.saw_refused(self._asked[command_id], answer["error"]["code"])
            raise Refused(answer["error"])
        if command_id in self._asked:
            self._traffic.saw_sent(self._asked[command_id])
        ok: Json = answer["ok"]
        return ok

    async def error(self, command_id: str | None, skip: int = 0) -> Json:
        """The error for a command's id, or the one (after `skip` others) for none."""

        def find() -> Json | None:
            errors = [each["error"] for each in self.heard if "error" in each and each["re"] == command_id]
            return errors[skip] if len(errors) > skip else None

        return await self.until(find)

    async def push(self, kind: str, where: Callable[[Json], object] = lambda push: True, skip: int = 0) -> Json:
        """The first push of a kind for which `where` holds, waiting for it. It stays in `heard`."""
        return await self.until(lambda: next(iter(self.pushes(kind, where)[skip:]), None))

    def pushes(self, kind: str, where: Callable[[Json], object] = lambda push: True) -> list[Json]:
        """Those heard until now."""
        return [each for each in self.heard if each.get("push") == kind and where(each)]

    def facts(self, room: str) -> list[Json]:
        """Every fact of a room heard until now."""
        return [each for each in self.heard if "offset" in each and each.get("channel") == f"room:{room}"]

    async def heard_offset(self, room: str, offset: int, patience: float = PATIENCE) -> None:
        """Wait for the fact at `offset`."""
        await self.until(lambda: next((fact for fact in self.facts(room) if fact["offset"] >= offset), None), patience)

    async def until(self, find: Callable[[], T | None], patience: float = PATIENCE) -> T:
        """What `find` gives as soon as it gives something. It is asked again after each message."""
        try:
            async with asyncio.timeout(patience):
                while (found := find()) is None:
                    if self.close_code is not None:
                        raise AssertionError(f"closed with {self.close_code}; heard {self.heard[-5:]}")
                    self._changed.clear()
                    await self._changed.wait()
                return found
        except TimeoutError:
            raise AssertionError(f"waited in vain; heard {self.heard[-8:]}") from None

    async def ended(self, patience: float = PATIENCE) -> int:
        """Wait for the end of the connection; its close code."""
        async with asyncio.timeout(patience):
            await asyncio.shield(self._reader)
        assert self.close_code is not None
        return self.close_code

    async def close(self) -> None:
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            await self.socket.close()
        await self._reader

    def drop(self) -> None:
        """Lose the network: no goodbye."""
        self.socket.transport.abort()

    async def _read(self) -> None:
        try:
            async for data in self.socket:
                message = self._unpack(data)
                self._traffic.saw_received(message)
                self.heard.append(message)
                self._note_ids(message)
                self._changed.set()
        except ConnectionClosed:
            pass
        finally:
            self.close_code = self.socket.close_code or 1006
            self._changed.set()

    def _note_ids(self, message: Json) -> None:
        if message.get("ok", {}).get("ok") == "join":
            self.me[message["ok"]["room"]["id"]] = message["ok"]["me"]
        elif message.get("push") == "self":
            self.me.update({room: here["me"] for room, here in message["rooms"].items()})

    def _unpack(self, data: str | bytes) -> Json:
        if self.encoding is Encoding.JSON:
            assert isinstance(data, str), "JSON travels in text frames"
            value: Json = json.loads(data)
        else:
            assert isinstance(data, bytes), "MessagePack travels in binary frames"
            # Through JSON, so that both encodings give the same keys.
            value = json.loads(json.dumps(msgpack.unpackb(data, strict_map_key=False)))
        return value
