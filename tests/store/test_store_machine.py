"""The store against the domain: whatever people do, whoever reads when, everybody ends with the same posts."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chatserver.domain.errors import Refusal
from chatserver.domain.history import Head, Millis, Offset, Return, StreamPosition, assess_return
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms.rooms import (
    EditPost,
    Post,
    Reacted,
    Reaction,
    ReactToPost,
    Redacted,
    RedactPost,
    RoomCommand,
    RoomEvent,
    WritePost,
    room_channel,
)
from chatserver.store.forgetting.forgetting import ERASED, ERASED_NAME
from chatserver.store.records import Retention, RoomChange
from chatserver.store.store import Store
from tests.kit.nightly import drawn
from tests.store.kit import SLEEP, START, change, evolved, newcomer, replay, room, seeded, sqlite_database

T = TypeVar("T")

ROOM: Final = room_channel(SLEEP)
MINUTE: Final = 60_000
RETENTION: Final = Retention(room_age=20 * MINUTE, posts_per_room=15, dedupe_window=2 * MINUTE)

people = st.integers(0, 2)
choices = st.integers(0, 1_000)
texts = st.text("ab é", min_size=1, max_size=4)


class Reader(msgspec.Struct):
    """Somebody who was here once: their place, and the posts they held then."""

    position: StreamPosition
    posts: dict[Offset, Post]


class StoreMachine(RuleBasedStateMachine):
    """Two stores on one SQLite file, and a model: the posts of somebody who has been there all the time."""

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.directory = tempfile.mkdtemp()
        database = sqlite_database(Path(self.directory))
        self.stores: list[Store] = [database.store(), database.store()]
        self.run(seeded(self.stores[0], room(SLEEP)))
        self.run(self.stores[1].open())
        self.people: list[Persona] = [
            self.run(newcomer(self.stores[0], name, SLEEP)) for name in ("Ada", "Bea", "Cleo")
        ]
        self.now = int(START)
        self.live: dict[Offset, Post] = {}
        self.last = 0
        self.reactions: set[tuple[Offset, MemberId, Reaction]] = set()
        self.readers: list[Reader] = []
        self.sent: list[tuple[RoomChange, tuple[Offset, ...]]] = []

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            for store in self.stores:
                self.run(store.close())
            self.runner.close()
            shutil.rmtree(self.directory)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def commit(self, who: int, command: RoomCommand) -> None:
        prepared = change(self.people[who], command, now=self.now)
        try:
            committed = self.run(self.stores[who % 2].commit(prepared))
        except Refusal:
            return
        assert [p.offset for p in committed.publications] == [
            self.last + 1 + i for i in range(len(committed.publications))
        ]
        self.last += len(committed.publications)
        self.live = evolved(committed.publications, self.live)
        for publication in committed.publications:
            self.note_reactions(publication.event)
        if committed.publications:
            self.sent.append((prepared, tuple(p.offset for p in committed.publications)))

    def note_reactions(self, event: RoomEvent) -> None:
        if isinstance(event, Reacted):
            one = (event.target, event.by, event.reaction)
            assert event.on == (one not in self.reactions)
            self.reactions ^= {one}
        elif isinstance(event, Redacted):
            self.reactions = {one for one in self.reactions if one[0] != event.target}

    def target(self, choice: int) -> Offset:
        return sorted(self.live)[choice % len(self.live)] if self.live else Offset(1)

    @rule(who=people, text=texts, warning=st.none() | texts)
    def write(self, who: int, text: str, warning: str | None) -> None:
        self.commit(who, WritePost(text=text, warning=warning))

    @rule(who=people, choice=choices, text=texts)
    def edit(self, who: int, choice: int, text: str) -> None:
        self.commit(who, EditPost(target=self.target(choice), text=text))

    @rule(who=people, choice=choices)
    def redact(self, who: int, choice: int) -> None:
        self.commit(who, RedactPost(target=self.target(choice)))

    @rule(who=people, choice=choices, reaction=st.sampled_from(list(Reaction)[:2]), on=st.booleans())
    def react(self, who: int, choice: int, reaction: Reaction, on: bool) -> None:
        self.commit(who, ReactToPost(target=self.target(choice), reaction=reaction, on=on))

    @precondition(lambda self: self.reactions)
    @rule(choice=choices)
    def take_back(self, choice: int) -> None:
        ours = sorted(self.reactions)
        target, member, reaction = ours[choice % len(ours)]
        (who,) = (i for i, person in enumerate(self.people) if person.id == member)
        self.commit(who, ReactToPost(target=target, reaction=reaction, on=False))

    @rule(minutes=st.integers(0, 8))
    def wait(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule()
    def expire(self) -> None:
        while heads := self.run(self.stores[1].expire(Millis(self.now), RETENTION)):
            assert heads == self.run(self.stores[0].heads([ROOM]))

    @precondition(lambda self: self.sent)
    @rule(choice=choices, store=st.integers(0, 1))
    def send_again(self, choice: int, store: int) -> None:
        prepared, offsets = self.sent[choice % len(self.sent)]
        if prepared.now < self.now - RETENTION.dedupe_window:
            return
        repeated = self.run(self.stores[store].commit(prepared))
        assert repeated.repeated
        assert tuple(p.offset for p in repeated.publications) == offsets

    @rule(who=people)
    def erase(self, who: int) -> None:
        person = self.people[who]
        published = self.run(self.stores[0].erase(person.id, Millis(self.now)))
        assert [p.offset for p in published] == [self.last + 1 + i for i in range(len(published))]
        self.last += len(published)
        self.live = evolved(published, self.live)
        self.reactions = {one for one in self.reactions if one[1] != person.id}
        for publication in published:
            if isinstance(publication.event, Redacted):
                self.note_reactions(publication.event)
        # The one thing that no publication says: under whose name the empty posts stand.
        self.live = {offset: _disowned(post, person) for offset, post in self.live.items()}
        for reader in self.readers:
            reader.posts = {offset: _disowned(post, person) for offset, post in reader.posts.items()}
        self.sent = [(prepared, offsets) for prepared, offsets in self.sent if prepared.author != person.id]
        self.people[who] = self.run(newcomer(self.stores[0], person.name, SLEEP, now=Millis(self.now)))

    @rule()
    def leave(self) -> None:
        """Somebody loses their connection, holding what the log and its pages say now."""
        page = self.run(self.stores[0].page(ROOM, None, 500, self.people[0].id))
        self.readers.append(Reader(self.head().position, {post.offset: post for post in page.posts}))

    @precondition(lambda self: self.readers)
    @rule(choice=choices, limit=st.integers(1, 5))
    def come_back(self, choice: int, limit: int) -> None:
        reader = self.readers.pop(choice % len(self.readers))
        head = self.head()
        if assess_return(reader.position, head) is not Return.EXACT:
            assert reader.position.offset + 1 < head.first
            return
        missed = self.run(replay(self.stores[1], SLEEP, reader.position.offset, limit=limit))
        assert [p.offset for p in missed] == list(range(reader.position.offset + 1, head.last + 1))
        held = evolved(missed, reader.posts)
        assert self.kept(held) == self.kept(self.live)

    @invariant()
    def the_log_and_the_page_say_what_the_model_holds(self) -> None:
        head = self.head()
        assert head.last == self.last
        log = self.run(replay(self.stores[0], SLEEP))
        assert [p.offset for p in log] == list(range(head.first, head.last + 1))
        assert [p.at for p in log] == sorted(p.at for p in log)
        assert evolved(log) == self.kept(self.live)
        for person in self.people:
            page = self.run(self.stores[1].page(ROOM, None, 500, person.id))
            assert {post.offset: post for post in page.posts} == self.kept(self.live)
            mine = {(offset, reaction) for offset, own in page.mine.items() for reaction in own}
            assert mine == {(one[0], one[2]) for one in self.reactions if one[1] == person.id and one[0] >= head.first}
        for offset, post in self.kept(self.live).items():
            counts = Counter(one[2] for one in self.reactions if one[0] == offset)
            assert post.reactions == dict(counts)

    def head(self) -> Head:
        return self.run(self.stores[0].heads([ROOM]))[ROOM]

    def kept(self, posts: dict[Offset, Post]) -> dict[Offset, Post]:
        """Without those that have expired."""
        first = self.head().first
        return {offset: post for offset, post in posts.items() if offset >= first}


def _disowned(post: Post, person: Persona) -> Post:
    return msgspec.structs.replace(post, author=ERASED, name=ERASED_NAME) if post.author == person.id else post


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=drawn(20), stateful_step_count=35, deadline=None)
