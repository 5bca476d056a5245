"""The relay of `relay.c` in Python, for machines without a C compiler: raw sockets, one joined send per member and
turn.

python -m bench.relay PORT
"""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import sys
from typing import Final

from bench.frames import ACCEPTED, Incoming, TornFrame, server_frame

_CHUNK: Final = 65_536
_PATH: Final = re.compile(rb"GET /r/(\d+) ")


class Client:
    """One socket. `room` is None before its upgrade."""

    __slots__ = ("backlog", "heard", "room", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.room: int | None = None
        self.heard = b""
        self.backlog = bytearray()


class Relay:
    """Serves one listening socket until `stop` is set. Nothing is stored, and no queue is bounded."""

    def __init__(self, port: int) -> None:
        self.listener = socket.create_server(("127.0.0.1", port), backlog=4_096)
        self.listener.setblocking(False)
        self.stop = False
        self._rooms: dict[int, list[Client]] = {}
        self._pending: dict[int, list[bytes]] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.listener, selectors.EVENT_READ)

    def run(self) -> None:
        """Run the event loop."""
        with contextlib.closing(self.listener), contextlib.closing(self._selector):
            while not self.stop:
                for key, events in self._selector.select(0.2):
                    client = key.data
                    if client is None:
                        self._greet()
                        continue
                    if events & selectors.EVENT_WRITE:
                        self._drain(client)
                    if events & selectors.EVENT_READ:
                        self._hear(client)
                pending, self._pending = self._pending, {}
                for room, frames in pending.items():
                    self.give(self._rooms[room], frames)
            for key in [*self._selector.get_map().values()]:
                if key.data is not None:
                    key.data.sock.close()

    def give(self, members: list[Client], frames: list[bytes]) -> None:
        """Write the pending frames of a room to its members."""
        joined = b"".join(frames)
        for member in members:
            self.write(member, joined)

    def write(self, client: Client, data: bytes) -> None:
        """Send what can be sent now, and keep the rest."""
        sent = 0
        if not client.backlog:
            with contextlib.suppress(OSError):
                sent = client.sock.send(data)
            if sent == len(data):
                return
            self._selector.modify(client.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, client)
        client.backlog += data[sent:]

    def _drain(self, client: Client) -> None:
        with contextlib.suppress(OSError):
            del client.backlog[: client.sock.send(client.backlog)]
        if not client.backlog:
            self._selector.modify(client.sock, selectors.EVENT_READ, client)

    def _greet(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                sock, _ = self.listener.accept()
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._selector.register(sock, selectors.EVENT_READ, Client(sock))

    def _hear(self, client: Client) -> None:
        try:
            chunk = client.sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        client.heard += chunk
        if client.room is None and b"\r\n\r\n" in client.heard:
            head, _, client.heard = client.heard.partition(b"\r\n\r\n")
            if (path := _PATH.match(head)) is None:
                chunk = b""
            else:
                client.room = int(path[1])
                self._rooms.setdefault(client.room, []).append(client)
                self.write(client, ACCEPTED)
        if not chunk:
            self._drop(client)
        elif client.room is not None:
            messages = Incoming(client.heard)
            try:
                for _, payload in messages:
                    self._pending.setdefault(client.room, []).append(server_frame(payload))
            except TornFrame:
                self._drop(client)
            client.heard = messages.rest()

    def _drop(self, client: Client) -> None:
        self._selector.unregister(client.sock)
        client.sock.close()
        if client.room is not None:
            self._rooms[client.room].remove(client)
            client.room = None


if __name__ == "__main__":
    Relay(int(sys.argv[1])).run()
