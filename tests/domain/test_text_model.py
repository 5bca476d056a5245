"""The second opinion: its features, its file, what it may say, and how it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec
import pytest

from bench.help_model import SENTENCES, checked, everything, is_current, ordinary
from chatserver import wordlists
from chatserver.domain.moderation.crisis_phrases import Category
from chatserver.domain.moderation.local_training import figures
from chatserver.domain.moderation.model_training import BadLine, Example, examples_of, hash_of, threshold, train
from chatserver.domain.moderation.screening_figures import MARKED
from chatserver.domain.moderation.text_model import MODEL, BadModel, TextModel, load
from chatserver.domain.moderation.text_windows import (
    BUCKETS,
    MOST_WORDS,
    WINDOW,
    letter_features,
    tokens_of,
    windows,
    word_features,
)
from chatserver.text_model import load_model, load_sentences

SAID = [
    "self_harm!: i cannot go on any longer and tonight it ends",
    "self_harm: i cannot go on like this, it should just end",
    "self_harm: nobody would notice if it ended tonight, i cannot go on",
    "abuse: my uncle locks me in the shed every evening",
    "abuse!: he locks me in the shed again, my uncle",
    "-: tonight we end with a song and then we go home",
    "-: my uncle paints his garden shed every spring",
    "-: good morning everyone, how did you sleep",
    "-: we had soup for lunch and it was lovely",
]
CALM = ["what a lovely morning", "soup again", "how did your garden do this spring", "see you at lunch"]


@pytest.fixture(scope="module")
def small() -> TextModel:
    return train([*examples_of("\n".join(SAID))], CALM, (500, 250), "en")


def test_features_are_the_same_on_every_machine() -> None:
    tokens, is_whole = tokens_of("\uff2eoble CAFÉ, i")
    assert is_whole
    assert [token.text for token in tokens] == ["noble", "cafe", ",", "i"]
    assert word_features(tokens, 0) == (155366, 1394)
    assert sum(word_features(tokens, 3)) == 240198
    assert sum(letter_features("cafe")) == 1728848


@pytest.mark.parametrize("count", [1, WINDOW, WINDOW + 1, 40, 800])
def test_every_word_is_in_a_window_of_the_same_length(count: int) -> None:
    found = [*windows(count)]
    assert {at for start, end in found for at in range(start, end)} == {*range(count)}
    assert {end - start for start, end in found} == {min(count, WINDOW)}


def test_one_sentence_counts_the_same_within_a_long_text(small: TextModel) -> None:
    around = "we had soup for lunch and it was lovely and then we went for a walk by the river. " * 4
    text = f"{around} I cannot go on any longer, tonight it ends. {around}"
    opinion = small.read(text)
    assert opinion.score >= small.head.thresholds[1] > small.read(around).score
    signal = small.signal(text, opinion)
    assert signal is not None
    assert "cannot go on" in signal.words
    assert text[signal.start : signal.end].split() == signal.words.split()
    assert (signal.category, signal.level, signal.phrase) == (Category.SELF_HARM, 2, MODEL)


def test_the_model_knows_categories_and_urgency(small: TextModel) -> None:
    text = "my uncle locks me in the shed"
    signal = small.signal(text, small.read(text))
    assert signal is not None
    assert signal.category is Category.ABUSE
    urgent, other = SAID[4].partition(": ")[2], SAID[3].partition(": ")[2]
    assert small.urgency(urgent, small.read(urgent)) > 0 > small.urgency(other, small.read(other))


def test_nothing_is_said_below_the_thresholds_and_less_between_them(small: TextModel) -> None:
    text = "my uncle locks me in the shed"
    opinion = small.read(text)
    assert small.signal(text, opinion, (opinion.score + 1, opinion.score + 1)) is None
    between = small.signal(text, opinion, (opinion.score - 1, opinion.score + 1))
    assert between is not None
    assert between.level == 1


@pytest.mark.parametrize("text", ["", "   ", "\u200b"])
def test_a_text_without_words_has_no_opinion(small: TextModel, text: str) -> None:
    assert small.signal(text, small.read(text)) is None


def test_a_text_made_to_be_long_is_read_in_parts_and_not_to_its_end(small: TextModel) -> None:
    opinion = small.read("x " * 5_000)
    assert not opinion.is_whole
    assert len(tokens_of("x" * 10_000)[0]) <= MOST_WORDS


def test_a_file_holds_what_was_trained(small: TextModel) -> None:
    again = load(small.dump())
    assert again.head == small.head
    for text in (*SAID, *CALM):
        assert again.read(text) == small.read(text)


def _with(model: TextModel, **changes: object) -> bytes:
    magic, head, body = model.dump().split(b"\n", 2)
    told = msgspec.json.decode(head) | changes
    return b"\n".join((magic, msgspec.json.encode(told), body))


def test_a_file_that_is_something_else_is_not_read(small: TextModel) -> None:
    whole = small.dump()
    for data, cause in (
        (b"", "it is no model"),
        (b"words", "it is no model"),
        (_with(small, format=2), "it is of another version"),
        (_with(small, format=2, outputs=[]), "it is of another version"),
        (_with(small, checksum="0" * 64), "it is damaged"),
        (_with(small, outputs={}), "it is damaged"),
        (whole[:-100], "it is damaged"),
        (whole[:60], "it is damaged"),
    ):
        with pytest.raises(BadModel) as error:
            load(data)
        assert str(error.value) == cause


def test_the_same_sentences_make_the_same_bytes() -> None:
    examples = [*examples_of("\n".join(SAID))]
    assert train(examples, CALM, (500, 250), "en").dump() == train(examples, CALM, (500, 250), "en").dump()
    assert hash_of(examples) != hash_of(examples[1:])


@pytest.mark.parametrize("line", ["self_harm", "sadness: i", "-!: i", ": i"])
def test_a_line_without_a_known_label_is_refused(line: str) -> None:
    with pytest.raises(BadLine, match="line 2"):
        [*examples_of(f"-: fine\n{line}")]


def test_labels_are_read() -> None:
    assert [*examples_of("# a note\n\nmethod!: a: b\n-: c")] == [
        Example(text="a: b", category=Category.METHOD, is_urgent=True),
        Example(text="c", category=None),
    ]


@pytest.mark.parametrize(("marked", "reaching"), [(0, 0), (250, 1), (500, 2), (999, 3), (1000, 4)])
def test_a_threshold_is_reached_by_no_more_than_asked(marked: int, reaching: int) -> None:
    scores: Sequence[float] = [0.1, 0.4, 0.2, 0.3]
    assert sum(score >= threshold(scores, marked) for score in scores) == reaching


def test_the_shipped_model_is_made_from_the_sentences_that_are_here() -> None:
    model = load_model()
    assert model is not None
    assert is_current(model), "run `python -m bench.help_model`"
    assert model.head.language == "en"
    calm = [model.read(text).score for text in ordinary()]
    for wanted, least in zip(MARKED, model.head.thresholds, strict=True):
        assert sum(score >= least for score in calm) <= len(calm) * wanted / 1000


def test_what_is_measured_on_was_not_trained_on() -> None:
    seen = {each.text for each in everything()}
    assert not seen & {*ordinary()}
    assert len(seen) > 4_000
    # Two authors stay held out: their sentences are those that were measured on, and are in no other file.
    lines = (SENTENCES / "held.sha256").read_text().splitlines()
    assert [line.partition("  ")[2] for line in lines] == ["held-3.txt", "held-4.txt"]
    for line in lines:
        digest, _, name = line.partition("  ")
        assert sha256((SENTENCES / name).read_bytes()).hexdigest() == digest
    assert len(checked()) > 1_000
    # One short remark was made by two of them.
    assert sum(each.text in seen for each in checked()) <= 1


def test_weights_are_whole_numbers_of_one_byte(small: TextModel) -> None:
    assert len(small.dump()) < 100_000
    assert BUCKETS == 1 << 18


def test_the_shipped_model_finds_what_is_stated_of_authors_whom_it_has_not_seen() -> None:
    """The floors are a little below the figures of docs/safety.md: the model alone, at 1.5 % of ordinary talk."""
    model = load_model()
    assert model is not None
    found = figures(wordlists.load(), model, load_sentences())
    assert found.anything.of == 600
    assert found.anything.value >= 0.45
    assert found.urgent.value >= 0.55
    assert found.must_not_ring.value <= 0.06
