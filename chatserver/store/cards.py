"""One card for one person: what somebody's words raise, in however many rooms and of whatever kind, is one report that
holds the others; and what is reported again is added to the report that is open. Sans-I/O, like `log`.

A card shows the most serious of what it holds. When something more serious comes, the two change places, so that a card
keeps its id, its notes and whoever took it.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.commands import KeepReport
from chatserver.domain.listening.state import room_of_session
from chatserver.domain.moderation.crisis_phrases import URGENT
from chatserver.domain.moderation.measures import DANGER, NOTE_LENGTH, Report, ReportStatus, due_at
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.moderation.report_queue import (
    CARD_FOR,
    Rank,
    band_of,
    given_back,
    rank_in,
    rank_of,
    rings_again,
    taken,
)
from chatserver.domain.rooms.rooms import Room, RoomKind
from chatserver.store import folding, report_access
from chatserver.store import listening_statements as floor_sql
from chatserver.store import moderation_queue_statements as sql
from chatserver.store.core.compiler import Call, Op, Params
from chatserver.store.moderation_lock import ModerationLock
from chatserver.store.report_rows import report_of

MOST_NOTE: Final = 4 * NOTE_LENGTH
"""Characters of everything that a reporter wrote in one report, again and again."""
_CUT: Final = "\n\n[...]\n\n"
"""Where something in between was left out."""


def since(who: MemberId) -> Op[Millis | None]:
    """Return when somebody first came; None where they are no more."""
    rows = yield Call(sql.SINCE, [(who,)])
    return Millis(rows[0][0]) if rows else None


# ------------------------------------------------------------------------------------------------ a person's card


def card_of(who: MemberId, room: Room, now: Millis) -> Op[Report | None]:
    """Return the card that what somebody writes in a room at `now` belongs on; None where there is none, or it is
    closed or a day old."""
    if room.kind is RoomKind.SESSION:
        rows = yield Call(sql.CARD_OF_SESSION, [(who, now - CARD_FOR, room.id)])
    else:
        rows = yield Call(sql.CARD_OF_ROOMS, [(who, now - CARD_FOR)])
    found = report_of(rows[0]) if rows else None
    return None if found is None or found.status is ReportStatus.CLOSED else found


def add(card: Report | None, row: Params) -> Op[Report]:
    """Put a new escalation (its columns) on a card, or make the card of it. Return the card as it is afterwards."""
    new = dict(zip(sql.COLUMNS, row, strict=True))
    if card is None:
        yield Call(floor_sql.ADD_REPORT, [row])
        yield from report_access.shut_out(new["id"], new["about"], None, new["room"])
        return report_of([new.get(c.name) for c in sql.REPORT_FIELDS])
    now: Millis = new["at"]
    has_risen = new["level"] > (card.level or 0)
    # Whoever is not new any more is not part of a flood of new people.
    fold = card.fold if new["is_new"] or new["level"] < URGENT else None
    if has_risen:
        yield from _change_places(card, new, fold)
        due, band = min(card.due_at, new["due_at"]), new["band"]
    else:
        part = {**new, "card": card.id, "rings_at": None, "status": card.status, "claimed_by": card.claimed_by}
        yield Call(floor_sql.ADD_REPORT, [tuple(part.values())])
        yield from report_access.shut_out(new["id"], new["about"], None, new["room"])
        is_out = fold != card.fold
        ((rings_at,),) = yield Call(sql.RINGS_AT, [(card.id,)])
        due, band = card.due_at, card.band
        if new["level"] >= URGENT and rings_again(card.status, card.band, due, rings_at, now):
            # Whoever took it may have gone.
            rings_at, due = now, min(due, new["due_at"])
        yield Call(sql.SET_NEWEST, [(now, fold, due, now if is_out else rings_at, new["version"], card.id)])
    level = max(new["level"], card.level or 0)
    return msgspec.structs.replace(card, level=level, fold=fold, newest_at=now, due_at=due, band=band)


def _change_places(card: Report, new: dict[str, Any], fold: str | None) -> Op[None]:
    """Make the new escalation what the card shows, and what it showed one of those that it holds."""
    (row,) = yield Call(sql.WHOLE, [(card.id,)])
    shown = dict(zip(sql.COLUMNS, row, strict=True))
    id_ = blake2b(f"{card.id} {shown['room']} {shown['reason']} {shown['level']}".encode(), digest_size=12).hexdigest()
    part = {**shown, "id": id_, "card": card.id, "fold": None, "rings_at": None, "newest_at": None}
    yield Call(floor_sql.ADD_REPORT, [tuple(part.values())])
    yield from report_access.shut_out(id_, shown["about"], None, shown["room"])
    rings_at = new["rings_at"] if fold is None else None
    content = {**new, "due_at": min(card.due_at, new["due_at"]), "fold": fold, "newest_at": new["at"]}
    yield Call(sql.SET_CONTENT, [(*({**content, "rings_at": rings_at}[name] for name in sql.CONTENT), card.id)])


# ------------------------------------------------------------------------------------------------ what is done with it


def follow(mine: ModerationLock, by: Asker, before: Report, after: Report, now: Millis) -> Op[list[MemberId]]:
    """Let when it is due, and everything that a report holds, follow what was decided about it. Return whom that
    concerns beside those whom the report itself names.

    Whoever takes one out of a flood, or closes it, has it by itself from then on. Closing a flood closes what is left
    in it, with the same answer to everybody who reported.
    """
    placed = after
    if after.status is ReportStatus.CLAIMED and after.claimed_by != before.claimed_by:
        placed = taken(after, now)
    elif after.status is ReportStatus.OPEN:
        placed = given_back(after)
    yield Call(sql.SET_TURN, [(placed.due_at, after.id)])
    case = (after.status, after.claimed_by, after.closed_at, after.outcome, after.reply, mine.version)
    yield Call(sql.FOLLOW_CARD, [(*case, after.id)])
    if after.folds is None or after.status is not ReportStatus.CLOSED:
        return []
    yield Call(sql.UNFOLD_OTHERS, [(*report_access.params_of(by), after.id)])
    held = yield Call(sql.FOLDED, [(after.id,)])
    for row in held:
        yield Call(sql.FOLLOW_CARD, [(*case, row[0])])
    yield Call(sql.FOLLOW_FOLD, [(*case, after.id)])
    return [MemberId(row[2]) for row in held if row[2] is not None]


# ------------------------------------------------------------------------------------------------ saying it again


def say_again(
    mine: ModerationLock, which: str, reason: str, note: str, now: Millis, *, has_more: bool, urgent_before: int = 0
) -> Op[None]:
    """Add what a person says when they report again what they have reported to the report that is open.

    `has_more` says that there is something new to read in it as well, which moderators are to see. `urgent_before`
    counts the other open urgent reports of the same person.

    A report that becomes one of danger is as urgent from now on as any other of theirs, and rings where that is now. So
    does an urgent one that somebody took some time ago. What it says joins the flood that it is in. The same again
    changes nothing else.
    """
    ((known, first, is_call, due, band, is_new, rings_at, status, fold),) = yield Call(sql.SAID, [(which,)])
    is_danger = reason == DANGER and first != DANGER and not is_call
    line = note if reason == first or is_danger else f"[{reason}] {note}".strip()
    is_said = line in ("", *known.split("\n\n"))
    rings = rings_again(ReportStatus(status), band, due, rings_at, now)
    if is_said and not is_danger and not has_more and not rings:
        return
    said = known if is_said else _with(known, line)
    if is_danger:
        rank = rank_of(reason=DANGER, is_call=False, level=None, urgent_before=urgent_before)
        band, due, rings = band_of(rank, is_new=bool(is_new)), min(due, due_at(now, DANGER, False)), rank is Rank.NOW
    if rings:
        due, rings_at = min(due, due_at(now, DANGER, False)), now
    row = (said, DANGER if is_danger else first, due, band, rings_at, now, mine.version, which)
    yield Call(sql.SET_SAID, [row])
    if fold is not None:
        yield from folding.said_within(mine, fold, rank_in(band), now)
    yield from mine.rise()


def _with(known: str, line: str) -> str:
    """Return everything that was said, with one more line: at most `MOST_NOTE` characters, the first words and the
    newest of it."""
    said = f"{known}\n\n{line}".strip()
    if len(said) <= MOST_NOTE:
        return said
    return f"{said[:NOTE_LENGTH]}{_CUT}{said[len(_CUT) + NOTE_LENGTH - MOST_NOTE :]}"


def open_like(asked: KeepReport) -> Op[str | None]:
    """Return the open report of a session, of the last day, that says the same already: a call by whomever, or this
    person's report of the same person for the same reason. None where there is none."""
    room, since_ = room_of_session(asked.session), asked.at - CARD_FOR
    if asked.is_call:
        rows = yield Call(sql.OPEN_CALL, [(room, since_)])
        return rows[0][0] if rows else None
    rows = yield Call(sql.OPEN_LIKE, [(asked.by, room, asked.reason, since_)])
    return next((row[0] for row in rows if row[1] == asked.about), None)
