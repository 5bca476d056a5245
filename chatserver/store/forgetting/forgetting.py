"""Expiring what is old, and erasing people who ask for it. Sans-I/O, like `rooms_log`.

`docs/decisions/0021` says what stays in place of a person, and what each database does with the removed bytes.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final, NamedTuple

import msgspec

from chatserver.domain.history import ChannelName, Head, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.evidence import Ended
from chatserver.domain.people.account_acts import AccountAct
from chatserver.domain.rooms.rooms import Post, Publication, Reacted, Reaction, Redacted, is_closed_room, room_of
from chatserver.store import (
    accounts,
    arrivals,
    evidence,
    exchange_log,
    listening_log,
    meeting_groups,
    meeting_log,
    moderation,
    room_settings,
    screening,
    staff,
)
from chatserver.store import evidence_statements as evidence_sql
from chatserver.store import exchange_statements as exchange_sql
from chatserver.store import hiding_statements as hiding_sql
from chatserver.store import listening_statements as floor_sql
from chatserver.store import people_statements as people_sql
from chatserver.store import room_settings_statements as house_sql
from chatserver.store import rooms_statements as rooms_sql
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op, Row
from chatserver.store.core.sealing import Sealer
from chatserver.store.forgetting import listening
from chatserver.store.forgetting import statements as sql
from chatserver.store.listening_rows import ListeningRows
from chatserver.store.records import Retention
from chatserver.store.rooms_log import ChannelState, event_row, post_values, save_heads

ERASED: Final = evidence.NOBODY
ERASED_NAME: Final = "Someone"

_NOBODY: Final = evidence.Nobody(ERASED, ERASED_NAME)

PUBLICATIONS_AT_ONCE: Final = 1_000
MEMBERS_AT_ONCE: Final = 200
"""The most that one call of `expire` removes."""
PUBLICATIONS_IN_ONE_TRANSACTION: Final = 50
MEMBERS_IN_ONE_TRANSACTION: Final = 10
"""What is written meanwhile waits for one of these transactions at most: a few milliseconds."""
VACUUM_EVERY: Final = 3_600_000
"""Milliseconds between two rewrites of a file from which something was removed, however many were requested."""
TRY_AGAIN_AFTER: Final = 5 * 60_000
"""Milliseconds after which a rewrite that failed is tried again."""


class Cut(NamedTuple):
    """The head of a channel after old publications were removed, and how many they were."""

    head: Head
    removed: int


class Pruned(NamedTuple):
    """What `prune` removed. `has_dropped` says that rooms were dropped since the last scrub, and `dropped` counts all
    rooms ever dropped."""

    removed_anything: bool
    has_dropped: bool
    dropped: int


def erase(who: MemberId, now: Millis, sealer: Sealer) -> Op[list[Publication]]:
    # Every decision in listening locks the listening state's row, every one on a meeting the meeting's, every join or
    # mute the member's, every post the channel's. Once all are locked, nothing of this person can be written any more.
    floor = yield from listening_log.locked(ListeningRows())
    yield from exchange_log.hold()
    yield from meeting_groups.hold(who)
    yield Call(people_sql.LOCK_MEMBER, [(who,)])
    yield from staff.require_another_operator(who, now)
    names = sorted(ChannelName(row[0]) for row in (yield Call(sql.CHANNELS_OF, [(who,)])))
    states: dict[str, ChannelState] = {}
    if names:
        states = {
            row[0]: ChannelState(row) for row in (yield Call(rooms_sql.LOCK_CHANNELS, [(name,) for name in names]))
        }
    posts = {(row[0], Offset(row[1])): _own(who, row) for row in (yield Call(evidence_sql.OWN_WORDS, [(who,)]))}
    publications = yield from _take_reactions_back(who, states, posts, now)
    emptied = [place for place in sorted(posts) if not posts[place].redacted]
    redactions = [states[place[0]].publish(Redacted(target=place[1]), now) for place in emptied]
    publications += redactions
    copies = [
        evidence.copy_row(made.channel, posts[place], made.offset, made.at, Ended.ERASED, sealer)
        for place, made in zip(emptied, redactions, strict=True)
    ]
    if copies:
        yield Call(evidence_sql.ADD_COPIES, copies)
    yield Call(sql.DROP_REACTIONS_ON, [(who,)])
    yield Call(sql.DROP_REACTIONS_BY, [(who,)])
    yield Call(sql.BLANK_POSTS, [(ERASED_NAME, who)])
    yield Call(sql.DISOWN, [(ERASED, who)])
    closed = [name for name in names if is_closed_room(room_of(name))]
    for statement in sql.FORGET_VOICES if closed else ():
        yield Call(statement, [(who, ERASED, name) for name in closed])
    if publications:
        yield Call(rooms_sql.ADD_EVENTS, [event_row(item, ERASED, (None, 0, None)) for item in publications])
    ended = yield from listening.take_off(floor, who, _NOBODY, now)
    publications += yield from listening.close_rooms(ended or [], states, now)
    yield from save_heads(states.values())
    publications += yield from meeting_log.take_out(who, now, sealer)
    yield from meeting_groups.forget(who, now, sealer)
    yield from exchange_log.forget(who, now)
    was_staff = yield from staff.forget(who)
    yield from room_settings.forget(who, ERASED)
    yield from _drop_member(who)
    # Last, because moderation's lock is the last that any transaction takes.
    had_text = yield from listening.forget_what_was_kept(who, _NOBODY, now, sealer)
    had_measures = yield from moderation.forget(who, ERASED, now, sealer)
    if was_staff:
        yield from accounts.enter(AccountAct.ERASED, who, now, by=who)
    if posts or ended is not None or had_text or was_staff or had_measures:
        # Owed until it is done, even if this worker dies before it can answer.
        yield Call(sql.ASK_FOR_REWRITE, [()])
    return publications


def _own(who: MemberId, row: Row) -> Post:
    _, offset, redacted, name, text, warning, at, edited_at = row
    return Post(
        offset=offset,
        author=who,
        name=name,
        text=text,
        at=at,
        warning=warning,
        edited_at=edited_at,
        redacted=bool(redacted),
    )


def _take_reactions_back(
    who: MemberId, states: dict[str, ChannelState], own: Container[tuple[str, Offset]], now: Millis
) -> Op[list[Publication]]:
    rows = yield Call(people_sql.REACTIONS_OF, [(who,)])
    taken = [(row[1], row[2], Reaction(row[3])) for row in rows if (row[1], row[2]) not in own]
    if not taken:
        return []
    places = list(dict.fromkeys((channel, offset) for channel, offset, _ in taken))
    found = yield Call(rooms_sql.FIND_POSTS, places)
    posts: dict[tuple[str, int], Post] = {(row[0], row[1]): decoding.post_of(row[1:]) for row in found}
    publications: list[Publication] = []
    for channel, offset, reaction in taken:
        post = posts[(channel, offset)]
        counts = {key: count - (key is reaction) for key, count in post.reactions.items()}
        counts = {key: count for key, count in counts.items() if count > 0}
        posts[(channel, offset)] = msgspec.structs.replace(post, reactions=counts)
        event = Reacted(target=Offset(offset), by=ERASED, reaction=reaction, on=False, counts=counts)
        publications.append(states[channel].publish(event, now))
    yield Call(rooms_sql.SET_POSTS, [post_values(ChannelName(key[0]), posts[key]) for key in places])
    return publications


def _drop_member(who: MemberId) -> Op[None]:
    yield Call(people_sql.DROP_MEMBERSHIPS, [(who,)])
    yield Call(house_sql.DROP_MOVES_OF, [(who,)])
    yield Call(hiding_sql.DROP_MUTES, [(who,)])
    yield from arrivals.forget(who)
    yield Call(exchange_sql.DROP, [(who,)])
    yield Call(people_sql.DROP_MEMBER, [(who,)])


def rooms_to_expire(now: Millis, retention: Retention) -> Op[list[ChannelName]]:
    """Return the channels that hold publications which are older than is allowed, sorted."""
    old, young = _old(now, retention), now - retention.dedupe_window
    return sorted(
        ChannelName(name)
        for name, first, last, oldest in (yield Call(sql.OLDEST, [()]))
        if oldest < old or (last - first + 1 > retention.posts_per_room and oldest < young)
    )


def expire_room(name: ChannelName, now: Millis, retention: Retention, at_most: int) -> Op[Cut | None]:
    """Remove at most so many old publications of a channel. Returns None where there was nothing to remove."""
    locked = yield Call(rooms_sql.LOCK_CHANNELS, [(name,)])
    if not locked:
        return None
    state = ChannelState(locked[0])
    bound = state.first + at_most - 1
    cut = 0
    for upto, before in (
        (min(bound, state.last), _old(now, retention)),
        (min(bound, state.last - retention.posts_per_room), now - retention.dedupe_window),
    ):
        for (offset,) in (yield Call(sql.CUT, [(name, upto, before)])):
            cut = max(cut, offset)
    if cut < state.first:
        return None
    removed = cut + 1 - state.first
    yield Call(sql.DROP_LOG, [(name, cut)])
    yield Call(sql.DROP_OLD_REACTIONS, [(name, cut)])
    yield Call(evidence_sql.DROP_COPIES, [(name, cut)])
    state.first = Offset(cut + 1)
    yield Call(rooms_sql.SET_FIRST, [(state.first, name)])
    yield Call(sql.ASK_FOR_REWRITE, [()])
    return Cut(state.head, removed)


def forget_unseen_members(now: Millis, retention: Retention, at_most: int) -> Op[int]:
    """Remove members who were not here for too long, at most so many. Returns how many they were."""
    members = yield Call(sql.UNSEEN_MEMBERS, [(now - _member_age(retention), at_most)])
    for (who,) in members:
        yield from _drop_member(MemberId(who))
    if members:
        yield Call(sql.ASK_FOR_REWRITE, [()])
    return len(members)


def prune(now: Millis, retention: Retention) -> Op[Pruned]:
    """Remove everything else that is old: what each feature keeps for a time."""
    # First, because its lock comes before those of the others.
    yield from exchange_log.prune(now)
    yield from moderation.prune(now, retention)
    yield from room_settings.prune(now)
    yield from screening.prune(now)
    yield from accounts.prune(now)
    yield from arrivals.prune(now)
    yield from meeting_groups.prune(now)
    was_written = yield from listening.prune(now, retention)
    ((dropped, scrubbed),) = yield Call(floor_sql.DROPPED, [()])
    has_dropped = dropped > scrubbed
    if has_dropped or was_written:
        yield Call(sql.ASK_FOR_REWRITE, [()])
    return Pruned(has_dropped or was_written, has_dropped, dropped)


def note_scrubbed(dropped: int) -> Op[None]:
    """What was dropped so far cannot be read any more."""
    yield Call(floor_sql.NOTE_SCRUBBED, [(dropped,)])


def owed(now: Millis) -> Op[int | None]:
    """Return how many rewrites were ever requested, or None if none is owed or the last one was less than an hour
    ago."""
    ((asked, rewritten, vacuumed_at),) = yield Call(sql.REWRITES, [()])
    return int(asked) if asked > rewritten and now - vacuumed_at >= VACUUM_EVERY else None


def begin_rewrite(now: Millis) -> Op[int | None]:
    """Claim the rewrite that is owed, so that no other worker does it. Returns what `owed` returns."""
    yield Call(sql.BEAT, [()])
    asked = yield from owed(now)
    if asked is not None:
        yield Call(sql.SET_VACUUMED_AT, [(now,)])
    return asked


def put_off_rewrite(now: Millis) -> Op[None]:
    """Let a rewrite that failed be tried again before the hour is over."""
    yield Call(sql.SET_VACUUMED_AT, [(now - VACUUM_EVERY + TRY_AGAIN_AFTER,)])


def note_rewritten(asked: int) -> Op[None]:
    """Note that the rewrites requested up to `asked` are done."""
    yield Call(sql.NOTE_REWRITTEN, [(asked,)])


def _old(now: Millis, retention: Retention) -> int:
    return now - max(retention.room_age, retention.dedupe_window)


def _member_age(retention: Retention) -> int:
    return max(retention.member_age, retention.dedupe_window)


def beat() -> Op[None]:
    """Write something that nobody reads, to prove that writing works."""
    yield Call(sql.BEAT, [()])
