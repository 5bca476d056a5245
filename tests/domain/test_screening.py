"""Contact details are found where they are, and hardly ever where they are not."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.screening import Kind, find_contacts
from tests.domain.contact_sentences import WITH, WITHOUT

LABELLED = [(sentence, kind) for kind, sentences in WITH.items() for sentence in sentences]


def test_precision_and_recall_are_at_least_97_percent() -> None:
    assert len(LABELLED) + len(WITHOUT) >= 150
    assert len(set(WITHOUT) | {sentence for sentence, _ in LABELLED}) == len(LABELLED) + len(WITHOUT)
    missed = [(kind, sentence) for sentence, kind in LABELLED if not _kinds(sentence) & {Kind(kind)}]
    wrong = [(sentence, find_contacts(sentence)) for sentence in WITHOUT if find_contacts(sentence)]
    hits = len(LABELLED) - len(missed)
    assert hits / len(LABELLED) >= 0.97, missed
    assert hits / (hits + len(wrong)) >= 0.97, wrong


def test_what_is_found_is_told_with_its_place() -> None:
    text = "Ring 07700 900123 or write to sam@example.com"
    assert [(found.kind, text[found.start : found.end].strip()) for found in find_contacts(text)] == [
        (Kind.PHONE, "07700 900123"),
        (Kind.EMAIL, "sam@example.com"),
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


LONG = ["a", "1 ", "a.", "@", "one ", " at ", "insta: ", "-", "my insta is ", "a@", "a dot ", "(1) ", "a-", "call 1"]


@pytest.mark.parametrize("part", LONG)
def test_no_text_takes_long(part: str) -> None:
    text = (part * 2_000)[:2_000]
    before = time.process_time()
    find_contacts(text)
    assert time.process_time() - before < 0.25


def _kinds(text: str) -> set[Kind]:
    return {found.kind for found in find_contacts(text)}
