"""What everybody lived through, held against what was acknowledged and against the store's own log.

In the spirit of Jepsen: the clients write down what they did and saw, and afterwards a judge that knows no server reads
it all. Pure: nothing here waits.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final


@dataclass(slots=True)
class Post:
    """One text, from the moment somebody meant to send it. Times are of the monotonic clock."""

    id: str
    text: str
    due: float
    """When it was to be sent. Waiting is counted from here: a server that is slow cannot slow its judge down."""
    sent_at: float | None = None
    acked_at: float | None = None
    epoch: str = ""
    offset: int = 0
    refusals: list[tuple[float, str, float]] = field(default_factory=list)
    """When it was refused for a time, with which code, and how many seconds after it was sent, each time."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A post that was shown to somebody, live or when they came back."""

    offset: int
    text: str
    at: float


@dataclass(slots=True)
class Diary:
    """One person: what they wrote, what they were shown in which order, and what should never happen to anybody."""

    name: str
    room: str
    joined_at_offset: int = 0
    """Everything after it must be shown to them."""
    posts: list[Post] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    silences: int = 0
    """Commands that were answered neither with yes nor with no, on a connection that stayed."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A post as it stands in the store."""

    author_and_id: str
    text: str
    at: int = 0
    """Milliseconds since 1970, as the worker's clock said, but never before the post before it."""


Log = Mapping[int, Kept]
"""A room's posts by offset, read from the database itself when all is over."""


_KINDS: Final = ("unexpected", "lost", "duplicated", "reordered")
"""What explains the others comes first."""


@dataclass(slots=True)
class Verdict:
    """Complaints by kind. Empty lists mean that everything is as promised."""

    lost: list[str] = field(default_factory=list)
    """Acknowledged and not in the store, or in the store and not shown to somebody who was in the room."""
    duplicated: list[str] = field(default_factory=list)
    """In the store twice, or shown to somebody twice."""
    reordered: list[str] = field(default_factory=list)
    """Shown out of order or at another offset than the store's, or numbered before what was acknowledged earlier."""
    unexpected: list[str] = field(default_factory=list)
    """Everything else that must not be: holes, gaps, false acknowledgements, final refusals, posts of nobody."""

    @property
    def complaints(self) -> list[str]:
        return self.some()

    def some(self, each: int | None = None) -> list[str]:
        """The first `each` of every kind: behind hundreds of losses stands the gap that they are of."""
        return [f"{kind}: {one}" for kind in _KINDS for one in getattr(self, kind)[:each]]

    def add(self, other: Verdict) -> None:
        self.lost += other.lost
        self.duplicated += other.duplicated
        self.reordered += other.reordered
        self.unexpected += other.unexpected


def judge(diaries: Sequence[Diary], log: Log) -> Verdict:
    """Judge one room. `log` holds all its posts, as the store has them after the last of them was shown."""
    verdict = Verdict()
    written = {post.text: post for diary in diaries for post in diary.posts}
    _judge_store(written, log, verdict)
    _judge_acknowledgements(written.values(), log, verdict)
    _judge_real_time(written.values(), verdict)
    for diary in diaries:
        _judge_diary(diary, log, verdict)
    return verdict


def _judge_store(written: Mapping[str, Post], log: Log, verdict: Verdict) -> None:
    for what, counted in (
        ("text", Counter(kept.text for kept in log.values())),
        ("id", Counter(kept.author_and_id for kept in log.values())),
    ):
        verdict.duplicated += [f"{what} {name} is in the store {n} times" for name, n in counted.items() if n > 1]
    in_order = sorted(log.items())
    verdict.unexpected += [
        f"{at} is said to be earlier than {before}"
        for (before, one), (at, other) in itertools.pairwise(in_order)
        if other.at < one.at
    ]
    verdict.unexpected += [f"nobody wrote {kept.text} at {at}" for at, kept in log.items() if kept.text not in written]


def _judge_acknowledgements(posts: Iterable[Post], log: Log, verdict: Verdict) -> None:
    for post in posts:
        if post.acked_at is None:
            verdict.unexpected.append(f"{post.text} was never acknowledged")
        elif post.offset not in log:
            verdict.lost.append(f"{post.text}, acknowledged at {post.offset}, is not in the store")
        elif log[post.offset].text != post.text:
            verdict.unexpected.append(f"{post.text} was acknowledged at {post.offset}: {log[post.offset].text}")


def _judge_real_time(posts: Iterable[Post], verdict: Verdict) -> None:
    """What was first sent after something was acknowledged, to anybody, stands after it."""
    acked = [post for post in posts if post.acked_at is not None]
    by_end = sorted(acked, key=lambda post: post.acked_at or 0.0)
    highest: Post | None = None
    at = 0
    for post in sorted(acked, key=lambda post: post.sent_at or 0.0):
        while at < len(by_end) and (by_end[at].acked_at or 0.0) < (post.sent_at or 0.0):
            if highest is None or by_end[at].offset > highest.offset:
                highest = by_end[at]
            at += 1
        if highest is not None and post.offset < highest.offset:
            verdict.reordered.append(
                f"{post.text} is at {post.offset}, sent after {highest.text} was acknowledged at {highest.offset}"
            )


def _judge_diary(diary: Diary, log: Log, verdict: Verdict) -> None:
    name = diary.name
    verdict.unexpected += [f"{name}: {problem}" for problem in diary.problems]
    for what, counted in (
        ("offset", Counter(sight.offset for sight in diary.sights)),
        ("text", Counter(sight.text for sight in diary.sights)),
    ):
        verdict.duplicated += [f"{name} saw {what} {which} {n} times" for which, n in counted.items() if n > 1]
    last = 0
    for sight in diary.sights:
        if sight.offset < last:
            verdict.reordered.append(f"{name} saw {sight.offset} after {last}")
        last = max(last, sight.offset)
        kept = log.get(sight.offset)
        if kept is None:
            verdict.unexpected.append(f"{name} saw {sight.text} at {sight.offset}, which is not in the store")
        elif kept.text != sight.text:
            verdict.reordered.append(f"{name} saw {sight.text} at {sight.offset}, where {kept.text} is")
    seen = {sight.offset for sight in diary.sights}
    verdict.lost += [
        f"{name} was never shown {kept.text} at {offset}"
        for offset, kept in log.items()
        if offset > diary.joined_at_offset and offset not in seen
    ]
