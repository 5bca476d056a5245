"""A search for the texts that cost most to look at: `python -m tests.fuzz.worst_text [seconds]`.

It climbs: a text is changed at random, and the change stays where it costs no less. In the suite the cost is counted in
steps, which are the same everywhere; by hand it is CPU time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from chatserver import wordlists
from chatserver.domain.errors import Refusal
from chatserver.domain.people.names import clean_name
from chatserver.domain.rooms.decide import checked
from chatserver.domain.rooms.rooms import RoomRules
from chatserver.domain.text.cleaning import clean_text
from chatserver.domain.text.contact_details import Looking, contacts_across, look_for_contacts

LONGEST: Final = 2_000
WARNING: Final = 80
PARTS: Final = (
    # Masked, misspelt and otherwise hidden words
    "s***s ", "f**k ", "co***** ", "k*", "*", "$", "5uic1de ", "k1ll ", "kiiill ", "sucide ", "aaa",
    # What phrases and denials begin with
    "i ", "i a ", "he ", "u ", "not ", "never ", "dont ", "want to ", "i dont want to ", "how to ", "kill ", "die ",
    "kill myself ",
    # What contact details are made of
    "@ab ", "@", "a@b.", "a@", " at ", " dot ", "(dot)", "[.] ", "insta: ", "my insta is ", "add me on snap at ",
    "sn4p ", "snap a ", "kik a_1 ", "a_1 ", "a#1 ", "u/a ", "https", "www ", "discord ", "gg ", "a.", "a.b.",
    "x.co ", "a,b ",
    "\U0001f47b ", "\U0001f4f7a", "1 ", "12 345 ", "0-", "0,", "o1l ", "one ", "twenty one ", "hundred ", "double ",
    "a b c d ", "a.b.c.d ",
    # What shows nothing, or stands for something else
    "\u200b", "\u200d", "\u200c", "\uff49", "\uff4e", "\U0001d4fc", "\u0430", "\u0435", "\u0301", "\u0940", "\ufe0f",
    "e\u0301\u0301\u0301\u0301\u0301", "\u0639\u0644\u200c", "\u0915\u094d\u200d",
    "\U0001f469\U0001f3fd\u200d\U0001f692", "1\ufe0f\u20e3", "\ue000", "\u738b",
    # Ends
    ". ", "! ", "\n", "\n> ", "\n\n", '"', "\u201c", " ", "  ", "a", "\u2026", " - ", "(",
)  # fmt: skip


class Worst(NamedTuple):
    """What a search found."""

    cost: float
    text: str


def climb(cost: Callable[[str], float], rounds: int, chance: Random, parts: tuple[str, ...] = PARTS) -> Worst:
    """Return the dearest text that was found in so many rounds."""
    best = Worst(-1.0, "")
    text: list[str] = []
    here = -1.0
    for turn in range(rounds):
        if turn % 400 == 0:
            # Begin again somewhere else now and then.
            text = [chance.choice(parts)] * 1_000 if chance.random() < 0.5 else chance.choices(parts, k=1_000)
            here = -1.0
        tried = _changed(text, parts, chance)
        joined = "".join(tried)[:LONGEST]
        found = cost(joined)
        if found >= here:
            text, here = tried, found
        if found > best.cost:
            best = Worst(found, joined)
    return best


def _changed(text: list[str], parts: tuple[str, ...], chance: Random) -> list[str]:
    at = chance.randrange(len(text))
    long = chance.choice((1, 3, 10, 100, 500))
    match chance.randrange(4):
        case 0:
            return [*text[:at], *chance.choices(parts, k=long), *text[at + long :]]
        case 1:
            return [*text[:at], *[chance.choice(parts)] * long, *text[at + long :]]
        case 2:
            block = text[at : at + long]
            return (block * 1_000)[:1_000]
        case _:
            pair = chance.choices(parts, k=chance.randint(2, 5))
            return [*text[:at], *(pair * long)[:long], *text[at + long :]]


def words_of_the_lists() -> tuple[str, ...]:
    """Return the words that phrases are made of, each with a space: what makes most phrases possible at once."""
    found: set[str] = set()
    lists = wordlists.load()
    for phrases in (lists.signals, lists.contexts):
        found.update(f"{word} " for word in phrases.words)
    return tuple(sorted(found))


def cpu(look: Callable[[str], object]) -> Callable[[str], float]:
    """Return a cost in milliseconds of CPU: the least of three."""

    def cost(text: str) -> float:
        taken = []
        for _ in range(3):
            before = time.process_time()
            look(text)
            taken.append(time.process_time() - before)
        return min(taken) * 1_000

    return cost


def longest_part(begin: Callable[[str], Iterator[None]]) -> Callable[[str], float]:
    """Return the CPU in milliseconds of the longest part of what is done part by part: the least of three."""

    def cost(text: str) -> float:
        taken = []
        for _ in range(3):
            longest, before = 0.0, time.process_time()
            for _ in begin(text):
                now = time.process_time()
                longest, before = max(longest, now - before), now
            taken.append(max(longest, time.process_time() - before))
        return min(taken) * 1_000

    return cost


def main(seconds: float) -> None:
    lists = wordlists.load()
    costs: dict[str, Callable[[str], float]] = {
        "clean_text": cpu(clean_text),
        "checked": cpu(_checked),
        "Words.read": cpu(lists.read),
        "its longest part": longest_part(lambda text: lists.begin(text).parts()),
        "look_for_contacts": cpu(look_for_contacts),
        "the longest of it": longest_part(lambda text: Looking(text).parts()),
        "contacts_across": cpu(lambda text: contacts_across(text, text[::-1])),
        "clean_name": cpu(lambda text: _name(text[:256])),
    }
    parts = (*PARTS, *words_of_the_lists())
    print(f"a million additions take {cpu(lambda _: sum(range(1_000_000)))(''):.1f} ms", flush=True)
    for name, cost in costs.items():
        chance, until, worst = Random(1), time.monotonic() + seconds, Worst(-1.0, "")
        while time.monotonic() < until:
            worst = max(worst, climb(cost, 400, chance, parts))
        print(f"{name:<18} {worst.cost:6.2f} ms  {worst.text[:90]!r}", flush=True)
        Path(tempfile.gettempdir(), f"worst_{name}.txt").write_text(worst.text, "utf-8", "surrogatepass")


def _name(text: str) -> None:
    with suppress(Refusal):
        clean_name(text, max_length=24)


def _checked(text: str) -> None:
    with suppress(Refusal):
        checked(text, text[:WARNING], RoomRules())


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0)
