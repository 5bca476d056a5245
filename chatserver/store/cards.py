"""A person's card: everything that somebody's words raise, in any room and of any kind, is one report that holds the
others; a repeated report is added to the one that is open. Sans-I/O, like `rooms_log`.

A card shows the most serious of its reports. When a more serious one is added, the contents are swapped, so that the
card keeps its id, its notes and the moderator who has claimed it.
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
"""The most characters that one report keeps of its reporter's notes, over all repetitions."""
_CUT: Final = "\n\n[...]\n\n"
"""The mark for text that was left out."""


def since(who: MemberId) -> Op[Millis | None]:
    """Return when a member first came, or None if they are no longer a member."""
    rows = yield Call(sql.SINCE, [(who,)])
    return Millis(rows[0][0]) if rows else None


# ------------------------------------------------------------------------------------------------ a person's card


def card_of(who: MemberId, room: Room, now: Millis) -> Op[Report | None]:
    """Return the card to which an escalation of somebody's words in a room at `now` belongs, or None if there is none,
    it is closed, or it is a day old."""
    if room.kind is RoomKind.SESSION:
        rows = yield Call(sql.CARD_OF_SESSION, [(who, now - CARD_FOR, room.id)])
    else:
        rows = yield Call(sql.CARD_OF_ROOMS, [(who, now - CARD_FOR)])
    found = report_of(rows[0]) if rows else None
    return None if found is None or found.status is ReportStatus.CLOSED else found


def add(card: Report | None, row: Params) -> Op[Report]:
    """Put a new escalation (its columns) on a card, or make it a card. Return the card as it is afterwards."""
    new = dict(zip(sql.COLUMNS, row, strict=True))
    if card is None:
        yield Call(floor_sql.ADD_REPORT, [row])
        yield from report_access.shut_out(new["id"], new["about"], None, new["room"])
        return report_of([new.get(c.name) for c in sql.REPORT_FIELDS])
    now: Millis = new["at"]
    has_risen = new["level"] > (card.level or 0)
    # Somebody who is no longer new is not part of a flood of new people.
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
            # The moderator who took it may have gone.
            rings_at, due = now, min(due, new["due_at"])
        yield Call(sql.SET_NEWEST, [(now, fold, due, now if is_out else rings_at, new["version"], card.id)])
        if new["is_pressing"]:
            yield Call(sql.HURRY, [(new["due_at"], new["version"], card.id, card.id, new["due_at"])])
    level = max(new["level"], card.level or 0)
    return msgspec.structs.replace(card, level=level, fold=fold, newest_at=now, due_at=due, band=band)


def _change_places(card: Report, new: dict[str, Any], fold: str | None) -> Op[None]:
    """Make the new escalation the content of the card, and the card's earlier content one of the reports that it
    holds."""
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
    """Update a report's due time, and everything that it holds, after a decision about it. Return the other members
    whom this concerns, besides those whom the report names.

    A report that is taken out of a flood or closed by itself no longer belongs to the flood. Closing a flood closes
    what is left in it, with the same answer to every reporter.
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
    """Add what a person says when they report the same thing again to their open report.

    `has_more` means that the report also holds something new to read, which moderators should see. `urgent_before`
    counts the other open urgent reports of the same person.

    A report whose reason becomes danger is ranked like any other urgent report of this person, and rings if its rank is
    NOW. An urgent report that somebody took some time ago rings again. What is said also counts in the flood that the
    report is in. A mere repetition changes nothing else.
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
    """Return everything that was said with one more line, shortened in the middle to at most `MOST_NOTE` characters."""
    said = f"{known}\n\n{line}".strip()
    if len(said) <= MOST_NOTE:
        return said
    return f"{said[:NOTE_LENGTH]}{_CUT}{said[len(_CUT) + NOTE_LENGTH - MOST_NOTE :]}"


def open_like(asked: KeepReport) -> Op[str | None]:
    """Return the id of a session's open report of the last day that says the same: any call, or this person's report of
    the same person for the same reason. None if there is none."""
    room, since_ = room_of_session(asked.session), asked.at - CARD_FOR
    if asked.is_call:
        rows = yield Call(sql.OPEN_CALL, [(room, since_)])
        return rows[0][0] if rows else None
    rows = yield Call(sql.OPEN_LIKE, [(asked.by, room, asked.reason, since_)])
    return next((row[0] for row in rows if row[1] == asked.about), None)
