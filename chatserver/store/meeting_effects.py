"""The effects of meetings' decisions outside the meetings, in the same transaction. Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from collections.abc import Sequence

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.commands import KeepReport
from chatserver.domain.listening.state import SessionId
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings.commands import MeetingEffect, RoomEffect
from chatserver.domain.meetings.state import backstage_of, room_of_meeting
from chatserver.domain.rooms.rooms import Publication, Room, RoomId, RoomKind
from chatserver.store.closed_rooms import HeldRooms, hold
from chatserver.store.core.compiler import Op
from chatserver.store.core.sealing import Sealer
from chatserver.store.listening_effects import keep_report

_SENT_OUT = "unkind"
"""The reason of the report that tells moderators why a host sent somebody out."""


def carry_out(effects: Sequence[tuple[int, MeetingEffect, Millis]], sealer: Sealer) -> Op[dict[int, list[Publication]]]:
    """Carry out effects in order, each given with the number of its command and its time. Return what is published, by
    command."""
    if not effects:
        return {}
    meetings = {effect.meeting for _, effect, _ in effects if isinstance(effect, RoomEffect)}
    rooms: set[RoomId] = {*map(room_of_meeting, meetings), *map(backstage_of, meetings)}
    members: set[MemberId] = {effect.member for _, effect, _ in effects if isinstance(effect, c.Admit)}
    held = yield from hold(rooms, members)
    published: dict[int, list[Publication]] = {}
    reports: list[c.ReportSentOut] = []
    for number, effect, now in effects:
        if isinstance(effect, c.ReportSentOut):
            reports.append(effect)
        elif isinstance(effect, RoomEffect):
            for publication in (yield from _carry_out(effect, now, held)):
                if publication is not None:
                    published.setdefault(number, []).append(publication)
    yield from held.save()
    for effect in reports:
        # Last, because moderation's lock is the last that any transaction takes.
        yield from keep_report(
            KeepReport(
                # A closed room is told by its id, whatever it is for.
                session=SessionId(effect.meeting),
                by=effect.by,
                about=effect.about,
                reason=_SENT_OUT,
                note=effect.reason,
                is_call=False,
                at=effect.at,
            ),
            sealer,
        )
    return published


def _carry_out(effect: RoomEffect, now: Millis, held: HeldRooms) -> Op[list[Publication | None]]:
    room, backstage = room_of_meeting(effect.meeting), backstage_of(effect.meeting)
    match effect:
        case c.OpenRoom(name=name, voice=voice, has_backstage=has_backstage):
            yield from held.open(_room(room, name), [], now)
            if has_backstage:
                yield from held.open(_room(backstage, name), [], now)
            # As a fact: the log alone says who might write, from the beginning.
            return [(yield from held.set_voice(room, voice, now))]
        case c.SetVoice(voice=voice):
            return [(yield from held.set_voice(room, voice, now))]
        case c.Admit(member=member, sees_from_now=sees_from_now, is_host=is_host):
            yield from held.admit(room, member, sees_from_now=sees_from_now)
            if is_host:
                yield from held.admit(backstage, member)
        case c.Expel(member=member):
            yield from held.expel(room, member)
            yield from held.expel(backstage, member)
        case c.CloseRoom():
            return [(yield from held.close(room, now)), (yield from held.close(backstage, now))]
        case c.DropMeeting():
            yield from held.drop(room)
            yield from held.drop(backstage)
    return []


def _room(room: RoomId, name: str) -> Room:
    return Room(id=room, name=name, about="", kind=RoomKind.MEETING)
