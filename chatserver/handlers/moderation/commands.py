"""Reporting, and what moderators do about it: the commands. `enforcement.py` says who is shown what, and when."""

from __future__ import annotations

import contextlib
from hashlib import blake2b

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening import commands as on_floor
from chatserver.domain.moderation.measures import NOTE_LENGTH, MeasureKind, TakeMeasure
from chatserver.domain.moderation.report_queue import Place, place_at
from chatserver.domain.text.cleaning import optional
from chatserver.handlers.answer import Answer
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening import views
from chatserver.handlers.moderation import enforcement
from chatserver.handlers.moderation.askers import asker_of
from chatserver.handlers.node import Node
from chatserver.handlers.people import aliases
from chatserver.protocol.messages import DoneOk
from chatserver.protocol.moderation.messages import (
    AskDebriefs,
    AskReports,
    ClaimReport,
    CloseReport,
    DebriefsOk,
    LiftMeasure,
    MeasureOk,
    NoteReport,
    OpenReport,
    PageReports,
    ReadDebrief,
    ReleaseReport,
    ReportPost,
    ReviewReport,
    SeenMatters,
    TakeMeasureCommand,
)
from chatserver.store.moderation_contract import RoomReport, Shown


async def report_post(node: Node, connection: Connection, person: Person, command: ReportPost) -> Answer:
    """Tell the moderators. The same command sent again, on any worker, is the same report."""
    if (command.offset is None) is (command.member is None):
        raise Refusal(Reason.INVALID, details={"field": "$.offset", "problem": "either a post or a person"})
    await node.store.report(
        RoomReport(
            id=_id_of(person, command.id),
            at=node.now(),
            by=person.id,
            room=command.room,
            offset=command.offset,
            epoch=command.epoch,
            about=None if command.member is None else aliases.in_room(node, command.room, command.member),
            reason=command.reason,
            note=optional(command.note, NOTE_LENGTH),
            origin=node.origin_of(connection),
        )
    )
    return await _changed(node)


async def seen(node: Node, connection: Connection, person: Person, command: SeenMatters) -> Answer:
    await node.store.see_matters(person.id, command.ids, node.now())
    return Answer(DoneOk())


async def reports(node: Node, connection: Connection, person: Person, command: AskReports) -> Answer:
    """What there is to do, now and whenever it changes."""
    return Answer(await node.watch.watch(connection, person))


async def report_page(node: Node, connection: Connection, person: Person, command: PageReports) -> Answer:
    """Answer with one more page of the queue, or of what a report holds."""
    after: Place | None = None
    if command.after is not None and (after := place_at(command.after)) is None:
        raise Refusal(Reason.INVALID, details={"field": "$.after", "problem": "not the `next` of a page"})
    return Answer(enforcement.page_of(await node.store.queue_page(asker_of(connection, person), after, command.within)))


async def open_report(node: Node, connection: Connection, person: Person, command: OpenReport) -> Answer:
    asker = asker_of(connection, person)
    # Where whoever it is about came from is shown with it.
    await node.arrivals.flush()
    return Answer(enforcement.file_of(await node.store.open_report(command.report, asker, command.why, node.now())))


async def claim(node: Node, connection: Connection, person: Person, command: ClaimReport) -> Answer:
    now, asker = node.now(), asker_of(connection, person)
    made_at = await node.store.claim_report(command.report, asker, command.instead_of, command.why, now)
    if made_at is not None:
        node.metrics.report_claim_seconds.observe(max(0, now - made_at) / 1000)
    return await _changed(node)


async def release(node: Node, connection: Connection, person: Person, command: ReleaseReport) -> Answer:
    await node.store.release_report(command.report, asker_of(connection, person), node.now())
    return await _changed(node)


async def note(node: Node, connection: Connection, person: Person, command: NoteReport) -> Answer:
    note_id = _id_of(person, command.id)
    asker = asker_of(connection, person)
    await node.store.note_report(command.report, asker, command.note, note_id, node.now())
    return Answer(DoneOk())


async def close(node: Node, connection: Connection, person: Person, command: CloseReport) -> Answer:
    """Decide a report; one about staff is closed once a second person has agreed (`review`)."""
    now, asker = node.now(), asker_of(connection, person)
    made_at = await node.store.close_report(
        command.report, asker, command.outcome, command.reply, now, Shown(seen=_millis(command.seen))
    )
    return await _closed(node, made_at, now)


async def review(node: Node, connection: Connection, person: Person, command: ReviewReport) -> Answer:
    """Agree with the outcome that somebody else has proposed for a report about staff, or refuse it."""
    now, asker = node.now(), asker_of(connection, person)
    shown = Shown(seen=_millis(command.seen), outcome=command.outcome, reply=command.reply)
    made_at = await node.store.review_report(command.report, asker, command.why, now, shown, is_agreed=command.agree)
    return await _closed(node, made_at, now)


def _millis(seen: int | None) -> Millis | None:
    return None if seen is None else Millis(seen)


async def _closed(node: Node, made_at: Millis | None, now: Millis) -> Answer:
    if made_at is not None:
        node.metrics.report_close_seconds.observe(max(0, now - made_at) / 1000)
    return await _changed(node)


async def measure(node: Node, connection: Connection, person: Person, command: TakeMeasureCommand) -> Answer:
    """Do something about somebody. The same command sent again is the same measure."""
    asked = TakeMeasure(
        id=_id_of(person, command.id),
        by=person.id,
        about=None if command.member is None else aliases.of_staff(node, connection, command.room, command.member),
        kind=command.kind,
        room=command.room,
        offset=command.offset,
        epoch=command.epoch,
        reason=command.reason,
        minutes=command.minutes,
        report=command.report,
        is_operator=asker_of(connection, person).is_operator,
    )
    # Whoever it is about may have come a moment ago.
    await node.arrivals.flush()
    now = node.now()
    taken = await node.store.take_measure(asked, now)
    if taken.measure.at == now:
        # Otherwise it is an old one, and was asked for again.
        node.metrics.measures_taken.labels(taken.measure.kind.value).inc()
    node.hub.announce(taken.publications)
    if taken.measure.kind is MeasureKind.BAN:
        await _take_off_the_floor(node, taken.measure.about)
    await node.watch.heed()
    return Answer(MeasureOk(measure=taken.measure.id, until=taken.measure.expires_at))


async def lift(node: Node, connection: Connection, person: Person, command: LiftMeasure) -> Answer:
    await node.store.lift_measure(command.measure, person.id, command.reason, node.now())
    return await _changed(node)


async def debriefs(node: Node, connection: Connection, person: Person, command: AskDebriefs) -> Answer:
    found = await node.store.debriefs(asker_of(connection, person), node.now())
    people = {each.listener for each in found} | {each.read_by for each in found if each.read_by is not None}
    names = await node.store.names(people)
    notes = tuple(enforcement.debrief_of(each, names) for each in found)
    return Answer(DebriefsOk(debriefs=notes, declines=views.declines(node.floor.picture)))


async def read_debrief(node: Node, connection: Connection, person: Person, command: ReadDebrief) -> Answer:
    await node.store.read_debrief(command.debrief, asker_of(connection, person), node.now())
    return await _changed(node)


async def _changed(node: Node) -> Answer:
    await node.watch.heed()
    return Answer(DoneOk())


async def _take_off_the_floor(node: Node, member: MemberId) -> None:
    """Whoever is banned waits for nobody, and nobody is kept in a session with them."""
    with contextlib.suppress(Refusal):
        await node.floor.do(member, on_floor.Withdraw())
    for session in [*node.floor.floor.sessions.values()]:
        if session.is_live and session.seeker == member:
            with contextlib.suppress(Refusal):
                await node.floor.do(member, on_floor.EndSession(session=session.id))


def _id_of(person: Person, command_id: str) -> str:
    """The id of what a command makes: the same for the same command."""
    return blake2b(f"{person.id} {command_id}".encode(), digest_size=12).hexdigest()
