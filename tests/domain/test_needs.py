"""What is proven at a glance about a text holds: no phrase and no contact detail is lost by it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from bench.crisis import SETS, sentences
from chatserver import wordlists
from chatserver.domain.moderation.crisis_phrases import Words
from chatserver.domain.text.contact_details import Looking
from chatserver.domain.text.folding import fold
from chatserver.domain.text.needs import Need, Needs
from chatserver.domain.text.phrases import Effort, Index, Phrase, Sentence
from chatserver.domain.text.tokens import Reader, forms_of, glance
from tests.domain.costly import CONTACT_PARTS, CRISIS_TEXTS
from tests.fuzz.worst_text import LONGEST, PARTS, words_of_the_lists
from tests.kit.work import lines_run

ORDINARY = (
    "I went to the shop and bought some bread, then I watched a film with my sister and slept. It was a quiet day."
)
MOST_LINES = 12_000
"""Lines of code between two places where other work may run: some tenths of a millisecond, as many are parts of one
expression."""
DEAR = ("i dont want to live any more and i hate my self so much he hit me ", "add me on snap at ", "a.b.c.d ", "f*ck ")


@pytest.fixture(scope="module")
def words() -> Words:
    return wordlists.load()


def test_a_phrase_lacks_nothing_where_each_need_is_met_by_a_word_a_beginning_or_neighbours() -> None:
    want = Need(frozenset({"wanna"}), (), (("want", "to"),))
    die = Need(frozenset({"die"}), ("suic",), ())
    common = dict.fromkeys(("wanna", "want", "to", "die"), 1)
    needs = Needs([[want, die], [die]], common, {"wnat": "want"})
    assert needs.lacking_nothing(["i", "want", "to", "die"]) == 0b11
    assert needs.lacking_nothing(["i", "wanna", "suicide"]) == 0b11
    assert needs.lacking_nothing(["to", "want", "die"]) == 0b10
    assert needs.lacking_nothing(["want", "to", "live"]) == 0
    # The neighbours of a word that is disguised or misspelt are not looked at.
    assert needs.lacking_nothing(["to", "", "die"], {"w4nt", "want"}) == 0b11
    assert needs.lacking_nothing(["wnat", "2", "die"]) == 0b11


def test_a_misspelt_word_begins_as_the_word_that_is_meant() -> None:
    needs = Needs([[Need(frozenset(), ("suicid",), ())]], {}, {"sucidal": "suicidal"})
    assert needs.lacking_nothing(["sucidal"]) == needs.lacking_nothing(["suicidal"]) == 0b1


@pytest.mark.parametrize("which", ["signals", "contexts"])
def test_every_phrase_of_a_sentence_is_a_candidate(words: Words, which: str) -> None:
    index: Index = getattr(words, which)
    chance, known, phrases, found = Random(5), sorted(index.words), index._phrases, 0
    for _ in range(60):
        said = [word for phrase in chance.choices(phrases, k=6) for word in _said(phrase, chance)]
        sentence = [forms_of(word) for word in (*said, *chance.choices(known, k=10))]
        candidates = {phrase.number for phrase in index.candidates(sentence)}
        read = Sentence(sentence, Effort(1_000_000))
        there = {phrase.number for phrase in phrases if read.starts(phrase)}
        assert there <= candidates
        found += len(there)
    assert found > 300


def _said(phrase: Phrase, chance: Random) -> Iterator[str]:
    """Yield the words of one way to say a phrase."""
    for element in phrase.elements:
        if element.is_gap:
            yield chance.choice(("really", "he", "not"))
        elif not element.is_optional or chance.random() < 0.5:
            runs = [*((word,) for word in sorted(element.words)), *element.all_runs()]
            runs += [(f"{beginning}s",) for beginning in element.beginnings]
            yield from chance.choice(runs)


def test_a_glance_gives_every_form_that_reading_word_by_word_gives(words: Words) -> None:
    chance, made = Random(7), (*PARTS, *words_of_the_lists())
    read = 0
    for _ in range(300):
        text = "".join(chance.choices(made, k=chance.choice((3, 10, 40))))
        seen = glance(text, fold(text), frozenset())
        if seen is None:
            continue
        known = {*seen.words, *seen.odd}
        for tokens in Reader(text).sentences():
            for form in [form for token in tokens or () for form in token.forms]:
                assert form in known or not form.isalnum() or not form.isascii()
                read += 1
    assert read > 1_000


def test_trying_phrases_on_bare_words_loses_none(words: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, texts = Random(3), [text for name in SETS for _, text in sentences(name)]
    made = [_changed(text, texts, chance) for text in chance.sample(texts, 600)]
    tried = [words.screen(text) for text in made]
    monkeypatch.setattr("chatserver.domain.moderation.crisis_phrases.MOST_TRIED", -1)
    assert tried == [words.screen(text) for text in made]
    assert sum(1 for signals in tried if signals) > 100


def _changed(text: str, texts: list[str], chance: Random) -> str:
    """Return a text with one change that may move its words or make them other words."""
    at = chance.randrange(len(text))
    sign = chance.choice(("'", "!", "&", "_", "*", "@", "\u200b", "é", "1", " ", "-", "\n> ", '"', "…", "™", " i "))
    match chance.randrange(5):
        case 0:
            return text[:at] + sign + text[at:]
        case 1:
            return text[:at] + text[at + 1 :]
        case 2:
            return text.replace(" ", chance.choice(("  ", "&", ", ", ". ", "-", "_")), 2)
        case 3:
            return f"{text[:at]} {chance.choice(texts)[at:]}"
        case _:
            words = text.split()
            return " ".join(chance.sample(words, len(words)))


@pytest.mark.parametrize("text", ["fgagots", "fgagots!", "so, fgagots"])
def test_a_misspelt_beginning_is_found_whatever_else_the_text_holds(words: Words, text: str) -> None:
    assert [each.category for each in words.screen(text)] == ["hostile"]


def test_an_ordinary_post_takes_little_work(words: Words) -> None:
    """230 lines of code, where reading it word by word takes ten times as many."""
    assert lines_run(lambda: words.read(f"\n{ORDINARY}")) + lines_run(lambda: [*Looking(ORDINARY).parts()]) < 400


@pytest.mark.parametrize("text", [*CRISIS_TEXTS, *sorted({*PARTS, *CONTACT_PARTS, *DEAR})])
def test_others_may_run_after_every_little_work(words: Words, text: str) -> None:
    """What goes on inside regular expressions `python -m bench.screening` measures."""
    text = (text * LONGEST)[:LONGEST]
    assert _most_lines(words.begin(f"\n{text}").parts()) < MOST_LINES
    assert _most_lines(Looking(text).parts()) < MOST_LINES


def _most_lines(parts: Iterator[None]) -> int:
    most, ended = 0, object()
    while True:
        went: list[object] = []
        most = max(most, lines_run(lambda went=went: went.append(next(parts, ended))))  # type: ignore[misc]
        if went[0] is ended:
            return most
