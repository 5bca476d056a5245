"""`chatserver screening learn`: from a database with closed cases to the model that the server takes up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from bench.help_model import is_current, shipped_sentences
from chatserver.cli_learning import learn
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.crisis_phrases import Category
from chatserver.domain.moderation.local_training import (
    FEWEST_CASES,
    MAY_LOSE,
    MOST_OF_ONE,
    ClosedCase,
    Figures,
    Sentences,
    faults,
    lesson_of,
)
from chatserver.domain.moderation.measures import Outcome
from chatserver.domain.moderation.model_training import examples_of, train
from chatserver.domain.moderation.screening_figures import MARKED, Rate
from chatserver.domain.moderation.text_model import TextModel
from chatserver.store.store import Store
from chatserver.text_model import OWN, load_model, load_sentences, model_in_use
from tests.contract.test_store_closed_cases import close, raise_
from tests.contract.test_store_moderation import moderator
from tests.kit import forks
from tests.store.kit import START, newcomer, seeded, sqlite_database

SAID = """
self_harm!: tonight i end it and nobody will notice
self_harm: i want it all to end and nobody would notice
abuse: my uncle locks me in the shed and hits me
abuse!: he hits me and locks me in again tonight
-: tonight we sing and everybody notices the tune
-: my uncle paints the shed in spring
-: soup for lunch and a walk by the river
"""
CHECKED = """
self_harm!: nobody would notice if i end it tonight
abuse: he locks me in and hits me
-: my uncle sings by the river
-: a walk and some soup tonight
"""
CALM = ("what a lovely morning", "soup again", "see you at lunch", "how is your garden")
SENTENCES = Sentences(tuple(examples_of(SAID)), CALM, tuple(examples_of(CHECKED)))


@pytest.fixture(scope="module")
def shipped() -> TextModel:
    return train(SENTENCES.examples, CALM, MARKED, "en")


def _words(number: int) -> str:
    return f"the lanterns of harbour {number} go dark for good, goodbye"


async def _closed(directory: Path, outcome: Outcome, *, erased: int = 0) -> tuple[ClosedCase, ...]:
    """Close one alert of each of 40 people, erase the first of them, and return what is left to learn from."""
    store: Store = await seeded(sqlite_database(directory).store())
    try:
        mo = await moderator(store)
        people = [await newcomer(store, f"Ada{n}", id_=MemberId(f"m_person_{n}")) for n in range(40)]
        for n, each in enumerate(people):
            await raise_(store, each, _words(n), Category.SELF_HARM)
            await close(store, mo, each, outcome)
        for each in people[:erased]:
            await store.erase(each.id, START)
        return await store.closed_cases()
    finally:
        await store.close()


def _learn(cases: Sequence[ClosedCase], shipped: TextModel, directory: Path, **more: bool) -> list[str]:
    return [*learn(cases, SENTENCES, shipped, directory, **more)]


def test_what_moderators_acted_on_is_found_afterwards(tmp_path: Path, shipped: TextModel) -> None:
    cases = asyncio.run(_closed(tmp_path, Outcome.HANDLED, erased=3))
    assert len(cases) == 37
    said = "\n".join(_learn(cases, shipped, tmp_path))
    new = load_model(tmp_path / OWN)
    assert new is not None
    text = "goodbye, the lanterns go dark for good"
    assert new.read(text).score >= new.head.thresholds[1]
    assert shipped.read(text).score < shipped.head.thresholds[1]
    assert new.head.base == shipped.head.inputs
    assert "that they acted on" in said
    assert "needs a human, and is found: 100% (shipped: 100%" in said
    assert "acted on, and would be marked: " in said
    # Nothing that anybody wrote is told or stands in the file.
    assert "lantern" not in said
    assert b"lantern" not in (tmp_path / OWN).read_bytes()


def test_a_trial_writes_nothing(tmp_path: Path, shipped: TextModel) -> None:
    cases = [ClosedCase(_words(n), Category.SELF_HARM, MemberId(f"m_{n}")) for n in range(40)]
    assert _learn(cases, shipped, tmp_path, is_trial=True)[-1] == "Nothing was written."
    assert not (tmp_path / OWN).exists()


def test_a_model_that_finds_less_is_refused(
    tmp_path: Path, shipped: TextModel, capfd: pytest.CaptureFixture[str]
) -> None:
    """Moderators closed as nothing what the shipped sentences call serious."""
    texts = [text for text in CHECKED.splitlines() if text.startswith(("self_harm", "abuse"))]
    cases = [ClosedCase(f"{texts[n % 2].partition(': ')[2]} {n}", None, MemberId(f"m_{n}")) for n in range(100)]
    with pytest.raises(SystemExit):
        _learn(cases, shipped, tmp_path)
    said = capfd.readouterr().err
    assert "the new model is not good enough, and nothing has changed: it finds " in said
    assert not (tmp_path / OWN).exists()


def test_few_cases_teach_nothing(tmp_path: Path) -> None:
    result = forks.run(["chatserver", "screening", "learn", "--data-dir", tmp_path])
    assert result.returncode == 1
    assert result.stderr == f"chatserver: there are 0 closed cases to learn from, and it takes {FEWEST_CASES}\n"
    assert not (tmp_path / OWN).exists()


def test_nobody_teaches_much_alone_and_some_people_are_kept_out() -> None:
    ada = MemberId("m_ada")
    lesson = lesson_of([ClosedCase(f"words {n}", None, ada) for n in range(50)])
    assert len(lesson.examples) + len(lesson.kept_out) == MOST_OF_ONE
    many = lesson_of([ClosedCase(f"words {n}", None, MemberId(f"m_{n}")) for n in range(500)])
    assert 60 < len(many.kept_out) < 140
    assert lesson_of([ClosedCase("the  SAME", None, MemberId(f"m_{n}")) for n in range(9)]).people == 1


@pytest.mark.parametrize(
    ("anything", "urgent", "quiet", "words"),
    [
        (50, 50, 10, None),
        (48, 48, 12, None),
        (47, 50, 10, "of what needs a human"),
        (50, 47, 10, "of what is urgent"),
        (50, 50, 13, "of what must not ring"),
    ],
)
def test_a_model_may_lose_little(anything: int, urgent: int, quiet: int, words: str | None) -> None:
    before = Figures(Rate(50, 100), Rate(50, 100), Rate(10, 100))
    found = faults(before, Figures(Rate(anything, 100), Rate(urgent, 100), Rate(quiet, 100)))
    assert MAY_LOSE == 0.02
    assert [words in each for each in found if words is not None] == ([] if words is None else [True])


# ------------------------------------------------------------------------------------------------ what is in use


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, "chatserver.screening"):
        yield caplog


def test_the_own_model_is_used_where_it_was_made_over_the_shipped_one(
    tmp_path: Path, shipped: TextModel, logged: pytest.LogCaptureFixture
) -> None:
    release = load_model()
    assert release is not None
    assert getattr(model_in_use(tmp_path), "name", None) == release.name
    own = TextModel(msgspec.structs.replace(shipped.head, base=release.head.inputs), shipped._weights)
    (tmp_path / OWN).write_bytes(own.dump())
    assert getattr(model_in_use(tmp_path), "name", None) == own.name
    assert logged.records[-1].getMessage() == "text_model_own"


@pytest.mark.parametrize("kind", ["another release", "damaged"])
def test_an_own_model_that_does_not_fit_leaves_the_shipped_one(
    tmp_path: Path, shipped: TextModel, logged: pytest.LogCaptureFixture, kind: str
) -> None:
    release = load_model()
    assert release is not None
    (tmp_path / OWN).write_bytes(shipped.dump() if kind == "another release" else b"?")
    assert getattr(model_in_use(tmp_path), "name", None) == release.name
    line = logged.records[-1]
    assert line.getMessage() == "text_model_unusable"
    assert vars(line)["effect"] == "the shipped model"


def test_the_shipped_sentences_are_those_of_the_model() -> None:
    model, sentences = load_model(), load_sentences()
    assert model is not None
    assert is_current(model)
    assert sentences == shipped_sentences(), "run `python -m bench.help_model`"
    assert len(sentences.checked) > 500
