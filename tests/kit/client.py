"""A small client of wire protocol v1, for tests: it says hello, sends commands, awaits replies and keeps pushes.

It shares no code with the server except the names of the subprotocols, so what is decoded here was really on the wire.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

import msgpack  # type: ignore[import-untyped]
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Message = dict[str, Any]

JSON: Final = "chat.v1.json"
MSGPACK: Final = "chat.v1.msgpack"
PATIENCE: Final = 20.0
"""Seconds to wait for something that should happen, unless told otherwise."""


class Refused(Exception):
    """An error reply. `error` is its body."""

    def __init__(self, error: Message) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.error = error
        self.code: str = error["code"]


class ChatClient:
    """One connection. Use it as `async with ChatClient(server.ws_url) as client`, which says hello as a new guest.

    `token` comes back as an earlier guest, `cookie` as the page does; with `hello=False` no hello is sent; `headers`
    are added to the upgrade. Everything that arrives and is not a reply is in `pushes`, oldest first.
    """

    def __init__(
        self,
        url: str,
        *,
        subprotocol: str = JSON,
        token: str | None = None,
        cookie: str | None = None,
        hello: bool = True,
        origin: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.url = url
        self.subprotocol = subprotocol
        self.token = token
        self.cookie = cookie
        self.origin = origin
        self.headers = dict(headers or {})
        self.pushes: list[Message] = []
        self.close_code: int | None = None
        self.hello_ok: Message = {}
        self._me: dict[str, list[str]] = {}
        self._says_hello = hello
        self._ids = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Message]] = {}
        self._news = asyncio.Condition()
        self._connection: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> Self:
        """Connect, and say hello unless told not to. Raises what websockets raises, or Refused."""
        self._connection = await connect(
            self.url,
            subprotocols=[Subprotocol(self.subprotocol)],
            additional_headers={**self.headers, **({"Cookie": self.cookie} if self.cookie is not None else {})},
            origin=self.origin,  # type: ignore[arg-type]
            compression=None,
            ping_interval=None,
            max_size=None,
            proxy=None,
        )
        self._reader = asyncio.create_task(self._read(self._connection))
        if self._says_hello:
            fields = {"token": self.token} if self.token is not None else {"guest": self.cookie is None}
            self.hello_ok = await self.ask("hello", **fields)
            self.token = self.hello_ok.get("token", self.token)
        return self

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        if self._reader is not None:
            await self._reader

    def abort(self) -> None:
        """Break the connection, as when a network is lost."""
        if self._connection is not None:
            self._connection.transport.abort()

    def stall(self) -> None:
        """Read nothing more from the network, like a phone that sleeps, until `wake`."""
        if self._connection is not None:
            self._connection.transport.pause_reading()

    def wake(self) -> None:
        if self._connection is not None:
            self._connection.transport.resume_reading()

    @property
    def member(self) -> str:
        """Return the member id that the hello gave."""
        return str(self.hello_ok["member"]["id"])

    async def ask(self, command: str, *, id: str | None = None, timeout: float = PATIENCE, **fields: Any) -> Message:
        """Send a command and return the `ok` of its reply. Raises Refused, TimeoutError, or ConnectionClosed."""
        reply = await self.exchange(command, id=id, timeout=timeout, **fields)
        if "error" in reply:
            raise Refused(reply["error"])
        ok: Message = reply["ok"]
        return ok

    async def exchange(
        self,
        command: str,
        *,
        id: str | None = None,
        timeout: float = PATIENCE,
        **fields: Any,
    ) -> Message:
        """Send a command and return its whole reply, whether it is an error or not."""
        key = id if id is not None else f"c{next(self._ids)}"
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[key] = future
        try:
            await self.send({"cmd": command, "id": key, **fields})
            async with asyncio.timeout(timeout):
                return await future
        finally:
            self._waiting.pop(key, None)
            # If sending failed, nobody awaits this future, so its exception is not retrieved anywhere else.
            if not future.cancel() and not future.cancelled():
                future.exception()

    async def send(self, message: Message) -> None:
        """Send any message in this connection's encoding."""
        packed = json.dumps(message, ensure_ascii=False) if self.subprotocol == JSON else msgpack.packb(message)
        await self.send_raw(packed)

    async def send_raw(self, data: str | bytes) -> None:
        assert self._connection is not None, "open it first"
        await self._connection.send(data)

    async def wait_for(self, predicate: Callable[[Message], bool], timeout: float = PATIENCE) -> Message:
        """Return the first push, received already or later, for which `predicate` holds. Raises TimeoutError."""
        await self.until(lambda: any(map(predicate, self.pushes)), timeout)
        return next(filter(predicate, self.pushes))

    async def until(self, condition: Callable[[], bool], timeout: float = PATIENCE) -> None:
        """Wait until a condition on this client holds; it is checked whenever something arrives."""
        try:
            async with asyncio.timeout(timeout), self._news:
                await self._news.wait_for(condition)
        except TimeoutError:
            kinds = [push.get("push", "error") for push in self.pushes]
            raise TimeoutError(f"waited {timeout:g} s; close code {self.close_code}, pushes {kinds}") from None

    async def wait_closed(self, timeout: float = PATIENCE) -> int:
        """Return the code with which the other side closed, 1006 if it closed without one."""
        await self.until(lambda: self.close_code is not None, timeout)
        assert self.close_code is not None
        return self.close_code

    def facts(self, channel: str) -> list[Message]:
        """Return the facts pushed on a channel, in order of arrival."""
        return [push for push in self.pushes if push.get("channel") == channel and "offset" in push]

    async def __aenter__(self) -> Self:
        try:
            return await self.open()
        except BaseException:
            await self.close()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _read(self, connection: ClientConnection) -> None:
        end: ConnectionClosed | None = None
        try:
            while True:
                data = await connection.recv()
                await self._take(
                    json.loads(data) if isinstance(data, str) else msgpack.unpackb(data, strict_map_key=False)
                )
        except ConnectionClosed as closed:
            end = closed
        async with self._news:
            self.close_code = connection.close_code if connection.close_code is not None else 1006
            self._news.notify_all()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(end)

    def id_in(self, room: str) -> str:
        """Return the client's own id in a room, as the others there know it."""
        return self._me[room][0]

    async def _take(self, message: Message) -> None:
        if message.get("ok", {}).get("ok") == "join":
            self._me[message["ok"]["room"]["id"]] = message["ok"]["me"]
        elif message.get("push") == "self":
            self._me.update({room: here["me"] for room, here in message["rooms"].items()})
        waiting = self._waiting.get(message.get("re") or "")
        if waiting is not None and not waiting.done():
            waiting.set_result(message)
            return
        async with self._news:
            self.pushes.append(message)
            self._news.notify_all()
