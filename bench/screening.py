"""What a post's text costs before it is saved: `python -m bench.screening [seconds of search]`.

Each row gives microseconds of CPU, p50 and p99 over many rounds, and as a ratio to Unicode normalisation and case
folding of the same text, measured in turn with it. `hold` is the longest part of the work that nothing else can run
between. The texts that cost most are searched for (`tests/fuzz/worst_text.py`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Final
from unicodedata import normalize

import msgspec

from chatserver import wordlists
from chatserver.domain.moderation.crisis_phrases import Words
from chatserver.domain.text.contact_details import Looking
from tests.domain.contact_disguises import ORDINARY
from tests.fuzz.worst_text import LONGEST, PARTS, climb, words_of_the_lists

POST: Final = 140
NAME_OF_POST: Final = f"ordinary talk, {POST} characters"
_ROUNDS: Final = 300
_DAY: Final = (
    "I went to the shop and bought some bread, then I watched a film with my sister and slept. It was a quiet day and "
    "nothing much happened to us, so we went for a walk by the river in the rain."
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Microseconds of CPU for one text. `ratio` is that of the medians of all of the work and of the baseline; `least`
    and `least_hold` are those of the fastest round."""

    name: str
    least: float
    least_hold: float
    p50: float
    p99: float
    hold: float
    ratio: float

    def __str__(self) -> str:
        return f"{self.least:9.1f} {self.p50:9.1f} {self.p99:9.1f} {self.hold:9.1f} {self.ratio:9.1f}  {self.name}"


HEAD: Final = "    least       p50       p99  hold p50     ratio  us of CPU for a text"


def parts(words: Words, text: str) -> Iterator[None]:
    """Look at a text as the server does before it saves it; yield where other work may run."""
    yield from words.begin(f"\n{text}").parts()
    yield
    yield from Looking(text).parts()


def holds(words: Words, text: str) -> list[float]:
    """Return the microseconds of CPU of each part of the work."""
    taken = []
    before = time.thread_time_ns()
    for _ in parts(words, text):
        now = time.thread_time_ns()
        taken.append((now - before) / 1000)
        before = time.thread_time_ns()
    taken.append((time.thread_time_ns() - before) / 1000)
    return taken


def measure(name: str, words: Words, text: str, rounds: int = _ROUNDS) -> Row:
    everything, longest, base = [], [], []
    # Reading the clock costs a tenth of looking at a short post.
    times = 20 if len(text) <= POST else 1
    for _ in range(rounds):
        base.append(_once(lambda: normalize("NFKC", text).casefold(), 20))
        everything.append(_once(lambda: sum(1 for _ in parts(words, text)), times))
        longest.append(max(holds(words, text)))
    p50 = _at(everything, 0.5)
    return Row(
        name=name,
        least=min(everything),
        least_hold=min(longest),
        p50=p50,
        p99=_at(everything, 0.99),
        hold=_at(longest, 0.5),
        ratio=p50 / _at(base, 0.5),
    )


def _once(work: Callable[[], object], times: int) -> float:
    before = time.thread_time_ns()
    for _ in range(times):
        work()
    return (time.thread_time_ns() - before) / 1000 / times


def _at(taken: list[float], share: float) -> float:
    return sorted(taken)[int(share * (len(taken) - 1))]


def ordinary(length: int) -> str:
    """Return ordinary talk without a finding, as many characters."""
    return " ".join((_DAY, *ORDINARY))[:length]


def dearest(cost: Callable[[str], float], seconds: float) -> str:
    """Return the text that costs most of those that are known and that a search finds in so many seconds."""
    made = (*PARTS, *words_of_the_lists())
    worst = max(((part * LONGEST)[:LONGEST] for part in PARTS), key=cost)
    until, chance = time.monotonic() + seconds, Random(1)
    while time.monotonic() < until:
        worst = max((worst, climb(cost, 100, chance, made).text), key=cost)
    return worst


def rows(seconds: float) -> Iterator[Row]:
    words = wordlists.load()
    yield measure(NAME_OF_POST, words, ordinary(POST))
    yield measure(f"ordinary talk, {LONGEST} characters", words, ordinary(LONGEST))
    for what, cost in (
        ("dearest text", lambda text: min(sum(holds(words, text)) for _ in range(3))),
        ("longest part", lambda text: min(max(holds(words, text)) for _ in range(3))),
    ):
        text = dearest(cost, seconds)
        yield measure(f"the {what} that was found: {text[:40]!r}", words, text, 50)


def main(seconds: float) -> None:
    print(HEAD)
    for row in rows(seconds):
        print(row, flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0)
