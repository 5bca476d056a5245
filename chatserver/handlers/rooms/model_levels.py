"""The levels of the model on one worker: it counts the scores, adds them to the store, and follows what holds there.

What was counted and not yet added is lost with the worker. Nothing depends on it: it is a sample.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import Final

from chatserver.domain.history import ChannelName, Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.counted_authors import CountedAuthors
from chatserver.domain.moderation.score_counts import bin_of, monday_of
from chatserver.domain.moderation.screening_levels import Levels, Loads, Model, ScreeningLevels, in_room
from chatserver.domain.moderation.text_model import TextModel
from chatserver.domain.rooms.rooms import is_closed_room, kind_of, room_of
from chatserver.domain.rooms.settings import root_of
from chatserver.handlers.node import Node
from chatserver.store.records import StoreUnavailable
from chatserver.store.screening_records import Scored

SECONDS: Final = 30.0
"""How often a worker adds what it has counted, and asks what holds."""
MOST_OWED: Final = 5_000
"""Numbers that wait for the store. With more, what is counted is dropped: one sample more or less."""

log = logging.getLogger("chatserver.screening")


class ModelLevels:
    """What holds on one worker for the scores of its model."""

    def __init__(self, node: Node, model: TextModel, loads: Loads) -> None:
        first, second = model.head.thresholds
        self._node = node
        self.model = Model(name=model.name, levels=Levels(first, second), loads=loads)
        self.state = ScreeningLevels()
        self._authors = CountedAuthors()
        self._owed: Counter[tuple[Millis, str, int]] = Counter()

    def of(self, channel: ChannelName) -> Levels:
        """Return the levels in the room of a channel."""
        return in_room(self.state, self.model, self._place(channel))

    def count(self, channel: ChannelName, author: MemberId, score: float) -> None:
        """Count the score of a post that was just written."""
        now = self._node.now()
        if score == float("-inf") or not self._authors.count(author, now):
            return
        key = (Millis(monday_of(now)), self._place(channel), bin_of(score))
        if key in self._owed or len(self._owed) < MOST_OWED:
            self._owed[key] += 1

    def forget(self, author: MemberId) -> None:
        """Forget somebody who is erased."""
        self._authors.forget(author)

    async def follow(self) -> None:
        """Add what was counted, and take over what holds; in the first half minute of a week one worker moves the
        levels. Raises StoreUnavailable."""
        await self._add()
        store, now = self._node.store, self._node.now()
        state = await store.screening_levels()
        if state.week < monday_of(now):
            state = await store.follow_scores(self.model, now)
        self.take(state)

    def take(self, state: ScreeningLevels) -> None:
        """Let this hold from now on, unless what holds is newer."""
        if state.revision != self.state.revision:
            log.info("screening_levels", extra={"revision": state.revision, "by_hand": state.is_by_hand})
        if state.revision >= self.state.revision:
            self.state = state

    async def close(self) -> None:
        """Add what was counted, if the store takes it."""
        try:
            await self._add()
        except StoreUnavailable:
            log.warning("scores_lost", extra={"posts": self._owed.total()})

    async def _add(self) -> None:
        owed, self._owed = self._owed, Counter()
        if not owed:
            return
        some = [Scored(week, place, step, posts) for (week, place, step), posts in sorted(owed.items())]
        try:
            await self._node.store.add_scores(self.model.name, some)
        except BaseException:
            self._owed.update(owed)
            raise

    def _place(self, channel: ChannelName) -> str:
        room = room_of(channel)
        if is_closed_room(room):
            return kind_of(room).value
        known = self._node.rooms.get(room)
        return room if known is None else root_of(known)
