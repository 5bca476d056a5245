"""Committing to rooms: load, decide and save a batch of commands in one transaction.

Sans-I/O: an operation yields the statements that it wants run and receives their rows; a driver runs them. What all
commands of a batch need is loaded once; what they change is kept here while they are decided one after another, and
written once at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, assert_never

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Epoch, Head, Millis, Offset, require_epoch
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.evidence import Ended
from chatserver.domain.moderation.measures import restriction_of
from chatserver.domain.rooms.decide import is_first_correction
from chatserver.domain.rooms.rooms import (
    Edited,
    Membership,
    Post,
    Posted,
    Publication,
    Reacted,
    Reaction,
    Redacted,
    Restriction,
    Room,
    RoomChanged,
    RoomEvent,
    RoomId,
    RoomState,
)
from chatserver.store import evidence_statements as evidence_sql
from chatserver.store import measures
from chatserver.store import rooms_statements as sql
from chatserver.store.core import decoding
from chatserver.store.core.compiler import Call, Op, Params, Row
from chatserver.store.core.sealing import Sealer
from chatserver.store.escalations import Raised, escalate
from chatserver.store.evidence import copy_row
from chatserver.store.records import Committed, RoomChange

Outcome = Committed | Exception
"""The result of one command of a batch. An exception other than a Refusal is a bug in its `decide`."""

PlaceKey = tuple[str, int]
_REPLACED = msgspec.structs.replace


def commit_batch(changes: Sequence[RoomChange], sealer: Sealer) -> Op[list[Outcome]]:
    """Decide and save commands in order. Return one outcome for each. A Refusal writes nothing and affects no other."""
    batch = _Batch(sealer)
    yield from batch.load(changes)
    outcomes = [batch.decide(change) for change in changes]
    yield from batch.save()
    return outcomes


class ChannelState:
    """The head of a channel while a transaction holds its lock."""

    __slots__ = ("at", "channel", "epoch", "first", "is_changed", "last")

    def __init__(self, row: Row) -> None:
        self.channel: Final = ChannelName(row[0])
        self.epoch: Final = Epoch(row[1])
        self.first = Offset(row[2])
        self.last = Offset(row[3])
        self.at = Millis(row[4])
        self.is_changed = False

    @property
    def head(self) -> Head:
        return Head(self.epoch, self.first, self.last)

    def publish(self, event: RoomEvent, now: Millis) -> Publication:
        """Give an event the next offset, and a time that is not before the previous one's."""
        self.last = Offset(self.last + 1)
        self.at = max(self.at, now)
        self.is_changed = True
        if isinstance(event, Posted):
            event = Posted(_REPLACED(event.post, offset=self.last, at=self.at))
        return Publication(channel=self.channel, epoch=self.epoch, offset=self.last, at=self.at, event=event)


def save_heads(states: Iterable[ChannelState]) -> Op[None]:
    """Write the heads of the channels that grew."""
    grown = [(state.last, state.at, state.channel) for state in states if state.is_changed]
    if grown:
        yield Call(sql.SET_LAST, grown)


def event_row(publication: Publication, author: MemberId, command: tuple[str | None, int, bytes | None]) -> Params:
    """Return the `log` row of an event that is not a post. `command` is its id, the event's part in it, and its
    digest."""
    event = publication.event
    target: Offset | None = None
    reaction: Reaction | None = None
    is_on: bool | None = None
    generation = 0
    voice: str | None = None
    match event:
        case Edited() | Redacted():
            target = event.target
        case Reacted():
            target, reaction, is_on, generation = event.target, event.reaction, event.on, event.generation
        case RoomChanged(room=room):
            voice = decoding.voice_json(room.voice)
        case Posted():
            pass
        case _:
            assert_never(event)
    kind = decoding.kind_of(event)
    return (
        publication.channel,
        publication.offset,
        kind,
        publication.at,
        author,
        *command,
        target,
        reaction,
        is_on,
        generation,
        voice,
    )


def post_values(channel: ChannelName, post: Post) -> Params:
    """Return the parameters with which `SET_POSTS` makes a kept post equal to `post`."""
    return (
        post.text,
        post.warning,
        post.edited_at,
        post.redacted,
        decoding.counts_json(post.reactions),
        channel,
        post.offset,
    )


class _Known(msgspec.Struct):
    """A command that was committed before."""

    channel: str
    digest: bytes | None
    publications: tuple[Publication, ...]


class _Batch:
    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._channels: dict[str, ChannelState] = {}
        self._rooms: dict[str, Room] = {}
        self._known: dict[tuple[str, str], _Known] = {}
        self._memberships: dict[tuple[str, str], Membership] = {}
        self._hidden_upto: dict[RoomId, Offset] = {}
        self._posts: dict[PlaceKey, Post] = {}
        self._reactions: dict[tuple[str, int, str], frozenset[Reaction]] = {}
        self._restrictions: dict[MemberId, tuple[Restriction, ...]] = {}
        # What is still to be written.
        self._new_posts: list[Params] = []
        self._new_events: list[Params] = []
        self._copies: list[Params] = []
        self._changed_posts: dict[PlaceKey, None] = {}
        self._redacted: dict[PlaceKey, None] = {}
        self._changed_reactions: dict[tuple[str, int, str], frozenset[Reaction]] = {}
        self._changed_rooms: dict[str, None] = {}
        self._posters: dict[tuple[str, str], None] = {}
        self._raised: list[Raised] = []

    # Loading

    def load(self, changes: Sequence[RoomChange]) -> Op[None]:
        """Lock the channels, then read everything else. What is read under the lock stays true until the transaction
        ends."""
        names = sorted({change.channel for change in changes})
        for row in (yield Call(sql.LOCK_ROOMS, [(name,) for name in names])):
            state = ChannelState(row)
            self._channels[state.channel] = state
            self._rooms[state.channel] = decoding.room_of(row[5:])
        yield from self._load_known(changes)
        fresh = [
            change
            for change in changes
            if change.channel in self._channels and (change.author, change.command_id) not in self._known
        ]
        if not fresh:
            return
        whose = {(change.author, self._rooms[change.channel].id): None for change in fresh}
        for row in (yield Call(sql.FIND_MEMBERSHIPS, list(whose))):
            self._memberships[(row[0], row[1])] = decoding.membership_of(row[1:])
        for room in self._rooms.values():
            if room.voice is not None:
                ((upto,),) = yield Call(sql.HIDDEN_UPTO, [(room.id,)])
                self._hidden_upto[room.id] = Offset(upto or 0)
        targets = {
            (change.channel, change.target, change.author): None for change in fresh if change.target is not None
        }
        if targets:
            yield from self._load_targets(list(targets))
        now = min(change.now for change in fresh)
        for measure in (yield from measures.active_of({change.author for change in fresh}, now)):
            if (restriction := restriction_of(measure)) is not None:
                others = self._restrictions.get(measure.about, ())
                self._restrictions[measure.about] = (*others, restriction)

    def _load_known(self, changes: Sequence[RoomChange]) -> Op[None]:
        asked = {(change.author, change.command_id): None for change in changes}
        for row in (yield Call(sql.FIND_COMMANDS, list(asked))):
            command_id, digest, channel, epoch, *columns = row
            room: Room | None = None
            if decoding.needs_room(columns):
                (found,) = yield Call(sql.ROOM, [(channel,)])
                room = decoding.room_of(found)
            publication = decoding.publication_of(channel, epoch, columns, room)
            author: str = columns[1]
            known = self._known.setdefault((author, command_id), _Known(channel, digest, ()))
            known.publications = (*known.publications, publication)

    def _load_targets(self, targets: list[tuple[ChannelName, Offset, MemberId]]) -> Op[None]:
        places = dict.fromkeys((channel, offset) for channel, offset, _ in targets)
        for row in (yield Call(sql.FIND_POSTS, list(places))):
            post = decoding.post_of(row[1:])
            self._posts[(row[0], post.offset)] = post
        for channel, offset, member, reaction in (yield Call(sql.FIND_REACTIONS, targets)):
            own = self._reactions.get((channel, offset, member), frozenset())
            self._reactions[(channel, offset, member)] = own | {Reaction(reaction)}

    # Deciding

    def decide(self, change: RoomChange) -> Outcome:
        known = self._known.get((change.author, change.command_id))
        if known is not None:
            same = known.channel == change.channel and known.digest in (None, change.digest)
            return Committed(publications=known.publications, repeated=True) if same else Refusal(Reason.DUPLICATE_ID)
        channel = self._channels.get(change.channel)
        if channel is None:
            return Refusal(Reason.ROOM_UNKNOWN)
        try:
            if change.target is not None:
                require_epoch(change.epoch, channel.epoch)
            events = change.decide(self._state(change))
        except Exception as error:  # noqa: BLE001
            # A Refusal, or a bug in one command that must not fail the others of its batch.
            return error
        publications = tuple(self._apply(change, channel, part, event) for part, event in enumerate(events))
        if publications:
            self._known[(change.author, change.command_id)] = _Known(change.channel, change.digest, publications)
            if change.signals:
                event = publications[0].event
                place = event.target if isinstance(event, Edited) else publications[0].offset
                self._raised.append((change, self._rooms[change.channel], place))
        return Committed(publications=publications)

    def _state(self, change: RoomChange) -> RoomState:
        room = self._rooms[change.channel]
        membership = self._memberships.get((change.author, room.id))
        restrictions = self._restrictions.get(change.author, ())
        if change.target is None:
            return RoomState(room=room, membership=membership, restrictions=restrictions)
        return RoomState(
            room=room,
            membership=membership,
            target=self._posts.get((change.channel, change.target)),
            target_reactions=self._own_reactions((change.channel, change.target, change.author)),
            restrictions=restrictions,
            hidden_upto=self._hidden_upto.get(room.id, Offset(0)),
        )

    def _own_reactions(self, key: tuple[str, int, str]) -> frozenset[Reaction]:
        return self._changed_reactions.get(key, self._reactions.get(key, frozenset()))

    def _apply(self, change: RoomChange, channel: ChannelState, part: int, event: RoomEvent) -> Publication:
        publication = channel.publish(event, change.now)
        command = (change.command_id, part, change.digest)
        match publication.event:
            case Posted(post=post):
                self._add_post(channel.channel, post, command)
                self._note_poster(change, post.at)
                return publication
            case Edited(target=target) as edited:
                has_voice = self._rooms[channel.channel].voice is not None
                if not has_voice and not is_first_correction(self._posts[(channel.channel, target)]):
                    self._note_poster(change, edited.edited_at)
                self._keep_copy(publication, target, Ended.EDITED)
                self._change_post(channel, target, text=edited.text, warning=edited.warning, edited_at=edited.edited_at)
            case Redacted(target=target):
                self._keep_copy(publication, target, Ended.REDACTED)
                self._change_post(channel, target, text="", warning=None, redacted=True, reactions={})
                self._redacted[(channel.channel, target)] = None
            case Reacted(target=target) as reacted:
                self._change_post(channel, target, reactions=reacted.counts)
                key = (channel.channel, target, reacted.by)
                own = self._own_reactions(key)
                one = {reacted.reaction}
                self._changed_reactions[key] = own | one if reacted.on else own - one
            case RoomChanged(room=room):
                self._rooms[channel.channel] = room
                self._changed_rooms[channel.channel] = None
            case _:
                assert_never(publication.event)
        self._new_events.append(event_row(publication, change.author, command))
        return publication

    def _add_post(self, channel: ChannelName, post: Post, command: tuple[str, int, bytes]) -> None:
        self._posts[(channel, post.offset)] = post
        self._new_posts.append(
            (
                channel,
                post.offset,
                post.at,
                post.author,
                *command,
                post.name,
                post.text,
                post.warning,
                post.reply_to,
                post.generation,
            )
        )

    def _note_poster(self, change: RoomChange, at: Millis) -> None:
        room = self._rooms[change.channel]
        key = (change.author, room.id)
        membership = self._memberships.get(key)
        if membership is not None:
            # Where people have turns, a post is before or after the voice by the room's own time.
            self._memberships[key] = _REPLACED(membership, last_post_at=change.now if room.voice is None else at)
            self._posters[key] = None

    def _keep_copy(self, publication: Publication, target: Offset, ended: Ended) -> None:
        post = self._posts[(publication.channel, target)]
        self._copies.append(
            copy_row(publication.channel, post, publication.offset, publication.at, ended, self._sealer)
        )

    def _change_post(self, channel: ChannelState, target: Offset, **fields: object) -> None:
        key = (channel.channel, target)
        self._posts[key] = _REPLACED(self._posts[key], **fields)
        self._changed_posts[key] = None

    # Saving

    def save(self) -> Op[None]:
        """Write what the commands of the batch changed, each thing once."""
        if self._new_posts:
            yield Call(sql.ADD_POSTS, self._new_posts)
        if self._new_events:
            yield Call(sql.ADD_EVENTS, self._new_events)
            if self._copies:
                yield Call(evidence_sql.ADD_COPIES, self._copies)
            yield from self._save_changes()
        if self._posters:
            whose = sorted(self._posters)
            yield Call(sql.SET_LAST_POST, [(self._memberships[key].last_post_at, *key) for key in whose])
        yield from save_heads(self._channels.values())
        if self._raised:
            yield from escalate(self._raised, self._sealer)

    def _save_changes(self) -> Op[None]:
        if self._changed_posts:
            changed = [post_values(ChannelName(key[0]), self._posts[key]) for key in self._changed_posts]
            yield Call(sql.SET_POSTS, changed)
        if self._redacted:
            yield Call(sql.DROP_POST_REACTIONS, list(self._redacted))
            # With the digest, somebody could test guesses of the removed text.
            yield Call(sql.FORGET_DIGESTS, list(self._redacted))
        kept = [key for key in self._changed_reactions if key[:2] not in self._redacted]
        for statement, sign in ((sql.DROP_REACTIONS, -1), (sql.ADD_REACTIONS, 1)):
            rows = [(*key, reaction) for key in kept for reaction in self._difference(key, sign)]
            if rows:
                yield Call(statement, rows)
        for name in self._changed_rooms:
            yield Call(sql.SET_ROOM, [room_values(self._rooms[name])])

    def _difference(self, key: tuple[str, int, str], sign: int) -> list[Reaction]:
        before, after = self._reactions.get(key, frozenset()), self._changed_reactions[key]
        return sorted(after - before if sign > 0 else before - after)


def room_values(room: Room) -> Params:
    """Return a room's columns, with its id last."""
    id_, *values, voice = (getattr(room, name) for name in Room.__struct_fields__)
    return (*values, decoding.voice_json(voice), id_)
