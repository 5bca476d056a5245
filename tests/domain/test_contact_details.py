"""Contact details are found where they are, and hardly ever where they are not."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.text.contact_details import (
    MOST_CANDIDATES,
    ContactKind,
    contacts_across,
    find_contacts,
    look_for_contacts,
)
from tests.domain.contact_disguises import DISGUISED, ORDINARY, SPLIT
from tests.domain.contact_sentences import WITH, WITHOUT
from tests.domain.costly import CONTACT_PARTS
from tests.kit.work import lines_run

LABELLED = [(sentence, kind) for kind, sentences in WITH.items() for sentence in sentences]


def test_precision_and_recall_are_at_least_97_percent() -> None:
    assert len(LABELLED) + len(WITHOUT) >= 150
    assert len(set(WITHOUT) | {sentence for sentence, _ in LABELLED}) == len(LABELLED) + len(WITHOUT)
    missed = [(kind, sentence) for sentence, kind in LABELLED if not _kinds(sentence) & {ContactKind(kind)}]
    wrong = [(sentence, find_contacts(sentence)) for sentence in WITHOUT if find_contacts(sentence)]
    hits = len(LABELLED) - len(missed)
    assert hits / len(LABELLED) >= 0.97, missed
    assert hits / (hits + len(wrong)) >= 0.97, wrong


def test_what_is_found_is_told_with_its_place() -> None:
    text = "Ring 07700 900123 or write to sam@example.com"
    assert [(found.kind, text[found.start : found.end].strip()) for found in find_contacts(text)] == [
        (ContactKind.PHONE, "07700 900123"),
        (ContactKind.EMAIL, "sam@example.com"),
    ]


@pytest.mark.parametrize("number", ["116 123", "988", "112", "911", "999", "111", "13 11 14", "1737", "14416"])
def test_helplines_may_be_named(number: str) -> None:
    assert find_contacts(f"You can call {number} at any hour, they listen.") == ()


def test_the_helplines_of_our_own_page_may_be_named() -> None:
    page = (Path(__file__).parents[2] / "web" / "index.html").read_text()
    numbers = re.findall(r'<a href="tel:[^"]+">([^<]+)</a>', page)
    assert len(numbers) > 20
    assert [number for number in numbers if find_contacts(f"You can call {number}, they listen.")] == []


@given(st.text(max_size=300))
def test_any_text_can_be_looked_at_and_nothing_overlaps(text: str) -> None:
    found = find_contacts(text)
    assert all(0 <= each.start < each.end <= len(text) for each in found)
    assert all(before.end <= after.start for before, after in pairwise(found))


@pytest.mark.parametrize("part", CONTACT_PARTS)
def test_no_text_takes_much_work(part: str) -> None:
    """The dearest takes 15,400 lines of code. What goes on inside regular expressions `tests/fuzz/test_worst_text.py`
    holds against a plain text, and `python -m bench.cpu_bounds` measures it."""
    text = (part * 2_000)[:2_000]
    assert lines_run(lambda: find_contacts(text)) < 40_000


def _kinds(text: str) -> set[ContactKind]:
    return {found.kind for found in find_contacts(text)}


def test_at_least_44_of_46_disguises_are_seen_through() -> None:
    assert len(DISGUISED) == 46
    missed = [text for text in DISGUISED if not find_contacts(text)]
    assert len(missed) <= 2, missed


def test_ordinary_talk_is_not_taken_for_a_disguise() -> None:
    wrong = [(text, find_contacts(text)) for text in ORDINARY if find_contacts(text)]
    assert len(ORDINARY) > 60
    assert len(wrong) <= 1, wrong


@pytest.mark.parametrize(("before", "text"), SPLIT)
def test_what_two_posts_hold_together_is_found(before: str, text: str) -> None:
    assert contacts_across(before, text)
    assert not contacts_across("", text)


def test_what_one_post_holds_alone_is_not_the_next_ones() -> None:
    assert not contacts_across("ring 07700 900123", "and sleep well")
    assert not contacts_across("I slept 4 hours", "and 30 minutes")


def test_a_place_is_told_of_the_text_as_it_was_written() -> None:
    text = "so: i\u200bnsta: wolfie_99, ok"
    (found,) = find_contacts(text)
    assert text[found.start : found.end] == "i\u200bnsta: wolfie_99"


@pytest.mark.parametrize("part", ["@home ", "snap a ", "1 2 3 4 5 6 7 8, ", "a_1b "])
def test_places_that_are_looked_at_are_counted_and_few(part: str) -> None:
    looked = look_for_contacts((part * 2_000)[:2_000])
    assert looked.steps <= 8 * MOST_CANDIDATES
    assert looked.found or looked.steps < MOST_CANDIDATES or not looked.is_whole
