"""The effects of meetings' decisions outside the meetings, in the same transaction. Sans-I/O, like `rooms_log`."""

from __future__ import annotations

from collections.abc import Sequence

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.commands import KeepReport
from chatserver.domain.listening.state import SessionId
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings.commands import MeetingEffect, RoomEffect
from chatserver.domain.meetings.state import room_of_meeting
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
    rooms: set[RoomId] = {room_of_meeting(effect.meeting) for _, effect, _ in effects if isinstance(effect, RoomEffect)}
    members: set[MemberId] = {effect.member for _, effect, _ in effects if isinstance(effect, c.Admit)}
    held = yield from hold(rooms, members)
    published: dict[int, list[Publication]] = {}
    reports: list[c.ReportSentOut] = []
    for number, effect, now in effects:
        if isinstance(effect, c.ReportSentOut):
            reports.append(effect)
        elif isinstance(effect, RoomEffect):
            publication = yield from _carry_out(effect, now, held)
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


def _carry_out(effect: RoomEffect, now: Millis, held: HeldRooms) -> Op[Publication | None]:
    room = room_of_meeting(effect.meeting)
    match effect:
        case c.OpenRoom(name=name, voice=voice):
            yield from held.open(Room(id=room, name=name, about="", kind=RoomKind.MEETING), [], now)
            # As a fact: the log alone says who might write, from the beginning.
            return (yield from held.set_voice(room, voice, now))
        case c.SetVoice(voice=voice):
            return (yield from held.set_voice(room, voice, now))
        case c.Admit(member=member, sees_from_now=sees_from_now):
            yield from held.admit(room, member, sees_from_now=sees_from_now)
        case c.Expel(member=member):
            yield from held.expel(room, member)
        case c.CloseRoom():
            return (yield from held.close(room, now))
        case c.DropMeeting():
            yield from held.drop(room)
    return None
