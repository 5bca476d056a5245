"""No text that a search finds costs more steps than are allowed, nor much more time than a plain one as long."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

import pytest

from chatserver import wordlists
from chatserver.domain.moderation.crisis_phrases import MOST_STEPS, Words
from chatserver.domain.text.contact_details import MOST_CANDIDATES, look_for_contacts
from tests.domain.costly import CONTACT_PARTS
from tests.fuzz.worst_text import LONGEST, PARTS, climb, words_of_the_lists

KNOWN = (
    "s***s ",
    "@ab ",
    "want to ",
    "how to kill you ",
    " at ",
    "a@b.",
    "\U0001f47b ",
    "kik a_1 ",
    " ",
    "sn4p ",
    "e\u0301",
)
"""What was dearest before there was a bound, and while it was made."""
PLAIN = "I went to the shop and bought some bread, then I watched a film with my sister and slept. "


@pytest.fixture(scope="module")
def words() -> Words:
    return wordlists.load()


def test_the_dearest_text_that_is_found_stays_within_its_steps(words: Words) -> None:
    worst = climb(lambda text: words.read(text).steps, 120, Random(11), (*PARTS, *words_of_the_lists()))
    assert 0 < worst.cost <= MOST_STEPS
    worst = climb(lambda text: look_for_contacts(text).steps, 120, Random(11))
    assert 0 < worst.cost <= 8 * MOST_CANDIDATES


@pytest.mark.parametrize("part", sorted({*KNOWN, *CONTACT_PARTS}))
def test_no_known_text_takes_many_times_as_long_as_a_plain_one(words: Words, part: str) -> None:
    def look(text: str) -> None:
        words.read(text)
        look_for_contacts(text)

    plain = (PLAIN * LONGEST)[:LONGEST] + " i want to"
    assert _cpu(look, (part * LONGEST)[:LONGEST]) < 12 * _cpu(look, plain)


def _cpu(look: Callable[[str], None], text: str) -> float:
    taken = []
    for _ in range(5):
        before = time.process_time()
        look(text)
        taken.append(time.process_time() - before)
    return min(taken)
