"""A room's history and its readers, driven at random.

The log here is the plainest one that keeps the store's contract: it hands out publications as they stand now. One
reader never leaves; the others disconnect anywhere, also in the middle of a recovery, and come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Epoch, Head, Millis, Offset, Return, StreamPosition, assess_return
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms.decide import decide, evolve, target_of
from chatserver.domain.rooms.rooms import (
    Edited,
    EditPost,
    Membership,
    Post,
    Posted,
    Publication,
    Reacted,
    Reaction,
    ReactToPost,
    RedactPost,
    Room,
    RoomCommand,
    RoomEvent,
    RoomId,
    RoomRules,
    RoomState,
    WritePost,
    room_channel,
)
from tests.kit.nightly import drawn

ROOM = Room(id=RoomId("sleep"), name="Awake at night", about="")
PEOPLE = [Persona(MemberId(f"m_{i}"), f"Person {i}") for i in range(3)]
RULES = RoomRules()
EXPECTED = {Reason.POST_UNKNOWN, Reason.POST_REDACTED, Reason.NOT_YOURS, Reason.EDIT_TOO_LATE}

people = st.sampled_from(PEOPLE)
places = st.integers(0, 12)
"""How far back from the newest something lies."""
Posts = dict[Offset, Post]


@dataclass
class Log:
    """One channel: its numbering, what is kept of it, and the posts as they stand."""

    epoch: Epoch
    first: int = 1
    events: list[RoomEvent] = field(default_factory=list)
    """Of every offset from `first` on."""
    posts: Posts = field(default_factory=dict)
    own: dict[tuple[Offset, MemberId], frozenset[Reaction]] = field(default_factory=dict)

    @property
    def head(self) -> Head:
        return Head(self.epoch, Offset(self.first), Offset(self.first + len(self.events) - 1))

    def commit(self, command: RoomCommand, author: Persona, now: Millis) -> list[Publication]:
        target = target_of(command)
        state = RoomState(
            room=ROOM,
            membership=Membership(room=ROOM.id, agreement_version=ROOM.agreement_version),
            target=None if target is None else self.posts.get(target),
            target_reactions=frozenset() if target is None else self.own.get((target, author.id), frozenset()),
        )
        return [self._append(event, now) for event in decide(state, command, author, RULES, now)]

    def _append(self, event: RoomEvent, now: Millis) -> Publication:
        self.events.append(event)
        publication = self._publication(self.head.last, event, now)
        self.posts = evolve(self.posts, publication)
        if isinstance(event, Reacted):
            key, one = (event.target, event.by), {event.reaction}
            before = self.own.get(key, frozenset())
            self.own[key] = before | one if event.on else before - one
        return publication

    def read(self, after: Offset, limit: int) -> list[Publication]:
        start = max(after + 1, self.first)
        found = self.events[start - self.first :][:limit]
        return [
            self._publication(Offset(start + i), self._as_it_stands(Offset(start + i), event), Millis(0))
            for i, event in enumerate(found)
        ]

    def expire(self, count: int) -> None:
        del self.events[:count]
        self.first += count
        self.posts = {offset: post for offset, post in self.posts.items() if offset >= self.first}

    def _as_it_stands(self, offset: Offset, event: RoomEvent) -> RoomEvent:
        if isinstance(event, Posted):
            return Posted(self.posts[offset])
        if isinstance(event, Edited):
            target = self.posts.get(event.target)
            text, warning = ("", None) if target is None else (target.text, target.warning)
            return msgspec.structs.replace(event, text=text, warning=warning)
        return event

    def _publication(self, offset: Offset, event: RoomEvent, now: Millis) -> Publication:
        return Publication(channel=room_channel(ROOM.id), epoch=self.epoch, offset=offset, at=now, event=event)


@dataclass
class Reader:
    """What a client holds, and up to where it has seen everything."""

    position: StreamPosition
    posts: Posts = field(default_factory=dict)
    is_here: bool = True

    def see(self, publications: Sequence[Publication]) -> None:
        for publication in publications:
            self.posts = evolve(self.posts, publication)
            self.position = StreamPosition(publication.epoch, publication.offset)

    def start_again(self, posts: Posts, head: Head) -> None:
        self.posts, self.position = dict(posts), head.position


class RoomHistory(RuleBasedStateMachine):
    """Every rule is something a member, a network or an operator does."""

    def __init__(self) -> None:
        super().__init__()
        self.log = Log(Epoch("e0"))
        self.witness = Reader(self.log.head.position)
        self.readers: list[Reader] = []
        self.now = Millis(1_700_000_000_000)
        self.words = 0
        self.withdrawn: set[str] = set()
        """Texts that were redacted or edited away."""

    @initialize(count=st.integers(1, 3))
    def people_arrive(self, count: int) -> None:
        self.readers = [Reader(self.log.head.position) for _ in range(count)]

    # Members

    @rule(author=people, warned=st.booleans(), reply=st.none() | places)
    def write(self, author: Persona, warned: bool, reply: int | None) -> None:
        reply_to = None if reply is None else self._back(reply)
        self._do(WritePost(text=self._new_text(), warning="w" if warned else None, reply_to=reply_to), author)

    @rule(author=people, back=places)
    def edit(self, author: Persona, back: int) -> None:
        before = self.log.posts.get(self._back(back))
        if self._do(EditPost(target=self._back(back), text=self._new_text()), author) and before is not None:
            self.withdrawn.add(before.text)

    @rule(author=people, back=places)
    def redact(self, author: Persona, back: int) -> None:
        before = self.log.posts.get(self._back(back))
        if self._do(RedactPost(target=self._back(back)), author) and before is not None:
            self.withdrawn.add(before.text)

    @rule(author=people, back=places, reaction=st.sampled_from(Reaction), on=st.booleans())
    def react(self, author: Persona, back: int, reaction: Reaction, on: bool) -> None:
        self._do(ReactToPost(target=self._back(back), reaction=reaction, on=on), author)

    # Networks

    @rule(who=st.integers(0, 9))
    def leave(self, who: int) -> None:
        self.readers[who % len(self.readers)].is_here = False

    @rule(who=st.integers(0, 9), limit=st.integers(1, 5), again=places, pieces=st.none() | st.integers(0, 3))
    def come_back(self, who: int, limit: int, again: int, pieces: int | None) -> None:
        """Return by pages of `limit`, replaying up to `again` facts that were seen before, and perhaps lose the network
        once more after some `pieces`."""
        reader = self.readers[who % len(self.readers)]
        head = self.log.head
        answer = assess_return(reader.position, head)
        self._check(answer, reader.position, head)
        if answer is not Return.EXACT:
            reader.start_again(self.log.posts, head)
            reader.is_here = True
            return
        after = Offset(max(reader.position.offset - again, head.first - 1, 0))
        while (pieces is None or pieces > 0) and (page := self.log.read(after, limit)):
            reader.see(page)
            after = page[-1].offset
            pieces = None if pieces is None else pieces - 1
        reader.is_here = reader.position == head.position

    # Time and operators

    @rule(count=st.integers(1, 8))
    def expire(self, count: int) -> None:
        self.log.expire(min(count, len(self.log.events)))

    @rule(millis=st.sampled_from([1, 1_000, RULES.edit_window]))
    def wait(self, millis: int) -> None:
        self.now = Millis(self.now + millis)

    @precondition(lambda self: self.log.events)
    @rule(author=people, count=st.integers(0, 8))
    def number_anew(self, author: Persona, count: int) -> None:
        """The database was replaced: another epoch, from 1, in which `count` posts were written since."""
        self.log = Log(Epoch(self.log.epoch + "+"))
        for reader in (self.witness, *self.readers):
            if reader.is_here:
                reader.start_again({}, self.log.head)
        for _ in range(count):
            self._do(WritePost(text=self._new_text()), author)

    # What must be so

    @invariant()
    def those_who_are_here_hold_what_the_witness_holds(self) -> None:
        for reader in self.readers:
            if reader.is_here:
                assert reader.position == self.witness.position
                assert self._retained(reader) == self._retained(self.witness)

    @invariant()
    def the_log_is_what_the_witness_saw(self) -> None:
        assert self._retained(self.witness) == self.log.posts
        assert self.witness.position == self.log.head.position

    @invariant()
    def withdrawn_text_is_nowhere(self) -> None:
        read = msgspec.json.encode(self.log.read(Offset(0), 10_000)).decode()
        assert not any(text in read for text in self.withdrawn)
        for reader in (self.witness, *self.readers):
            if reader.is_here:
                assert not self.withdrawn & {post.text for post in reader.posts.values()}

    @invariant()
    def a_redacted_post_is_empty(self) -> None:
        for posts in (self.log.posts, *(reader.posts for reader in self.readers)):
            for post in posts.values():
                assert not post.redacted or (post.text, post.warning, post.reactions) == ("", None, {})

    @invariant()
    def reactions_are_those_of_the_people(self) -> None:
        for offset, post in self.log.posts.items():
            if not post.redacted:
                for reaction in Reaction:
                    by = [own for (target, _), own in self.log.own.items() if target == offset and reaction in own]
                    assert post.reactions.get(reaction, 0) == len(by)

    def _do(self, command: RoomCommand, author: Persona) -> bool:
        try:
            publications = self.log.commit(command, author, self.now)
        except Refusal as refusal:
            if refusal.reason not in EXPECTED:
                raise
            return False
        for reader in (self.witness, *self.readers):
            if reader.is_here:
                reader.see(publications)
        return bool(publications)

    def _check(self, answer: Return, position: StreamPosition, head: Head) -> None:
        if position.epoch != head.epoch:
            assert answer is Return.FOREIGN
            return
        kept = range(head.first, head.last + 1)
        is_whole = all(offset in kept for offset in range(position.offset + 1, head.last + 1))
        assert answer is (Return.EXACT if is_whole else Return.EXPIRED)

    def _retained(self, reader: Reader) -> Posts:
        return {offset: post for offset, post in reader.posts.items() if offset >= self.log.first}

    def _back(self, back: int) -> Offset:
        return Offset(max(1, self.log.head.last - back))

    def _new_text(self) -> str:
        self.words += 1
        return f"<text {self.words}>"


RoomHistory.TestCase.settings = settings(max_examples=drawn(200), stateful_step_count=40, deadline=None)
TestRoomHistory = RoomHistory.TestCase
