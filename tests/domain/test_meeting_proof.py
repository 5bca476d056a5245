"""A reader of a meeting's log who knows nothing else can check every post. `meeting_proof` runs more of them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chatserver.domain.history import Millis
from chatserver.domain.rooms.rooms import Voice
from tests.domain.meeting_kit import ROBIN, WREN
from tests.domain.meeting_proof import Entry, Run, prove
from tests.kit.nightly import drawn

MEETINGS = drawn(60)


def test_the_log_alone_proves_every_post_and_equal_turns_are_equally_long() -> None:
    posts = turns = refused = 0
    for seed in range(MEETINGS):
        proof = Run(seed).run()
        assert proof.problems == [], seed
        posts += proof.counts["posts"]
        turns += proof.counts["turns"]
        refused += proof.counts["post refused not_your_turn"]
    assert posts > 5 * MEETINGS
    assert turns > MEETINGS
    assert refused > MEETINGS


@pytest.mark.parametrize("seed", [544, 1178])
def test_who_leaves_a_round_and_comes_back_does_not_speak_twice(seed: int) -> None:
    assert Run(seed).run().problems == []


def test_the_reader_finds_a_post_out_of_turn_twice_in_a_round_too_long_or_too_soon() -> None:
    turn = Entry(Millis(1), voice=Voice(who="some", some=(ROBIN,), phase="share"))
    round_ = Entry(Millis(1), voice=Voice(who="all", once=True, length=10, phase="checkin"))
    slow = Entry(Millis(1), voice=Voice(who="all", pace=10, phase="open"))
    post = Entry(Millis(2), author=ROBIN, length=5)
    assert prove([turn, post]) == prove([round_, post]) == prove([slow, post]) == []
    for log in (
        [post],
        [turn, replace_author(post)],
        [round_, post, post],
        [round_, post._replace(length=11)],
        [slow, post, post],
        [Entry(Millis(1), voice=replace(Voice(), who="none")), post],
    ):
        assert len(prove(log)) >= 1


def replace_author(post: Entry) -> Entry:
    return post._replace(author=WREN)
