"""Figures tell their spread, and no verdict is given that the spread covers."""

from __future__ import annotations

import pytest

from bench.busy import Busy
from bench.measure import groups, layout, percentile
from bench.report import Mark, Section, Spread, Verdict, as_text, each, figure, most, rounds_of
from bench.targets import Target


def test_spread_is_the_median_between_the_lowest_and_the_highest() -> None:
    assert Spread.of([3.0, 1.0, 2.0, 10.0]) == Spread(2.5, 1.0, 10.0)
    assert str(Spread.of([3.0, 1.0, 2.0])) == "2 (1-3)"
    assert str(Spread.of([1_234.5])) == "1234"
    with pytest.raises(ValueError, match="no values"):
        Spread.of([])


def test_ratios_are_of_figures_taken_together() -> None:
    found = figure(
        "cost", "s", {"ours": [2.0, 30.0, 4.0], "relay": [1.0, 10.0, 1.0], "naive": [20.0, 300.0, 40.0]},
        Mark(most=50.0, from_naive=10.0),
    )  # fmt: skip
    assert found.spreads["ours"] == Spread(4.0, 2.0, 30.0)
    assert found.ratios["relay"] == Spread(3.0, 2.0, 4.0)
    assert found.ratios["naive"] == Spread(0.1, 0.1, 0.1)
    assert found.verdict is Verdict.REACHED
    assert "reached" in as_text(Section(scenario="x", about="y", figures=[found]))


def test_server_that_was_not_in_a_repetition_has_no_ratio_of_it() -> None:
    found = figure("cost", "s", [{"ours": 2.0, "relay": 1.0}, {"ours": 8.0, "bun": 2.0}])
    assert found.ratios == {"relay": Spread(2.0, 2.0, 2.0), "bun": Spread(4.0, 4.0, 4.0)}
    assert found.spreads["ours"] == Spread(5.0, 2.0, 8.0)


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        ([1.0, 1.1, 1.2], Verdict.REACHED),
        ([1.4, 1.5, 9.0], Verdict.MISSED),
        ([1.0, 1.1, 1.4], Verdict.NOT_DECIDED),
        ([1.0, 1.1], Verdict.NOT_DECIDED),
        ([9.0], Verdict.NOT_DECIDED),
    ],
)
def test_verdict_needs_three_repetitions_that_agree(ours: list[float], expected: Verdict) -> None:
    assert figure("cost", "s", {"ours": ours}, Mark(most=1.3)).verdict is expected


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (Mark(least=5), Verdict.REACHED),
        (Mark(least=13), Verdict.MISSED),
        (Mark(to_relay=2), Verdict.REACHED),
        (Mark(to_relay=1.5), Verdict.MISSED),
        (Mark(from_naive=2), Verdict.REACHED),
        (Mark(from_naive=3), Verdict.MISSED),
        # One part that all repetitions miss is missed, whatever the others say.
        (Mark(most=11, to_relay=1.5), Verdict.MISSED),
        (Mark(most=11, to_relay=2), Verdict.NOT_DECIDED),
    ],
)
def test_every_part_of_a_mark_counts(mark: Mark, expected: Verdict) -> None:
    values = {"ours": [10.0, 10.0, 12.0], "relay": [5.0, 5.0, 6.0], "naive": [20.0, 20.0, 24.0]}
    assert figure("cost", "s", values, mark).verdict is expected


def test_mark_against_a_server_that_is_not_there_is_not_decided() -> None:
    assert figure("cost", "s", {"ours": [1.0, 1.0, 1.0]}, Mark(to_relay=2)).verdict is Verdict.NOT_DECIDED


def test_figure_without_ours_has_no_verdict() -> None:
    assert figure("cost", "s", {"relay": [1.0, 1.0, 1.0]}, Mark(most=2)).verdict is None


def test_lists_of_unequal_length_leave_servers_out() -> None:
    assert rounds_of({"ours": [1.0, 2.0], "relay": [3.0]}) == [{"ours": 1.0, "relay": 3.0}, {"ours": 2.0}]
    assert each([{"ours": "ab"}, {"bun": "abc"}], len) == [{"ours": 2}, {"bun": 3}]
    assert most([{"ours": 1.0, "bun": 4.0}, {"ours": 2.0}]) == {"ours": 2.0, "bun": 4.0}


def test_text_names_the_load_as_the_bottleneck_and_the_other_work() -> None:
    section = Section(
        scenario="x",
        about="y",
        figures=[figure("rate", "1/s", {"ours": [1.0], "bun": [2.0]})],
        loads={"ours": 0.4, "bun": 0.97},
        busy=Busy(seconds=9.0, own=4.0, cores=2, load_average=3.25, others=0.5, stolen=0.0),
    )
    text = as_text(section)
    assert "ours 40%, bun 97%" in text
    assert "THE LOAD WAS THE BOTTLENECK against bun:" in text
    assert "BUSY with other work: of 9 s, the bench used 4 s CPU; others used 0.50 of 2 cores" in text


def test_percentile_is_a_value_that_was_measured() -> None:
    assert [percentile([1.0, 2.0, 3.0, 4.0], share) for share in (0.5, 0.75, 0.99, 1.0)] == [2.0, 3.0, 4.0, 4.0]


def test_rooms_fill_evenly_up_to_their_sizes() -> None:
    assert layout(3, 5) == [0, 1, 2, 0, 1]
    assert layout(3, 6, (1, 3, 2)) == [0, 1, 2, 1, 2, 1]


@pytest.mark.parametrize(("sockets", "expected"), [(40, ["abcd"]), (30, ["abc", "ad"]), (20, ["ab", "ac", "ad"])])
def test_ours_is_in_every_group_that_sockets_are_enough_for(sockets: int, expected: list[str]) -> None:
    def maker(name: str) -> Target:
        target = Target()
        target.name = name
        return target

    makers = [lambda name=name: maker(name) for name in "abcd"]
    assert ["".join(make().name for make in group) for group in groups(makers, 10, sockets)] == expected


def test_server_alone_is_a_group() -> None:
    assert len(groups([Target], 10, 5)) == 1
