"""Everything that happened, as the parts saw it, and the judgement whether that is correct."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatserver.domain.history import ChannelName
from chatserver.store.records import Committed, RoomChange
from tests.simulation.disk import START, Memory

Fact = dict[str, Any]

ALWAYS = 60.0
"""Seconds that no seed takes, so that a repeat within this window must always be recognised."""


class History:
    """The trace of one seed, and every complaint about it."""

    def __init__(self, clock: Callable[[], float], memory: Memory, dedupe_window: float) -> None:
        self._clock = clock
        self._memory = memory
        self._dedupe_window = dedupe_window
        self._lines: list[tuple[float, str, tuple[object, ...]]] = []
        self.complaints: list[str] = []
        self.counts: dict[str, int] = {}
        self._known: dict[tuple[str, str, int], tuple[object, ...]] = {}
        """As what fact each (channel, epoch, offset) was shown."""
        self._committed: dict[tuple[str, str], tuple[float, str, int]] = {}
        self._acked: dict[tuple[str, str], tuple[str, str, int]] = {}
        """The channel, epoch and offset of each acknowledged command, by author and command id."""
        self._refused: dict[tuple[str, str], str] = {}
        self._written: dict[tuple[str, str], int] = {}
        """The last offset that the store has given, by channel and epoch."""
        self.has_restored = False

    # ------------------------------------------------------------------------------------------ what happens

    def note(self, what: str, *details: object) -> None:
        """Add a line to the trace."""
        self._lines.append((self._clock(), what, details))

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def complain(self, problem: str) -> None:
        self.note("PROBLEM", problem)
        self.complaints.append(f"{self._clock():.3f} s: {problem}")

    def trace(self) -> str:
        return "\n".join(f"{at:9.4f} {what} {' '.join(map(str, details))}" for at, what, details in self._lines)

    def committed(self, change: RoomChange, committed: Committed) -> None:
        """Note that the store has written something."""
        if committed.repeated or not committed.publications:
            self.count("repeated" if committed.repeated else "nothing to do")
            return
        last = committed.publications[-1]
        self.count("committed")
        self.note("commit", change.author, change.command_id, last.channel, last.epoch, last.offset)
        self._written[(last.channel, last.epoch)] = last.offset
        key = (change.author, change.command_id)
        earlier = self._committed.get(key)
        # A command whose fact has expired may be carried out again, but only after the promised time.
        if earlier is not None and self._clock() - earlier[0] < self._dedupe_window:
            self.complain(f"{key} was written twice: at {earlier[1:]} and at {(last.epoch, last.offset)}")
        # The time counts from when it was sent, which was before a slow store had it.
        self._committed[key] = ((change.now - START) / 1000, last.epoch, last.offset)

    def acknowledged(self, author: str, command: str, channel: str, epoch: str, offset: int) -> None:
        """Note that an author was told that their command is a fact."""
        self.count("acknowledged")
        if self.has_restored and epoch != self._memory.heads()[channel][0]:
            # It was true then; a backup has replaced the store since.
            return
        key = (author, command)
        stood = self._committed.get(key)
        if stood is None:
            self.complain(f"{key} was acknowledged and never written")
        told = self._acked.get(key)
        if told is not None and told != (channel, epoch, offset) and stood is not None and stood[1:] != (epoch, offset):
            self.complain(f"{key} was acknowledged at {told} and at {(channel, epoch, offset)}")
        self._acked[key] = (channel, epoch, offset)

    def refused(self, author: str, command: str, code: str) -> None:
        """Note that an author was told that their command will never be a fact."""
        self.count(f"refused {code}")
        self._refused[(author, command)] = code

    def shown(self, fact: Fact) -> None:
        """Check a fact that somebody was shown: it is in the store, and everybody was shown the same one at this
        place."""
        place = (fact["channel"], fact["epoch"], fact["offset"])
        if fact["offset"] > self._written.get((fact["channel"], fact["epoch"]), 0):
            self.complain(f"{place} was shown before it was written")
        post = fact.get("post") or {}
        content = (fact["push"], fact["at"], fact.get("target"), fact.get("by"), post.get("author"), post.get("at"))
        known = self._known.setdefault(place, content)
        if known == content:
            return
        target, first = fact.get("target"), self._memory.heads()[fact["channel"]][1]
        # An edit of an expired post is told as its redaction; everything else is the same for everybody.
        if target is None or target >= first or known[1:] != content[1:]:
            self.complain(f"{place} was shown as {known} and as {content}")

    # ------------------------------------------------------------------------------------------ the judgement

    def judge_store(self) -> None:
        """Check that everything acknowledged is where it was acknowledged, nothing refused for good is anywhere, and no
        post is there twice."""
        heads = self._memory.heads()
        commands = self._memory.commands()
        for (author, command), (channel, epoch, offset) in self._acked.items():
            head = heads[channel]
            found = commands.get((author, command))
            if head[0] == epoch and offset >= head[1] and found != (channel, offset):
                self.complain(f"{command} of {author} was acknowledged at {channel} {offset}; the store has {found}")
        for (author, command), code in self._refused.items():
            if (author, command) in commands:
                self.complain(f"{command} of {author} was refused for good ({code}), and is in the store")
        if self._dedupe_window < ALWAYS:
            return
        places: dict[str, tuple[str, int]] = {}
        for channel in heads:
            for offset, post in self._memory.posts(ChannelName(channel)).items():
                # Nobody else writes the original text of this post, and its author writes it once.
                if post.edited_at is None and not post.redacted:
                    place = places.setdefault(post.text, (channel, offset))
                    if place != (channel, offset):
                        self.complain(f"{post.text[:12]!r} stands twice: at {place} and at {(channel, offset)}")

    def restored(self) -> None:
        """Note that a backup has replaced the store: what is not in it may happen again."""
        self.has_restored = True
        self._acked.clear()
        self._refused.clear()
        heads = self._memory.heads()
        self._written.update({(channel, epoch): last for channel, (epoch, _, last) in heads.items()})
        self._committed = {
            key: (self._committed[key][0], heads[channel][0], offset)
            for key, (channel, offset) in self._memory.commands().items()
        }
