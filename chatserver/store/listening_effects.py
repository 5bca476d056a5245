"""The effects of listening decisions outside the listening state, in the same transaction. Sans-I/O, like `rooms_log`.

What an effect names may be gone (an erased member, a dropped room); then the effect does nothing. It must never make
everybody else's commands fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, assert_never

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.commands import (
    AdmitToRoom,
    CloseSessionRoom,
    DropRoom,
    DropWords,
    ExpelFromRoom,
    FloorEffect,
    KeepDebrief,
    KeepFeedback,
    KeepReport,
    KeepWords,
    NoteWait,
    OpenSessionRoom,
)
from chatserver.domain.listening.company import room_of_company
from chatserver.domain.listening.company_commands import (
    CloseCompanyRoom,
    CompanyEffect,
    DropCompanyRoom,
    LeaveCompanyRoom,
    OpenCompanyRoom,
    SeatInCompany,
    SetCompanyVoice,
)
from chatserver.domain.listening.state import room_of_session
from chatserver.domain.moderation.measures import HOUR
from chatserver.domain.rooms.rooms import Publication, Room, RoomId, RoomKind, Voice, room_channel
from chatserver.store import cards, evidence, reading, report_access
from chatserver.store import listening_statements as sql
from chatserver.store import moderation_statements as moderation_sql
from chatserver.store import rooms_statements as rooms_sql
from chatserver.store.closed_rooms import HeldRooms, hold
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op
from chatserver.store.core.sealing import Sealer
from chatserver.store.moderation_lock import hold_moderation
from chatserver.store.report_rows import SNAPSHOT, new_id, report_row, urgent_among

_CAPACITY: Final = 8
_EffectOfRooms = OpenSessionRoom | AdmitToRoom | ExpelFromRoom | CloseSessionRoom | DropRoom
_KeepEffect = NoteWait | KeepWords | DropWords | KeepDebrief | KeepFeedback
_ROOM_EFFECTS: Final = (OpenSessionRoom, AdmitToRoom, ExpelFromRoom, CloseSessionRoom, DropRoom)


class SideEffects(msgspec.Struct):
    """The results of one command's effects."""

    publications: list[Publication] = []
    has_content_gone: bool = False


def carry_out(effects: Sequence[tuple[int, FloorEffect, Millis]], sealer: Sealer) -> Op[dict[int, SideEffects]]:
    """Carry out effects in order, each given with the number of its command and its time. Return the results by
    command.

    Raises only what the database raises.
    """
    if not effects:
        return {}
    rooms = yield from _hold([effect for _, effect, _ in effects])
    carried: dict[int, SideEffects] = {}
    for number, effect, now in effects:
        if isinstance(effect, KeepReport):
            yield from keep_report(effect, sealer)
        else:
            yield from _carry_out(effect, now, rooms, carried.setdefault(number, SideEffects()))
    yield from rooms.save()
    return carried


def _hold(effects: Iterable[FloorEffect]) -> Op[HeldRooms]:
    """Lock what the effects refer to, in the order in which every transaction locks."""
    rooms: set[RoomId] = set()
    members: set[MemberId] = set()
    for effect in effects:
        if isinstance(effect, _ROOM_EFFECTS):
            rooms.add(room_of_session(effect.session))
        elif isinstance(effect, CompanyEffect):
            rooms.add(room_of_company(effect.company))
        if isinstance(effect, OpenSessionRoom):
            members.update(effect.members)
        elif isinstance(effect, AdmitToRoom):
            members.add(effect.member)
        elif isinstance(effect, OpenCompanyRoom):
            members.add(effect.host)
        elif isinstance(effect, SeatInCompany):
            members.add(effect.member)
    return (yield from hold(rooms, members))


def _carry_out(
    effect: _EffectOfRooms | CompanyEffect | _KeepEffect, now: Millis, rooms: HeldRooms, carried: SideEffects
) -> Op[None]:
    match effect:
        case OpenSessionRoom():
            yield from rooms.open(_room_of(effect), effect.members, now)
        case AdmitToRoom(session=session, member=member):
            yield from rooms.admit(room_of_session(session), member)
        case ExpelFromRoom(session=session, member=member):
            yield from rooms.expel(room_of_session(session), member)
        case CloseSessionRoom(session=session):
            publication = yield from rooms.close(room_of_session(session), now)
            if publication is not None:
                carried.publications.append(publication)
        case DropRoom(session=session):
            carried.has_content_gone |= yield from rooms.drop(room_of_session(session))
        case _ if isinstance(effect, CompanyEffect):
            yield from _carry_out_in_company(effect, now, rooms, carried)
        case _:
            yield from _keep(effect)


def _carry_out_in_company(effect: CompanyEffect, now: Millis, rooms: HeldRooms, carried: SideEffects) -> Op[None]:
    room, publication = room_of_company(effect.company), None
    match effect:
        case OpenCompanyRoom(name=name, host=host):
            yield from rooms.open(Room(id=room, name=name, about="", kind=RoomKind.COMPANY), [host], now)
        case SeatInCompany(member=member):
            yield from rooms.admit(room, member, sees_from_now=True)
        case LeaveCompanyRoom(member=member):
            yield from rooms.expel(room, member)
        case SetCompanyVoice(is_open=is_open):
            voice = Voice(phase="company") if is_open else Voice(who="none", phase="no_host")
            publication = yield from rooms.set_voice(room, voice, now)
        case CloseCompanyRoom():
            publication = yield from rooms.close(room, now)
        case DropCompanyRoom():
            carried.has_content_gone |= yield from rooms.drop(room)
        case _:
            assert_never(effect)
    if publication is not None:
        carried.publications.append(publication)


def _room_of(effect: OpenSessionRoom) -> Room:
    return Room(
        id=room_of_session(effect.session), name=effect.name, about="", capacity=_CAPACITY, kind=RoomKind.SESSION
    )


def _keep(effect: _KeepEffect) -> Op[None]:
    match effect:
        case NoteWait():
            yield Call(sql.ADD_WAIT, [(effect.asked_at, effect.met_at)])
        case KeepWords():
            # The same words again come from the same command again.
            yield Call(sql.DROP_WORDS, [(effect.words_hash,)])
            yield Call(sql.ADD_WORDS, [(effect.words_hash, effect.listener, effect.expires_at)])
        case DropWords():
            yield Call(sql.DROP_WORDS, [(effect.words_hash,)])
        case KeepDebrief():
            yield from _keep_debrief(effect)
        case KeepFeedback():
            yield Call(sql.ADD_FEEDBACK, [(effect.heard, effect.heavy_before, effect.heavy_after, effect.at)])
        case _:
            assert_never(effect)


def keep_report(effect: KeepReport, sealer: Sealer) -> Op[None]:
    """Keep a report out of a closed room, with its last posts."""
    room, id_ = room_of_session(effect.session), new_id()
    rows = yield Call(rooms_sql.PAGE, [(room_channel(room), reading.NEWEST, SNAPSHOT)])
    posts = [decoding.post_of(row) for row in reversed(rows)]
    opened = yield from evidence.of_session(room_channel(room), effect.by, effect.about, posts, sealer)
    mine = yield from hold_moderation()
    same = yield from cards.open_like(effect)
    if same is not None:
        has_more = yield from evidence.add_to(same, opened, effect.at, sealer)
        yield from cards.say_again(mine, same, effect.reason, effect.note, effect.at, has_more=has_more)
        return
    before = yield Call(moderation_sql.REPORTS_OF, [(effect.by, effect.at - HOUR)])
    yield Call(
        sql.ADD_REPORT,
        [
            report_row(
                id_=id_,
                at=effect.at,
                by=effect.by,
                about=opened.about,
                room=room,
                reason=effect.reason,
                note=effect.note,
                is_call=effect.is_call,
                posts=opened.posts,
                offset=None,
                version=mine.version,
                sealed=evidence.sealed_for(evidence.Held(earlier=opened.earlier), sealer),
                erased_at=effect.at if opened.has_erased else None,
                is_about_staff=(yield from report_access.is_about_staff(effect.about, effect.by, room)),
                urgent_before=urgent_among(before),
            )
        ],
    )
    yield from report_access.shut_out(id_, effect.about, effect.by, room)
    yield from mine.rise()


def _keep_debrief(effect: KeepDebrief) -> Op[None]:
    mine, id_ = (yield from hold_moderation()), new_id()
    yield Call(sql.ADD_DEBRIEF, [(id_, effect.listener, effect.note, effect.at, None, None)])
    people = {effect.listener}
    if effect.session is not None:
        people |= yield from report_access.people_of_room(room_of_session(effect.session))
    yield from report_access.keep(id_, people)
    yield from mine.rise()
