"""The second look at a post, after it was saved and answered: the linear model reads it, in a thread of its own.

A look that raises nothing writes nothing. Every worker says now and then how far it is; what a worker left that died,
or could not look at because too much came at once, is read again from the store. Looking twice raises nothing twice.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import msgspec

from chatserver.domain.errors import Refusal
from chatserver.domain.history import ChannelName, CommandId, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.alert_floods import Origin
from chatserver.domain.moderation.crisis_phrases import CARED_FOR, ESCALATED, Category, Signal, Words
from chatserver.domain.moderation.recent_signs import RecentSigns, weight_of
from chatserver.domain.moderation.screening_levels import Levels, Loads
from chatserver.domain.moderation.text_model import MOST_LEVEL, SEVERAL, Reading, TextModel
from chatserver.domain.rooms.rooms import Edited, Posted, Publication, RoomKind, is_closed_room, kind_of, room_of
from chatserver.handlers.changes import acting_on_changes
from chatserver.handlers.closed_rooms import ClosedRooms
from chatserver.handlers.connection import Connection
from chatserver.handlers.node import Node
from chatserver.handlers.rooms.model_levels import ModelLevels
from chatserver.protocol.rooms.messages import CarePush
from chatserver.store.records import StoreUnavailable
from chatserver.store.second_looks_records import LateSignal, Look, text_of

MOST_WAITING: Final = 1_000
"""Posts that may wait for the thread. Those beyond it are read from the store once it has time."""
TOGETHER: Final = 32
"""Posts that are handed to the thread at once: 5 to 30 ms of its time."""
MARGIN: Final = 30_000
"""Milliseconds for which a commit may be under way, generously: what began within them does not count as looked at."""
SILENT: Final = 120_000
"""Milliseconds after which a worker that has not said how far it is counts as dead. To take a live one for dead costs
some reading, and raises nothing."""
AT_THE_END: Final = 3.0
"""Seconds that a worker takes at its end for the posts that wait."""
_NEWEST: Final = Offset(2**62)
_PAGE: Final = 200

log = logging.getLogger("chatserver.screening")


class _Waiting(NamedTuple):
    """A text that is to be looked at. `is_marked` says whether its words raised something by the lists; None: not
    known, because it is read again. `writer` is the connection that wrote it, `is_cared_for` says whether its author
    was offered help already."""

    look: Look
    origin: Origin | None
    is_marked: bool | None
    writer: Connection | None = None
    is_cared_for: bool = False


class _Verdict(NamedTuple):
    """What the model makes of a text: its score, and what it raises by the levels that hold there."""

    score: float
    signal: Signal | None


class SecondLooks:
    """The second looks of one worker. Without a model nothing is looked at, and there are no `levels`."""

    def __init__(
        self, node: Node, model: TextModel | None, loads: Loads, closed: Mapping[RoomKind, ClosedRooms]
    ) -> None:
        """`closed` are the features that open closed rooms: they are told what is raised there."""
        self._node = node
        self._closed = closed
        self._model = model
        self.levels = None if model is None else ModelLevels(node, model, loads)
        self._signs = RecentSigns()
        self._waiting: deque[_Waiting] = deque()
        self._owing = asyncio.Event()
        self._missed: Millis | None = None
        self._thread = ThreadPoolExecutor(1, "second look")

    def offer(
        self, publication: Publication, author: MemberId, command_id: CommandId, signals: Sequence[Signal],
        origin: Origin | None, writer: Connection | None = None,
    ) -> None:  # fmt: skip
        """Look at a post or an edit that was saved, soon. `signals` is what the lists found in it; help is offered to
        the `writer`."""
        event = publication.event
        if self._model is None or not isinstance(event, Posted | Edited):
            return
        if len(self._waiting) >= MOST_WAITING:
            self._node.metrics.second_looks.labels("put_off").inc()
            self.missed(publication.at)
            return
        words = event.post if isinstance(event, Posted) else event
        look = Look(
            channel=publication.channel,
            author=author,
            command_id=command_id,
            post=event.target if isinstance(event, Edited) else publication.offset,
            text=text_of(words.warning, words.text),
            at=publication.at,
        )
        is_marked = any(each.level >= ESCALATED for each in signals)
        is_cared_for = any(each.category in CARED_FOR for each in signals)
        self._waiting.append(_Waiting(look, origin, is_marked, writer, is_cared_for))
        self._owing.set()

    def missed(self, since: Millis) -> None:
        """Take note that something which was written at this time or later may not have been looked at."""
        if self._model is not None:
            self._missed = since if self._missed is None else min(self._missed, since)

    async def start(self) -> None:
        """Say that this worker looks at posts, before it takes any. Raises StoreUnavailable."""
        if self._model is not None:
            await self._node.store.note_looked(self._node.id, self._until())
            await self.follow()

    async def follow(self) -> None:
        """Follow the levels that hold. Raises StoreUnavailable."""
        if self.levels is not None:
            await self.levels.follow()

    def forget(self, member: MemberId) -> None:
        """Forget what is known in memory of somebody who is erased."""
        self._signs.forget(member)
        if self.levels is not None:
            self.levels.forget(member)

    async def run(self) -> None:
        """Look at what is offered, until cancelled."""
        while True:
            await self._owing.wait()
            self._owing.clear()
            await self._look_at_waiting()

    async def tidy(self) -> None:
        """Look at what was missed here and left by dead workers, and say how far this worker is. Raises
        StoreUnavailable."""
        if self._model is None:
            return
        node = self._node
        self._signs.tidy(node.now())
        if self._missed is not None and not self._waiting:
            since, self._missed = self._missed, None
            await self._look_since(since)
        for dead in await node.store.left_unlooked(Millis(node.now() - SILENT)):
            if dead.worker != node.id:
                log.info("second_looks_taken_over", extra={"worker": dead.worker})
                await self._look_since(dead.until)
                await node.store.end_looking(dead.worker, dead.until)
        await node.store.note_looked(node.id, self._until())

    async def close(self) -> None:
        """Look at what waits, as far as there is time for it, and leave the rest to others."""
        if self._model is not None:
            until = self._until()
            try:
                async with asyncio.timeout(AT_THE_END):
                    await self._look_at_waiting()
                    if self._missed is None:
                        await self._node.store.end_looking(self._node.id, self._node.now())
                    else:
                        await self._node.store.note_looked(self._node.id, until)
            except (TimeoutError, StoreUnavailable, Refusal):
                log.warning("second_looks_left", extra={"waiting": len(self._waiting)})
        if self.levels is not None:
            await self.levels.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _until(self) -> Millis:
        """Return the time before which everything that was committed here has been looked at."""
        waiting = self._waiting[0].look.at if self._waiting else self._node.now()
        bounds = [waiting, self._node.now(), *([] if self._missed is None else [self._missed])]
        return Millis(min(bounds) - MARGIN)

    async def _look_at_waiting(self) -> None:
        while self._waiting:
            some = [*itertools.islice(self._waiting, TOGETHER)]
            try:
                await self._look_at(some)
            except (StoreUnavailable, Refusal) as trouble:
                self._node.metrics.store_failures.inc()
                log.warning("second_looks_postponed", extra={"posts": len(some), "cause": str(trouble)})
                self.missed(min(each.look.at for each in some))
            # Only now: until here they count as not looked at.
            for _ in some:
                self._waiting.popleft()

    async def _look_since(self, since: Millis) -> None:
        """Look at everything that was written or changed since a time. Raises StoreUnavailable; then it is missed."""
        try:
            for channel in await self._node.store.channels_since(since):
                await self._look_through(channel, since)
        except BaseException:
            self.missed(since)
            raise

    async def _look_through(self, channel: ChannelName, since: Millis) -> None:
        before: Offset | None = _NEWEST
        while before is not None:
            page = await self._node.store.texts_since(channel, before, since, _PAGE)
            self._node.metrics.second_looks.labels("again").inc(len(page.looks))
            for at in range(0, len(page.looks), TOGETHER):
                await self._look_at([_Waiting(look, None, None) for look in page.looks[at : at + TOGETHER]])
            before = page.before

    async def _look_at(self, some: Sequence[_Waiting]) -> None:
        """Look at texts, and save what they raise. Raises StoreUnavailable."""
        node, model, levels = self._node, self._model, self.levels
        assert model is not None
        assert levels is not None
        loop = asyncio.get_running_loop()
        there = [levels.of(each.look.channel) for each in some]
        verdicts = await loop.run_in_executor(self._thread, _judge, model, node.words, some, there)
        node.metrics.second_looks.labels("looked").inc(len(some))
        found = []
        for each, verdict in zip(some, verdicts, strict=True):
            if verdict is None:
                continue
            if each.is_marked is not None:
                # What is read again may have been counted before.
                levels.count(each.look.channel, each.look.author, verdict.score)
            signal = self._with_those_before(each, verdict, levels.of(each.look.channel))
            if signal is None:
                continue
            self._offer_help(each, signal)
            if signal.level >= ESCALATED:
                found.append(LateSignal(look=each.look, signal=signal, now=node.now(), origin=each.origin))
        if found:
            raised = await acting_on_changes(node, node.store.escalate_late(found))
            node.metrics.second_looks.labels("raised").inc(raised)
            for late in found:
                room = room_of(late.look.channel)
                if (closed := self._closed.get(kind_of(room))) is not None:
                    closed.raised(late.look.author, room, late.look.post, [late.signal])

    def _with_those_before(self, waiting: _Waiting, verdict: _Verdict, levels: Levels) -> Signal | None:
        """Return what a text raises: at level 2 also where it is one of several weak ones by one person within minutes.
        Only in themed rooms, because of a session or a meeting moderators see no more than one post."""
        look, signal = waiting.look, verdict.signal
        room = room_of(look.channel)
        if signal is None or signal.level >= ESCALATED or waiting.is_marked is None or is_closed_room(room):
            return signal
        weight = weight_of(verdict.score, levels)
        if not self._signs.add(look.author, room, look.post, weight, self._node.now()):
            return signal
        return msgspec.structs.replace(signal, level=MOST_LEVEL, phrase=SEVERAL)

    def _offer_help(self, waiting: _Waiting, signal: Signal) -> None:
        """Offer help to somebody whose words the model takes for a cry for it. Not to staff, nor in a session, where
        somebody is there; nor to somebody who was offered it for the same words."""
        writer, room = waiting.writer, room_of(waiting.look.channel)
        if writer is None or writer.roles or waiting.is_cared_for or signal.category not in CARED_FOR:
            return
        is_here = writer in self._node.connections_of(waiting.look.author)
        if not is_here or kind_of(room) is RoomKind.SESSION:
            return
        if writer.outbox.wire.buffered() <= self._node.limits.outbox_bytes:
            writer.outbox.send(CarePush(room=room, care=Category(signal.category)))


def _judge(model: TextModel, words: Words, some: Sequence[_Waiting], there: Sequence[Levels]) -> list[_Verdict | None]:
    """Return what the model makes of each text, by the levels of its room; nothing where the lists raise something, or
    it was read before. Runs in the thread."""
    return [_judge_one(model, words, each, levels) for each, levels in zip(some, there, strict=True)]


def _judge_one(model: TextModel, words: Words, waiting: _Waiting, levels: Levels) -> _Verdict | None:
    text = waiting.look.text
    if waiting.is_marked:
        return None
    try:
        if waiting.is_marked is None:
            by_lists = words.begin(text)
            for _ in by_lists.parts():
                # Let the event loop have the interpreter.
                time.sleep(0)
            if any(each.level >= ESCALATED for each in by_lists.result.signals):
                return None
        reading = Reading(model, text)
        for _ in reading.parts():
            time.sleep(0)
        opinion = reading.result
        return _Verdict(opinion.score, model.signal(text, opinion, (levels.first, levels.second)))
    except Exception:
        # A bug that one text shows must not keep the others from being looked at.
        log.exception("second_look_failed", extra={"channel": waiting.look.channel, "post": waiting.look.post})
        return None
