"""Forgetting: what has expired, and people who ask to be forgotten. Sans-I/O, like `log`.

`docs/decisions/0021-forgetting.md` says what stays where a person was, and what each database does with the bytes.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final

import msgspec

from chatserver.domain.history import ChannelName, Head, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.rooms import Post, Publication, Reacted, Reaction, Redacted
from chatserver.store import floor_forgetting, floor_log, house, moderation, render, staff
from chatserver.store import floor_statements as floor_sql
from chatserver.store import forgetting_statements as sql
from chatserver.store import house_statements as house_sql
from chatserver.store import people_statements as people_sql
from chatserver.store import statements as rooms_sql
from chatserver.store.compiler import Call, Op
from chatserver.store.contract import Retention
from chatserver.store.floor_records import Records
from chatserver.store.log import ChannelState, event_row, post_values, save_heads

ERASED: Final = MemberId("m_erased")
"""The author of what erased people left: shorter than any member's id, and the same for all of them."""
ERASED_NAME: Final = "Someone"

_NOBODY: Final = floor_forgetting.Nobody(ERASED, ERASED_NAME)

PUBLICATIONS_AT_ONCE: Final = 1_000
MEMBERS_AT_ONCE: Final = 200
VACUUM_EVERY: Final = 3_600_000
"""Milliseconds between two rewrites of a file from which something was removed."""


class Expired(msgspec.Struct, frozen=True):
    """What one call of `expire` removed. `may_vacuum` says that the last rewrite was long enough ago; `has_dropped`
    that rooms were dropped since the last scrub, and `dropped` how many were ever."""

    heads: dict[ChannelName, Head]
    removed_anything: bool
    may_vacuum: bool
    has_dropped: bool
    dropped: int


class Erased(msgspec.Struct, frozen=True):
    """What an erasure published. `had_text` says whether anything in the database held words of the person."""

    publications: list[Publication]
    had_text: bool


def erase(who: MemberId, now: Millis) -> Op[Erased]:
    # Whoever decides anything on the floor holds its row, whoever joins or mutes the member's, whoever posts the
    # channel's. Once all are ours, nothing of this person can be written any more.
    floor = yield from floor_log.locked(Records())
    yield Call(people_sql.LOCK_MEMBER, [(who,)])
    yield from staff.require_another_operator(who)
    names = sorted(row[0] for row in (yield Call(sql.CHANNELS_OF, [(who,)])))
    states: dict[str, ChannelState] = {}
    if names:
        states = {
            row[0]: ChannelState(row) for row in (yield Call(rooms_sql.LOCK_CHANNELS, [(name,) for name in names]))
        }
    posts = {(row[0], Offset(row[1])): bool(row[2]) for row in (yield Call(sql.OWN_POSTS, [(who,)]))}
    publications = yield from _take_reactions_back(who, states, posts, now)
    publications += [
        states[place[0]].publish(Redacted(target=place[1]), now) for place in sorted(posts) if not posts[place]
    ]
    yield Call(sql.DROP_REACTIONS_ON, [(who,)])
    yield Call(sql.DROP_REACTIONS_BY, [(who,)])
    yield Call(sql.BLANK_POSTS, [(ERASED_NAME, who)])
    yield Call(sql.DISOWN, [(ERASED, who)])
    if publications:
        yield Call(rooms_sql.ADD_EVENTS, [event_row(item, ERASED, (None, 0, None)) for item in publications])
    ended = yield from floor_forgetting.take_off(floor, who, _NOBODY, now)
    publications += yield from floor_forgetting.close_rooms(ended or [], states, now)
    had_text = yield from floor_forgetting.forget_what_was_kept(who, _NOBODY)
    yield from save_heads(states.values())
    was_staff = yield from staff.forget(who)
    had_measures = yield from moderation.forget(who, ERASED)
    yield from house.forget(who, ERASED)
    yield from _drop_member(who)
    if was_staff:
        yield Call(floor_sql.NOTE_DROPPED, [()])
    return Erased(publications, had_text=bool(posts or ended is not None or had_text or was_staff or had_measures))


def _take_reactions_back(
    who: MemberId, states: dict[str, ChannelState], own: Container[tuple[str, Offset]], now: Millis
) -> Op[list[Publication]]:
    rows = yield Call(people_sql.REACTIONS_OF, [(who,)])
    taken = [(row[1], row[2], Reaction(row[3])) for row in rows if (row[1], row[2]) not in own]
    if not taken:
        return []
    places = list(dict.fromkeys((channel, offset) for channel, offset, _ in taken))
    found = yield Call(rooms_sql.FIND_POSTS, places)
    posts: dict[tuple[str, int], Post] = {(row[0], row[1]): render.post_of(row[1:]) for row in found}
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
    yield Call(people_sql.DROP_MUTES, [(who,)])
    yield Call(people_sql.DROP_MEMBER, [(who,)])


def expire(now: Millis, retention: Retention) -> Op[Expired]:
    heads: dict[ChannelName, Head] = {}
    left = PUBLICATIONS_AT_ONCE
    # Sorted here, in the order in which everybody locks channels: a database may have another idea of it.
    for name, first, last, oldest in sorted(map(tuple, (yield Call(sql.OLDEST, [()])))):
        if left <= 0:
            break
        if oldest < _old(now, retention) or (
            last - first + 1 > retention.posts_per_room and oldest < now - retention.dedupe_window
        ):
            state = yield from _expire_channel(name, now, retention, left)
            if state is not None:
                left -= state.first - first
                heads[state.channel] = state.head
    members = yield Call(sql.UNSEEN_MEMBERS, [(now - _member_age(retention), MEMBERS_AT_ONCE)])
    for (who,) in members:
        yield from _drop_member(MemberId(who))
    yield from moderation.prune(now, retention)
    yield from house.prune(now)
    was_written = yield from floor_forgetting.prune(now, retention)
    ((dropped, scrubbed),) = yield Call(floor_sql.DROPPED, [()])
    has_dropped = dropped > scrubbed
    removed = bool(heads or members or has_dropped or was_written)
    may_vacuum = removed and (yield from _may_vacuum(now))
    return Expired(heads, removed, may_vacuum, has_dropped, dropped)


def note_scrubbed(dropped: int) -> Op[None]:
    """What was dropped so far cannot be read any more."""
    yield Call(floor_sql.NOTE_SCRUBBED, [(dropped,)])


def _expire_channel(name: str, now: Millis, retention: Retention, at_most: int) -> Op[ChannelState | None]:
    locked = yield Call(rooms_sql.LOCK_CHANNELS, [(name,)])
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
    yield Call(sql.DROP_LOG, [(name, cut)])
    yield Call(sql.DROP_OLD_REACTIONS, [(name, cut)])
    state.first = Offset(cut + 1)
    yield Call(rooms_sql.SET_FIRST, [(state.first, name)])
    return state


def _may_vacuum(now: Millis) -> Op[bool]:
    ((vacuumed_at,),) = yield Call(sql.VACUUMED_AT, [()])
    if now - vacuumed_at < VACUUM_EVERY:
        return False
    yield Call(sql.SET_VACUUMED_AT, [(now,)])
    return True


def _old(now: Millis, retention: Retention) -> int:
    return now - max(retention.room_age, retention.dedupe_window)


def _member_age(retention: Retention) -> int:
    return max(retention.member_age, retention.dedupe_window)


def beat() -> Op[None]:
    """A write that changes nothing that anybody reads."""
    yield Call(sql.BEAT, [()])
