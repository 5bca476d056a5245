"""What one worker knows of how rooms are set up: announcements, opening hours, raid mode, and where members were led.

The store decides. Its settings are read again when moderation's version rose, which every worker reads twice a second.
So they hold on every worker within a second while the bus is away, too.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final, NamedTuple

from chatserver.delivery.outbox import Outbox
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, NodeId, Person
from chatserver.domain.limits import Bucket
from chatserver.domain.listening.opening_hours import parse_hours
from chatserver.domain.moderation.newcomers import USUAL, Welcome
from chatserver.domain.rooms import settings as rules
from chatserver.domain.rooms.rooms import Room, RoomId, RoomStatus, room_channel
from chatserver.domain.rooms.settings import Hours, Notice, RoomMove, RoomSettings
from chatserver.handlers.listening.opening_hours import Clock
from chatserver.handlers.listening.service import ListeningService
from chatserver.handlers.node import Node
from chatserver.protocol.codec import Encoding, encode_frame
from chatserver.protocol.operating.messages import MovedPush, NoticesPush, PlaceToBe

JOINS_A_SECOND: Final = 2.0
JOINS_AT_ONCE: Final = 5.0
"""How many enter a protected room through one worker."""
BITS: Final = 15
"""Difficulty of the proof of work: leading zero bits of the SHA-256. 15 bits are 33,000 hashes on average, about a
second on a cheap phone."""
CHALLENGE_SECONDS: Final = 120
PROVED: Final = 24 * 3_600_000
"""Milliseconds for which a sum counts that was solved because of where somebody came from."""
_TOKEN_BYTES: Final = 18


class Led(NamedTuple):
    """The settings as they were known when a member's moves were read, and those moves."""

    house: RoomSettings | None
    moves: tuple[RoomMove, ...]


class RoomAdmission:
    """One worker's picture of how rooms are set up, and who may enter them. `Enforcement` calls `load` whenever
    moderation's version rose."""

    def __init__(self, node: Node, listening: ListeningService, configured: Hours, key: bytes) -> None:
        self._node = node
        self._listening = listening
        self._configured = configured
        self._key = key
        self._house: RoomSettings | None = None
        self._hours = configured
        self._doors: dict[RoomId, Bucket] = {}
        self._done: dict[str, Millis] = {}
        """Sums that were accepted here, until they are over."""
        self.leaving: dict[NodeId, float] = {}
        """Workers that were asked to drain, and since when: the request is repeated, because the bus may lose it."""
        self._solved: dict[tuple[MemberId, RoomId], Millis] = {}

    @property
    def hours(self) -> Hours:
        """Return the opening hours that hold now; revision 0 are those of the configuration."""
        return self._hours

    @property
    def raids(self) -> list[rules.Raid]:
        house, now = self._house, self._node.now()
        return [] if house is None else [raid for raid in house.raids if raid.until > now]

    @property
    def notices(self) -> list[Notice]:
        house, now = self._house, self._node.now()
        return [] if house is None else [notice for notice in house.notices if notice.until > now]

    def family(self, room: Room) -> list[Room]:
        return rules.family(rules.root_of(room), self._node.rooms.values())

    # ------------------------------------------------------------------------------------------ going round

    async def load(self) -> None:
        """Read the settings, and push what is new to the connections here. Raises StoreUnavailable."""
        node = self._node
        before, house = self._house, await node.store.room_settings(node.now())
        self._house = house
        node.rooms = {room.id: room for room in house.rooms}
        hours = house.hours or self._configured
        if hours != self._hours or before is None:
            self._hours = hours
            self._listening.keep_hours(Clock(parse_hours(hours.hours), hours.timezone))
        if before is None:
            return
        if before.notices != house.notices:
            self._tell_all(NoticesPush(notices=self.notices))
        known = set(before.moves)
        for move in house.moves:
            if move not in known:
                for connection in node.connections_of(move.member):
                    self._lead(connection.outbox, [move])

    async def look_up(self, member: MemberId) -> Led:
        """Read where a member who says hello was led. This is asked before they are admitted."""
        house = self._house
        if house is None or all(room.split_of is None for room in house.rooms):
            return Led(house, ())
        return Led(house, tuple(await self._node.store.moves_of(member, self._node.now())))

    def greeting(self, member: MemberId, led: Led) -> list[NoticesPush | MovedPush]:
        """Return what a member is told once they are admitted. This includes what came after they were looked up."""
        known = set(() if led.house is None else led.house.moves)
        later = () if self._house is None else self._house.moves
        moves = [*led.moves, *(move for move in later if move.member == member and move not in known)]
        pushes = [self._moved(move) for move in dict.fromkeys(moves)]
        told: list[NoticesPush | MovedPush] = [NoticesPush(notices=self.notices)] if self.notices else []
        return told + [push for push in pushes if push is not None]

    def _lead(self, outbox: Outbox, moves: Iterable[RoomMove]) -> None:
        if outbox.wire.buffered() > self._node.limits.outbox_bytes:
            # They are told after their next hello; until then they are where they were.
            return
        for move in moves:
            push = self._moved(move)
            if push is not None:
                outbox.send(push)

    def _moved(self, move: RoomMove) -> MovedPush | None:
        """Return the push for a move; None where the room that the member was led to is closed again."""
        rooms = self._node.rooms
        source, to = rooms.get(move.room), rooms.get(move.to)
        if source is None or to is None or to.status is not RoomStatus.OPEN:
            return None
        beside = [_place(room) for room in self.family(source) if room.status is RoomStatus.OPEN]
        return MovedPush(room=move.room, to=_place(to), beside=beside, at=move.at)

    def _tell_all(self, push: NoticesPush) -> None:
        node = self._node
        frames: dict[Encoding, bytes] = {}
        for online in [*node.online.values()]:
            for connection in [*online.connections]:
                outbox = connection.outbox
                if outbox.wire.buffered() > node.limits.outbox_bytes:
                    # A client that comes back is told after its hello.
                    node.close_slow(outbox)
                    continue
                frame = frames.get(outbox.encoding)
                if frame is None:
                    frame = frames[outbox.encoding] = encode_frame(outbox.encoding, push)
                outbox.wire.write(frame)

    # ------------------------------------------------------------------------------------------ at the door

    async def require_way_in(
        self,
        person: Person,
        room: Room,
        *,
        proof: str | None,
        is_exact: bool,
        is_returning: bool,
        must_prove: bool = False,
    ) -> None:
        """Raise ROOM_SPLIT where a newcomer finds more space in a room beside this one, and CHALLENGE or JOINS_SLOWED
        where the room is protected. A member who was here before is let in. A newcomer who must prove something,
        because somebody from the same place is barred, gets CHALLENGE in every room for which that holds."""
        if must_prove and not self._node.presence.is_here(room_channel(room.id), person.id):
            self._require_sum(person, room, proof, until=Millis(self._node.now() + PROVED))
        beside = self.family(room) if room.status is RoomStatus.OPEN else []
        raids = self._raids_on(room)
        if (len(beside) < 2 or is_exact or is_returning) and not raids:
            return
        if len(beside) > 1 and not is_exact and not is_returning:
            await self._lead_newcomer(person, room, beside)
        if raids:
            await self._guard(person, room, raids, proof)

    async def _lead_newcomer(self, person: Person, room: Room, beside: list[Room]) -> None:
        here = self._node.presence.here
        open_ = [each for each in beside if each.status is RoomStatus.OPEN]
        open_.sort(key=lambda each: (here(room_channel(each.id)) / each.capacity, each.id))
        if not open_ or here(room_channel(open_[0].id)) >= here(room_channel(room.id)):
            return
        joined = await self._node.store.joined_rooms(person.id)
        if any(each.id in joined for each in beside):
            return
        rooms = [{"id": each.id, "name": each.name, "here": here(room_channel(each.id))} for each in open_]
        raise Refusal(Reason.ROOM_SPLIT, details={"rooms": rooms})

    async def _guard(self, person: Person, room: Room, raids: list[rules.Raid], proof: str | None) -> None:
        node = self._node
        if node.presence.is_here(room_channel(room.id), person.id):
            return
        if not rules.is_new(raids, await self._since(person.id)):
            return
        self._require_sum(person, room, proof, until=max(raid.until for raid in raids))
        door = self._doors.get(room.id)
        if door is None:
            door = self._doors[room.id] = Bucket(JOINS_A_SECOND, JOINS_AT_ONCE, node.monotonic())
        if (wait := door.take(1.0, node.monotonic())) > 0:
            raise Refusal(Reason.JOINS_SLOWED, retry_after=max(1.0, wait))

    def _require_sum(self, person: Person, room: Room, proof: str | None, *, until: Millis) -> None:
        """Raise CHALLENGE where a member has not solved a proof of work for this room. A solved one counts until it
        expires."""
        now = self._node.now()
        if self._solved.get((person.id, room.id), 0) > now:
            return
        if proof is None or not self._is_solved(person.id, room.id, proof, now):
            details = {"challenge": self._challenge(person.id, room.id, now), "bits": BITS}
            raise Refusal(Reason.CHALLENGE, details=details)
        self._solved[person.id, room.id] = until

    def _raids_on(self, room: Room) -> list[rules.Raid]:
        if not self.raids:
            return []
        return rules.raids_on(self.raids, {each.id for each in self.family(room)} | {room.id}, self._node.now())

    async def require_voice(self, person: Person, room: RoomId, met: Welcome = USUAL) -> None:
        """Raise READ_ONLY, with `until`, where a member is too new to write in a protected room, or came from a place
        where somebody else was just kept from writing."""
        now, place = self._node.now(), self._node.rooms.get(room)
        if place is not None and (calm := met.quiet_until(place)) is not None and calm > now:
            raise Refusal(Reason.READ_ONLY, retry_after=(calm - now) / 1000, details={"until": calm})
        raids = [] if place is None else self._raids_on(place)
        if not raids:
            return
        until = rules.quiet_until(raids, await self._since(person.id))
        if until is not None and until > now:
            raise Refusal(Reason.READ_ONLY, retry_after=(until - now) / 1000, details={"until": until})

    async def _since(self, member: MemberId) -> Millis:
        """Return when a member became a guest."""
        found = await self._node.store.member(member)
        return Millis(0) if found is None else found.created_at

    # ------------------------------------------------------------------------------------------ the sum

    def _challenge(self, member: MemberId, room: RoomId, now: Millis) -> str:
        self._forget(now)
        ends = now // 1000 + CHALLENGE_SECONDS
        return f"{ends}.{self._seal(member, room, ends)}"

    def _is_solved(self, member: MemberId, room: RoomId, proof: str, now: Millis) -> bool:
        """Return whether SHA-256 of `proof`, which is a challenge, a colon and a number, begins with `BITS` zero
        bits."""
        challenge, _, number = proof.partition(":")
        ends, _, seal = challenge.partition(".")
        if not (ends.isascii() and ends.isdigit() and len(ends) < 14 and number.isascii() and number.isdigit()):
            return False
        is_ours = hmac.compare_digest(seal.encode("ascii", "replace"), self._seal(member, room, int(ends)).encode())
        if not is_ours or int(ends) * 1000 < now or challenge in self._done:
            return False
        digest = int.from_bytes(hashlib.sha256(proof.encode()).digest())
        if digest >> (256 - BITS):
            return False
        self._done[challenge] = Millis(int(ends) * 1000)
        return True

    def _seal(self, member: MemberId, room: RoomId, ends: int) -> str:
        made = hmac.digest(self._key, f"{member} {room} {ends}".encode(), "sha256")[:_TOKEN_BYTES]
        return base64.urlsafe_b64encode(made).decode()

    def _forget(self, now: Millis) -> None:
        self._done = {each: until for each, until in self._done.items() if until > now}
        self._solved = {each: until for each, until in self._solved.items() if until > now}
        if not self.raids:
            self._doors.clear()


def _place(room: Room) -> PlaceToBe:
    return PlaceToBe(id=room.id, name=room.name, agreement_version=room.agreement_version)
