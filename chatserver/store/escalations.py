"""Escalations: what a post's words raise for moderators, saved in the transaction that saves the post. Sans-I/O, like
`rooms_log`.

An escalation is a report without a reporter, so that everything that can be done with reports can be done with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from chatserver.domain.history import CommandId, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation import report_queue
from chatserver.domain.moderation.crisis_phrases import URGENT, Category, Concern
from chatserver.domain.moderation.measures import PRESSING_TARGET, Report, ReportStatus
from chatserver.domain.moderation.report_queue import Folds
from chatserver.domain.rooms.rooms import Room, RoomKind
from chatserver.store import cards, evidence, folding, report_access
from chatserver.store import moderation_queue_statements as queue_sql
from chatserver.store import moderation_statements as sql
from chatserver.store import rooms_statements as rooms_sql
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op, Row
from chatserver.store.core.sealing import Sealer
from chatserver.store.moderation_lock import ModerationLock, hold_moderation
from chatserver.store.records import RoomChange
from chatserver.store.report_rows import report_row

BEFORE: Final = 10
"""Posts that go with an escalation from a themed room, including the one that raised it. From a session or a meeting
only that post goes, because what people say there in confidence is read no further than necessary."""
AGAIN: Final = 10 * 60_000
"""Milliseconds after which somebody whose escalation was closed may raise one of the same kind again. Urgent ones may
be raised at once."""

WORDS: Final = 200
"""Characters of the matched words that are kept with an escalation."""
MOST: Final = 3 * BEFORE
"""The most posts that an escalation holds, including those that raised the same again."""

Raised = tuple[RoomChange, Room, Offset]
"""A command whose words raise something, its room, and the offset of the post that contains them."""


def escalate(raised: Sequence[Raised], sealer: Sealer) -> Op[None]:
    """Save what the words of posts raise, on one card for each person, and fold floods.

    If an escalation of the same person, room and category, at least as serious, waits already, the post is added to it
    instead.
    """
    mine = yield from hold_moderation()
    has_risen = False
    for change, room, offset in raised:
        has_risen |= yield from _escalate(mine, change, room, offset, sealer)
    if has_risen:
        yield from mine.rise()


def _escalate(mine: ModerationLock, change: RoomChange, room: Room, offset: Offset, sealer: Sealer) -> Op[bool]:
    is_closed, is_session = room.kind.is_closed, room.kind is RoomKind.SESSION
    is_new = report_queue.is_new((yield from cards.since(change.author)), change.now)
    about_staff = yield from report_access.is_by_moderator(change.author)
    # A session is never part of a flood, because a listener has taken each seeker. What only operators see is not
    # folded.
    origin = change.origin if is_new and not is_session and not about_staff else None
    card: Report | None = None
    has_added = False
    for signal in change.signals:
        key = (change.author, room.id, signal.category.value, change.now - AGAIN)
        known = yield Call(sql.RAISED_URGENT if signal.level >= URGENT else sql.RAISED, [key])
        if known and known[0][1] >= signal.level:
            has_added |= yield from _add_to(mine, known[0], change, offset, sealer, is_closed=is_closed)
            if signal.is_pressing:
                has_added |= yield from _hurry(mine, known[0], change.now)
            continue
        # Only the first escalation of a post holds the posts before it.
        before = 1 if is_closed or card is not None else BEFORE
        rows = yield Call(rooms_sql.PAGE, [(change.channel, offset + 1, before)])
        posts = [decoding.post_of(row) for row in reversed(rows)]
        id_ = escalation_id(change.author, change.command_id, signal.category)
        # If the post was edited, its earlier versions belong to the escalation. Its author is present, so none is an
        # alias.
        opened = yield from evidence.of_post(change.channel, posts[-1], posts, sealer)
        row = report_row(
            id_=id_,
            at=change.now,
            by=None,
            about=change.author,
            room=room.id,
            reason=signal.category.value,
            note=f"{signal.words[:WORDS]}\n{signal.phrase}",
            is_call=False,
            posts=posts,
            offset=offset,
            version=mine.version,
            level=signal.level,
            is_about_staff=about_staff,
            is_new=is_new,
            score=signal.score,
            is_pressing=signal.is_pressing,
            address=None if origin is None else origin.path,
            sealed=evidence.sealed_for(evidence.Held(earlier=opened.earlier), sealer),
        )
        if card is None:
            card = yield from cards.card_of(change.author, room, change.now)
        card = yield from cards.add(card, row)
    if card is not None and card.fold is not None:
        yield Call(queue_sql.TOUCH_FOLD, [(change.now, mine.version, card.fold)])
    elif card is not None and origin is not None and card.status is ReportStatus.OPEN:
        yield from folding.fold(mine, Folds.WORDS, card, origin, change.now)
    return card is not None or has_added


def _add_to(
    mine: ModerationLock, known: Row, change: RoomChange, offset: Offset, sealer: Sealer, *, is_closed: bool
) -> Op[bool]:
    """Add a post to the escalation that waits for the same, because otherwise removing the post would leave nothing of
    it. For a session or a meeting no further post is added, only changes to the one that is there. Return whether
    anything is new."""
    id_, _, status, card = known
    if status == ReportStatus.CLOSED:
        return False
    rows = yield Call(rooms_sql.PAGE, [(change.channel, offset + 1, 1)])
    posts = [decoding.post_of(row) for row in rows]
    opened = yield from evidence.of_post(change.channel, posts[-1], posts, sealer)
    if not (yield from evidence.add_to(id_, opened, change.now, sealer, most=0 if is_closed else MOST)):
        return False
    yield Call(queue_sql.TOUCH_HOLDERS, [(change.now, mine.version, id_, card or id_)])
    return True


def _hurry(mine: ModerationLock, known: Row, now: Millis) -> Op[bool]:
    """Bring an escalation that waits forward, because what is added to it sounds urgent. Return whether it was."""
    id_, level, status, card = known
    if status != ReportStatus.OPEN or level >= URGENT:
        return False
    due = now + PRESSING_TARGET
    yield Call(queue_sql.HURRY, [(due, mine.version, id_, card or id_, due)])
    return True


def escalation_id(author: MemberId, command_id: CommandId, category: Category | Concern) -> str:
    """Return the id of what one command raises in one category."""
    return blake2b(f"{author} {command_id} {category}".encode(), digest_size=12).hexdigest()
