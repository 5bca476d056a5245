"""A client that writes, is cut off at any moment, comes back to any worker, and sends unanswered commands again."""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec

from chatserver.domain.identity import MemberId
from chatserver.domain.rooms.rooms import RoomId, room_channel
from tests.kit.frames import split
from tests.simulation.disk import ROOMS, Memory
from tests.simulation.history import Fact, History
from tests.simulation.link import Link
from tests.simulation.plan import Plan
from tests.simulation.view import View
from tests.simulation.worker import Worker

ANSWER_SECONDS = 7.0
"""Seconds that an answer may take: longer than the store may."""
REACTIONS = ("with_you", "hug", "strength")
MAY_BE_TOO_LATE = {"post_unknown", "post_redacted"}
"""Refusals that are possible because the target of a command changed meanwhile."""


@dataclass(slots=True)
class Sent:
    """A command that was sent on one connection and not answered yet."""

    command: Fact
    at: float


class Client:
    """A client with one connection at a time. `find` returns a worker to connect to, or None."""

    def __init__(
        self,
        name: str,
        member: MemberId,
        plan: Plan,
        history: History,
        memory: Memory,
        find: Callable[[Random], Worker | None],
        token: Callable[[Worker, MemberId], str],
        is_binary: bool,
    ) -> None:
        self.name = name
        self.member = member
        self._plan = plan
        self._history = history
        self._find = find
        self._token = token
        self._is_binary = is_binary
        self._encode = (msgspec.msgpack if is_binary else msgspec.json).encode
        self._decode: Callable[[bytes], Fact] = (msgspec.msgpack if is_binary else msgspec.json).decode
        self.random = Random(f"{plan.seed} {name}")
        self.link: Link | None = None
        self.inside: set[RoomId] = set()
        self._leaving: set[RoomId] = set()
        recovery = plan.limits.recovery_publications
        self.views = {room: View(name, room_channel(room), history, memory, recovery) for room in ROOMS}
        self.unanswered: dict[str, Fact] = {}
        """Commands that must become facts, oldest first, over all connections."""
        self._acked: list[Fact] = []
        self._sent: deque[Sent] = deque()
        self._tries: dict[str, int] = {}
        self._count = 0
        self.is_acting = True
        self.is_home = False
        """Gone for good."""

    @property
    def is_settled(self) -> bool:
        return self.is_home or (len(self.inside) == len(ROOMS) and not self.unanswered and not self._sent)

    # ------------------------------------------------------------------------------------------ connections

    def connect(self) -> None:
        if self.link is not None or self.is_home:
            return
        worker = self._find(self.random)
        if worker is None:
            self._later(0.05, 0.2, self.connect)
            return
        self._history.note(self.name, "comes to", worker.name)
        # The handler refers to the link, which does not exist yet.
        links: list[Link] = []
        link = Link(
            worker,
            Random(f"{self._plan.seed} {self.name} {self.random.random()}"),
            binary=self._is_binary,
            token=self._token(worker, self.member),
            hear=lambda data: self._hear(links[0], data),
            lost=lambda code: self._lost(links[0], code),
        )
        links.append(link)
        self.link = link
        self._send({"cmd": "hello"})
        self._watch(link)

    def hang_up(self, notice: float) -> None:
        """Disappear without closing; the worker notices it after `notice` seconds."""
        if self.link is not None:
            self._history.note(self.name, "hangs up")
            self.link.hang_up(notice)
            self._lost(self.link, None)

    def go_home(self) -> None:
        """Disappear without closing, and do not come back."""
        self.is_home = True
        self.hang_up(0.5)

    def _lost(self, link: Link, code: int | None) -> None:
        if link is not self.link:
            return
        self._history.note(self.name, "is cut off", code)
        self._history.count(f"closed {code}")
        if code is not None and code not in (1012, 4000):
            self._history.complain(f"{self.name} was closed with {code}")
        self.link = None
        self.inside.clear()
        self._leaving.clear()
        self._sent.clear()
        self._later(0.0, 0.3, self.connect)

    def _watch(self, link: Link) -> None:
        if link is not self.link:
            return
        now = asyncio.get_running_loop().time()
        if self._sent and now - self._sent[0].at > ANSWER_SECONDS:
            self._history.count("no answer")
            self.hang_up(0.05)
        else:
            asyncio.get_running_loop().call_later(2.0, self._watch, link)

    # ------------------------------------------------------------------------------------------ what it does

    def act(self) -> None:
        """Do something, and schedule the next action."""
        if not self.is_acting or self.is_home:
            return
        self._later(0.0, 2 * self._plan.pause, self.act)
        inside = sorted(self.inside - self._leaving)
        if self.link is None or not inside:
            return
        room = self.random.choice(inside)
        what = self.random.choices(
            ("post", "burst", "react", "edit", "redact", "again", "history", "typing", "rename", "leave", "rejoin"),
            (30, 6, 8, 4, 3, 5, 1, 1, 1, 1, 3),
        )[0]
        match what:
            case "post":
                self._post(room)
            case "burst":
                for _ in range(6):
                    self._post(room)
            case "react" | "edit" | "redact":
                self._change(what, room)
            case "again":
                if self._acked and self._acked[-1]["room"] in inside:
                    self._send(self._acked[-1])
            case "history":
                position = self.views[room].position
                epoch = None if position is None else position[0]
                before = self.random.randint(1, 40)
                self._send({"cmd": "history", "room": room, "before": before, "epoch": epoch, "limit": 3})
            case "typing":
                self._send({"cmd": "typing", "room": room})
            case "rename":
                self._send({"cmd": "rename", "name": f"Robin {self.random.randint(1, 40)}"})
            case "leave":
                if not self.unanswered:
                    self._leaving.add(room)
                    self._send({"cmd": "leave", "room": room})
            case _:
                self._send({"cmd": "join", "room": room})

    def _post(self, room: RoomId) -> None:
        self._count += 1
        self._fact(
            {"cmd": "post", "room": room, "text": f"{self.name} {self._count} " + "." * self.random.choice((1, 300))}
        )

    def _change(self, what: str, room: RoomId) -> None:
        posts, position = self.views[room].posts, self.views[room].position
        own = [at for at, post in posts.items() if what == "react" or post["author"] in self.views[room].me]
        if not own or position is None:
            return
        command: Fact = {"cmd": what, "room": room, "offset": self.random.choice(own), "epoch": position[0]}
        if what == "react":
            command.update(reaction=self.random.choice(REACTIONS), on=self.random.random() < 0.7)
        elif what == "edit":
            command.update(text=f"{self.name} changed {self.random.randint(1, 99)}")
        self._fact(command)

    def _fact(self, command: Fact) -> None:
        command["id"] = f"{self.name}-{len(self._acked)}-{self.random.getrandbits(32):x}"
        self.unanswered[command["id"]] = command
        self._send(command)

    def _send(self, command: Fact) -> None:
        if self.link is None:
            return
        if "id" not in command:
            command = {**command, "id": f"q{self.random.getrandbits(32):x}"}
        if command["cmd"] == "hello":
            self._history.count("hello")
        self._tries[command["id"]] = self._tries.get(command["id"], 0) + 1
        self._sent.append(Sent(command, asyncio.get_running_loop().time()))
        self.link.say(self._encode(command))

    def _join(self, room: RoomId) -> None:
        self._send({"cmd": "join", "room": room, "since": self.views[room].since})

    # ------------------------------------------------------------------------------------------ what it hears

    def _hear(self, link: Link, data: bytes) -> None:
        for _, payload in split(data):
            if link is not self.link:
                return
            message = self._decode(payload)
            if "re" in message:
                self._answered(message)
            else:
                self._pushed(message)

    def _pushed(self, push: Fact) -> None:
        kind = push["push"]
        if kind == "self":
            for name, here in push["rooms"].items():
                self.views[RoomId(name)].me = frozenset(here["me"])
        if kind in ("self", "draining", "counts", "read"):
            return
        if kind == "left":
            self._left(RoomId(push["room"]))
            return
        room = RoomId(push["channel"].removeprefix("room:"))
        if room not in self.inside:
            self._history.complain(f"{self.name} was told {kind} of {room}, where it is not")
            return
        view = self.views[room]
        if kind == "presence":
            view.meet(push)
        elif kind == "gap":
            self._history.note(self.name, "is told of a gap", room, push["position"])
            view.fell(push["position"])
            self._send({"cmd": "join", "room": room})
        elif kind != "typing":
            self._history.note(self.name, "is shown", kind, room, push["offset"])
            if kind == "posted":
                self._judge_turn(push["post"]["text"])
            view.take(push)

    def _left(self, room: RoomId) -> None:
        """The member has left the room, here or on another of their connections. Join it again."""
        self.inside.discard(room)
        self._leaving.discard(room)
        self.views[room].position = None
        self._send({"cmd": "join", "room": room})

    def _judge_turn(self, text: str) -> None:
        """Complain if the author gets their own post before its reply, although the store has answered later than
        others could read it."""
        if any(sent.command.get("text") == text and self._tries[sent.command["id"]] == 1 for sent in self._sent):
            self._history.complain(f"{self.name} was shown {text!r} before its answer")

    def _answered(self, reply: Fact) -> None:
        if not self._sent or self._sent[0].command["id"] != reply["re"]:
            self._history.complain(f"{self.name} got an answer to {reply['re']}, out of turn")
            return
        command = self._sent.popleft().command
        if "ok" in reply:
            self._history.note(self.name, "has", command["cmd"], command["id"], _brief(reply["ok"]))
            self._carried_out(command, reply["ok"])
        else:
            error = reply["error"]
            self._history.note(self.name, "is refused", command["cmd"], command["id"], error["code"])
            self._refused(command, error)

    def _carried_out(self, command: Fact, ok: Fact) -> None:
        match command["cmd"]:
            case "hello":
                for room in ROOMS:
                    self._join(room)
            case "join":
                room = command["room"]
                self.views[room].joined(ok, command.get("since"))
                is_first = len(self.inside) < len(ROOMS)
                self.inside.add(room)
                if is_first and len(self.inside) == len(ROOMS):
                    for waiting in [*self.unanswered.values()]:
                        if not any(sent.command is waiting for sent in self._sent):
                            self._send(waiting)
            case "leave":
                self._left(RoomId(command["room"]))
            case "post" | "edit" | "redact" | "react":
                self.unanswered.pop(command["id"], None)
                if ok.get("offset") is not None:
                    channel = room_channel(command["room"])
                    self._history.acknowledged(self.member, command["id"], channel, ok["epoch"], ok["offset"])
                    self._acked.append(command)
                elif command["cmd"] == "post":
                    self._history.complain(f"{self.name} posted, and was told that nothing happened")

    def _refused(self, command: Fact, error: Fact) -> None:
        code = error["code"]
        self._history.count(f"error {code}")
        if error["temporary"]:
            if code not in ("storage_unavailable", "busy"):
                self._history.complain(f"{self.name} was refused with {code}")
            if command["cmd"] == "leave":
                self._leaving.discard(command["room"])
            if command["cmd"] in ("hello", "join") or command["id"] in self.unanswered:
                wait = error.get("retry_after") or 0.1
                self._later(wait, wait + 0.1, functools.partial(self._again, self.link, command))
            return
        if not self._may_be_refused(command, code):
            self._history.complain(f"{self.name} sent {command} and was refused for good: {code}")
        if self.unanswered.pop(command["id"], None) is not None:
            self._history.refused(self.member, command["id"], code)

    def _again(self, link: Link | None, command: Fact) -> None:
        if link is not self.link:
            return
        if command["cmd"] == "join":
            room = command["room"]
            # Where it is already, it asked for the page because of a gap.
            self._send({"cmd": "join", "room": room}) if room in self.inside else self._join(room)
        elif command["cmd"] == "hello" or command["id"] in self.unanswered:
            self._send(command)

    def _may_be_refused(self, command: Fact, code: str) -> bool:
        match command["cmd"]:
            case "rename":
                return code == "name_taken"
            case "edit" | "redact" | "react":
                is_late = code == "edit_too_late" and any(self._plan.skews)
                return is_late or code in MAY_BE_TOO_LATE or self._is_set_back(code)
            case "history" if self._is_set_back(code):
                return True
        return code == "not_in_room" and command["room"] not in self.inside

    def _is_set_back(self, code: str) -> bool:
        """Return whether this refusal means that the store was restored."""
        return code == "epoch_stale" and self._history.has_restored

    def _later(self, least: float, most: float, action: Callable[[], Any]) -> None:
        asyncio.get_running_loop().call_later(self.random.uniform(least, most), action)


def _brief(ok: Fact) -> object:
    if ok["ok"] == "join":
        return (ok["history"], ok["position"]["epoch"], ok["position"]["offset"], len(ok["missed"]))
    return (ok.get("epoch"), ok.get("offset")) if ok["ok"] == "fact" else ok["ok"]
