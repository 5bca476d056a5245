"""The judge of the fault suite finds every kind of fault, and none where there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.reliability.history import Diary, Kept, Post, Sight, judge

Story = tuple[list[Diary], dict[int, Kept]]


def story() -> Story:
    """Two people who wrote three posts and saw them all; the third of them before it was acknowledged."""
    wren, otter = Diary("wren", "sleep", joined_at_offset=10), Diary("otter", "sleep", joined_at_offset=10)
    log = {}
    for number, author in enumerate((wren, otter, wren)):
        at, offset, text = float(number), 11 + number, f"post {number}"
        author.posts.append(Post(f"id{number}", text, at, sent_at=at, acked_at=at + 0.5, epoch="e", offset=offset))
        log[offset] = Kept(f"{author.name} id{number}", text, at=1_000 + number)
        for diary in (wren, otter):
            diary.sights.append(Sight(offset, text, at + 0.4))
    return [wren, otter], log


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert judge(*story()).complaints == []


def test_what_was_there_before_somebody_joined_is_not_missed() -> None:
    diaries, log = story()
    diaries[1].joined_at_offset = 11
    del diaries[1].sights[0]
    assert judge(diaries, log).complaints == []


def _not_shown(diaries: list[Diary], log: dict[int, Kept]) -> None:
    del diaries[1].sights[1]


def _last_not_shown(diaries: list[Diary], log: dict[int, Kept]) -> None:
    del diaries[0].sights[2]


def _not_kept(diaries: list[Diary], log: dict[int, Kept]) -> None:
    for diary in diaries:
        del diary.sights[2]
    del log[13]


def _shown_twice(diaries: list[Diary], log: dict[int, Kept]) -> None:
    diaries[0].sights.append(diaries[0].sights[2])


def _kept_twice(diaries: list[Diary], log: dict[int, Kept]) -> None:
    log[14] = replace(log[13])
    for diary in diaries:
        diary.sights.append(Sight(14, log[14].text, 9.0))


def _shown_in_another_order(diaries: list[Diary], log: dict[int, Kept]) -> None:
    sights = diaries[0].sights
    sights[0], sights[1] = sights[1], sights[0]


def _shown_elsewhere(diaries: list[Diary], log: dict[int, Kept]) -> None:
    sights = diaries[0].sights
    sights[0], sights[1] = replace(sights[0], text=sights[1].text), replace(sights[1], text=sights[0].text)


def _numbered_before_what_was_acknowledged(diaries: list[Diary], log: dict[int, Kept]) -> None:
    first, third = diaries[0].posts
    first.sent_at, first.acked_at = 20.0, 21.0
    assert first.offset < third.offset


def _never_acknowledged(diaries: list[Diary], log: dict[int, Kept]) -> None:
    diaries[1].posts[0].acked_at = None


def _acknowledged_at_anothers_place(diaries: list[Diary], log: dict[int, Kept]) -> None:
    diaries[1].posts[0].offset = 11


def _written_by_nobody(diaries: list[Diary], log: dict[int, Kept]) -> None:
    diaries[0].posts.pop(0)


def _earlier_than_the_one_before(diaries: list[Diary], log: dict[int, Kept]) -> None:
    log[12] = replace(log[12], at=1)


def _told_of_a_problem(diaries: list[Diary], log: dict[int, Kept]) -> None:
    diaries[0].problems.append("fell into a gap")


@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        (_not_shown, "lost"),
        (_last_not_shown, "lost"),
        (_not_kept, "lost"),
        (_shown_twice, "duplicated"),
        (_kept_twice, "duplicated"),
        (_shown_in_another_order, "reordered"),
        (_shown_elsewhere, "reordered"),
        (_numbered_before_what_was_acknowledged, "reordered"),
        (_never_acknowledged, "unexpected"),
        (_acknowledged_at_anothers_place, "unexpected"),
        (_written_by_nobody, "unexpected"),
        (_earlier_than_the_one_before, "unexpected"),
        (_told_of_a_problem, "unexpected"),
    ],
)
def test_every_harm_is_found(harm: Callable[[list[Diary], dict[int, Kept]], None], kind: str) -> None:
    diaries, log = story()
    harm(diaries, log)
    assert getattr(judge(diaries, log), kind)


def test_many_losses_do_not_hide_the_cause() -> None:
    diaries, log = story()
    for diary in diaries:
        diary.sights.clear()
    _told_of_a_problem(diaries, log)
    some = judge(diaries, log).some(2)
    assert [one.partition(":")[0] for one in some] == ["unexpected", "lost", "lost"]
    assert some[0] == "unexpected: wren: fell into a gap"
