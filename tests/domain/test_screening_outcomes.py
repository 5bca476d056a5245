"""What became of escalations, in sums from which no single case can be read."""

from __future__ import annotations

from pathlib import Path

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.measures import Outcome
from chatserver.domain.moderation.score_counts import WEEK, monday_of
from chatserver.domain.moderation.screening_curve import curve_of
from chatserver.domain.moderation.screening_outcomes import (
    FEWEST_PEOPLE,
    ClosedEscalation,
    OutcomeSum,
    outcomes,
    span,
)
from chatserver.domain.moderation.text_model import MODEL, SEVERAL
from chatserver.text_model import load_curve, load_model

NOTHING, HANDLED, MEASURE = Outcome.NOTHING, Outcome.HANDLED, Outcome.MEASURE


def closed(
    phrase: str, person: int, outcome: Outcome = NOTHING, score: int | None = None, note: str | None = None
) -> ClosedEscalation:
    said = f"some words\n{phrase}" if note is None else note
    return ClosedEscalation(note=said, score=score, outcome=outcome, about=MemberId(f"m_{person}"))


def test_a_phrase_is_told_once_enough_people_said_it() -> None:
    few = [closed("little ones", person) for person in range(FEWEST_PEOPLE - 1)]
    assert outcomes(few).phrases == ()
    often = [*few, *(closed("little ones", 1) for _ in range(20))]
    assert outcomes(often).phrases == (), "one person who says it often is still one"
    enough = [*few, closed("little ones", 99, HANDLED)]
    assert outcomes(enough).phrases == (OutcomeSum(phrase="little ones", nothing=4, of=5),)


def test_what_is_too_little_is_one_sum_and_that_only_with_enough_people() -> None:
    some = [closed(f"phrase {person}", person, MEASURE if person else NOTHING) for person in range(FEWEST_PEOPLE)]
    assert outcomes(some).others == OutcomeSum(nothing=1, of=5)
    assert outcomes(some[1:]).others is None


def test_scores_of_the_model_are_told_in_bands_and_several_count_too() -> None:
    some = [closed(MODEL if person % 2 else SEVERAL, person, NOTHING, 31 + person) for person in range(9)]
    some += [closed(MODEL, person, HANDLED, 71) for person in range(5)]
    some += [closed(MODEL, 1, HANDLED, 95), closed(MODEL, 2, HANDLED, None)]
    found = outcomes(some)
    assert found.bands == (
        OutcomeSum(low=0.2, high=0.4, nothing=9, of=9),
        OutcomeSum(low=0.6, high=0.8, nothing=0, of=5),
    )
    assert found.phrases == ()
    assert found.others is None


def test_erased_words_and_concerns_without_a_phrase_count_for_nothing() -> None:
    some = [closed("", person, note=note) for person in range(9) for note in ("", "words\n", "words")]
    assert outcomes(some) == outcomes([])


def test_phrases_that_were_mostly_nothing_come_first() -> None:
    some = [closed("right", person, HANDLED) for person in range(9)]
    some += [closed("wrong", person, NOTHING) for person in range(6)]
    some += [closed("half", person, NOTHING if person % 2 else HANDLED) for person in range(6)]
    assert [each.phrase for each in outcomes(some).phrases] == ["wrong", "half", "right"]


def test_only_weeks_that_are_over_are_told() -> None:
    now = Millis(1_700_000_000_000)
    since, until = span(now)
    assert until == monday_of(now) <= now
    assert until - since == 12 * WEEK
    assert span(Millis(until + WEEK - 1)) == (since, until)


def test_it_is_known_what_the_shipped_model_finds() -> None:
    curve = load_curve(load_model())
    assert curve is not None, "run `python -m bench.help_curve`"
    # All sentences of the authors who are never trained on.
    assert (sum(curve.needed), sum(curve.near)) == (600, 440)
    assert curve.urgent_found(0.3) > curve.near_marked(0.3)


def test_a_curve_of_another_model_or_a_broken_one_is_not_used(tmp_path: Path) -> None:
    model = load_model()
    assert model is not None
    file = tmp_path / "help.curve.json"
    assert load_curve(model, file) is None
    file.write_text("{}")
    assert load_curve(model, file) is None
    file.write_bytes(msgspec.json.encode(curve_of("another", [0.1], [], [])))
    assert load_curve(model, file) is None
    assert load_curve(None) is None


def test_a_curve_promises_no_more_than_what_reaches_the_score() -> None:
    curve = curve_of("x", [0.1, 0.3, 0.5, 0.7], [0.7, -0.5], [0.2, 0.0])
    assert [curve.found(score) for score in (-1.5, 0.1, 0.2, 0.51, 0.9)] == [100, 100, 75, 25, 0]
    assert (curve.urgent_found(0.2), curve.near_marked(0.05)) == (50, 50)
    found = [curve.found(score / 100) for score in range(-120, 160)]
    assert found == sorted(found, reverse=True)
    assert curve_of("x", [], [], []).found(0.1) == 0
