"""Reporting, and what moderators do about it: the commands. `enforcement.py` says who is shown what, and when."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import Person
from chatserver.domain.moderation.measures import NOTE_LENGTH, MeasureKind, TakeMeasure
from chatserver.domain.moderation.report_queue import QueuePlace, place_at
from chatserver.domain.text.cleaning import optional
from chatserver.handlers.answer import Answer
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.moderation import enforcement
from chatserver.handlers.moderation.askers import asker_of
from chatserver.handlers.moderation.enforcement import Enforcement
from chatserver.handlers.people import aliases
from chatserver.protocol.fields import Command, DoneOk
from chatserver.protocol.moderation.messages import (
    AskReports,
    ClaimReport,
    CloseReport,
    LiftMeasure,
    NoteReport,
    OpenReport,
    PageReports,
    ReleaseReport,
    ReportPost,
    ReviewReport,
    SeenModerationNotices,
    TakeMeasureCommand,
)
from chatserver.protocol.moderation.views import MeasureOk
from chatserver.store.moderation_records import RoomReport, ShownReport


async def report_post(moderation: Enforcement, connection: Connection, person: Person, command: ReportPost) -> Answer:
    """Report a post or a person to the moderators. The same command sent again, on any worker, is the same report."""
    if (command.offset is None) is (command.member is None):
        raise Refusal(Reason.INVALID, details={"field": "$.offset", "problem": "either a post or a person"})
    await moderation.node.store.report(
        RoomReport(
            id=_id_of(person, command.id),
            at=moderation.node.now(),
            by=person.id,
            room=command.room,
            offset=command.offset,
            epoch=command.epoch,
            about=None if command.member is None else aliases.in_room(moderation.node, command.room, command.member),
            reason=command.reason,
            note=optional(command.note, NOTE_LENGTH),
            origin=moderation.node.origin_of(connection),
        )
    )
    return Answer(DoneOk())


async def seen(
    moderation: Enforcement, connection: Connection, person: Person, command: SeenModerationNotices
) -> Answer:
    await moderation.node.store.see_moderation_notices(person.id, command.ids, moderation.node.now())
    return Answer(DoneOk())


async def reports(moderation: Enforcement, connection: Connection, person: Person, command: AskReports) -> Answer:
    """Answer with the queue of reports, and push it from now on whenever it changes."""
    return Answer(await moderation.watch(connection, person))


async def report_page(moderation: Enforcement, connection: Connection, person: Person, command: PageReports) -> Answer:
    """Answer with one more page of the queue, or of what a report holds."""
    after: QueuePlace | None = None
    if command.after is not None and (after := place_at(command.after)) is None:
        raise Refusal(Reason.INVALID, details={"field": "$.after", "problem": "not the `next` of a page"})
    return Answer(
        enforcement.page_of(await moderation.node.store.queue_page(asker_of(connection, person), after, command.within))
    )


async def open_report(moderation: Enforcement, connection: Connection, person: Person, command: OpenReport) -> Answer:
    asker = asker_of(connection, person)
    # Where whoever it is about came from is shown with it.
    await moderation.arrivals.flush()
    return Answer(
        enforcement.file_of(
            await moderation.node.store.open_report(command.report, asker, command.why, moderation.node.now())
        )
    )


async def claim(moderation: Enforcement, connection: Connection, person: Person, command: ClaimReport) -> Answer:
    now, asker = moderation.node.now(), asker_of(connection, person)
    made_at = await moderation.node.store.claim_report(command.report, asker, command.instead_of, command.why, now)
    if made_at is not None:
        moderation.node.metrics.report_claim_seconds.observe(max(0, now - made_at) / 1000)
    return Answer(DoneOk())


async def release(moderation: Enforcement, connection: Connection, person: Person, command: ReleaseReport) -> Answer:
    await moderation.node.store.release_report(command.report, asker_of(connection, person), moderation.node.now())
    return Answer(DoneOk())


async def note(moderation: Enforcement, connection: Connection, person: Person, command: NoteReport) -> Answer:
    note_id = _id_of(person, command.id)
    asker = asker_of(connection, person)
    await moderation.node.store.note_report(command.report, asker, command.note, note_id, moderation.node.now())
    return Answer(DoneOk())


async def close(moderation: Enforcement, connection: Connection, person: Person, command: CloseReport) -> Answer:
    """Decide a report; one about staff is closed once a second person has agreed (`review`)."""
    now, asker = moderation.node.now(), asker_of(connection, person)
    made_at = await moderation.node.store.close_report(
        command.report, asker, command.outcome, command.reply, now, ShownReport(seen=_millis(command.seen))
    )
    return _closed(moderation, made_at, now)


async def review(moderation: Enforcement, connection: Connection, person: Person, command: ReviewReport) -> Answer:
    """Agree with the outcome that somebody else has proposed for a report about staff, or refuse it."""
    now, asker = moderation.node.now(), asker_of(connection, person)
    shown = ShownReport(seen=_millis(command.seen), outcome=command.outcome, reply=command.reply)
    made_at = await moderation.node.store.review_report(
        command.report, asker, command.why, now, shown, is_agreed=command.agree
    )
    return _closed(moderation, made_at, now)


def _millis(seen: int | None) -> Millis | None:
    return None if seen is None else Millis(seen)


def _closed(moderation: Enforcement, made_at: Millis | None, now: Millis) -> Answer:
    if made_at is not None:
        moderation.node.metrics.report_close_seconds.observe(max(0, now - made_at) / 1000)
    return Answer(DoneOk())


async def measure(
    moderation: Enforcement, connection: Connection, person: Person, command: TakeMeasureCommand
) -> Answer:
    """Take a measure about somebody. The same command sent again is the same measure."""
    asked = TakeMeasure(
        id=_id_of(person, command.id),
        by=person.id,
        about=None
        if command.member is None
        else aliases.of_staff(moderation.node, connection, command.room, command.member),
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
    await moderation.arrivals.flush()
    now = moderation.node.now()
    taken = await moderation.node.store.take_measure(asked, now)
    if taken.measure.at == now:
        # Otherwise it is an old one, and was asked for again.
        moderation.node.metrics.measures_taken.labels(taken.measure.kind.value).inc()
    moderation.node.hub.announce(taken.publications)
    if taken.measure.kind is MeasureKind.BAN:
        for part in moderation.node.parts:
            await part.member_banned(taken.measure.about)
    return Answer(MeasureOk(measure=taken.measure.id, until=taken.measure.expires_at))


async def lift(moderation: Enforcement, connection: Connection, person: Person, command: LiftMeasure) -> Answer:
    await moderation.node.store.lift_measure(command.measure, person.id, command.reason, moderation.node.now())
    return Answer(DoneOk())


def _id_of(person: Person, command_id: str) -> str:
    """Return the id of what a command makes, which is the same for the same command."""
    return blake2b(f"{person.id} {command_id}".encode(), digest_size=12).hexdigest()


COMMANDS: Final[Mapping[type[Command], Handler]] = {
    ReportPost: report_post,
    SeenModerationNotices: seen,
    AskReports: reports,
    PageReports: report_page,
    OpenReport: open_report,
    ClaimReport: claim,
    ReleaseReport: release,
    NoteReport: note,
    CloseReport: close,
    ReviewReport: review,
    TakeMeasureCommand: measure,
    LiftMeasure: lift,
}
"""The commands of moderation. Their context is an `Enforcement`."""
