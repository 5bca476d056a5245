"""Words of crisis and of harm: what is found, what is left alone, how well, and at what cost."""

from __future__ import annotations

import pytest

from bench.crisis import SETS, score, score_of_any, sentences
from chatserver.domain.moderation.crisis_phrases import MOST_STEPS, BadPhrase, Category, Words, words_of
from chatserver.wordlists import load
from tests.domain.costly import CRISIS_TEXTS
from tests.kit.work import lines_run

FLOORS = {
    "built": dict.fromkeys(Category, (0.97, 0.98)),
    "held_out": {
        Category.SELF_HARM: (0.85, 0.59),
        Category.DANGER: (0.74, 0.33),
        Category.ABUSE: (0.89, 0.78),
        Category.GROOMING: (0.88, 0.93),
        Category.HOSTILE: (0.92, 0.63),
        Category.METHOD: (0.95, 0.38),
    },
}
"""Of each set the precision of what a human is told, and the recall, that are promised."""


@pytest.fixture(scope="module")
def words() -> Words:
    return load()


@pytest.mark.parametrize("name", FLOORS)
def test_the_shipped_list_is_as_good_as_is_said(words: Words, name: str) -> None:
    for category, each in score(words, name).items():
        precision, recall = FLOORS[name][category]
        assert each.precision >= precision, (category, each)
        assert each.recall >= recall, (category, each)


def test_of_ordinary_talk_a_human_is_told_next_to_nothing(words: Words) -> None:
    ordinary = score_of_any(words, "ordinary")
    assert ordinary.wrong <= 2
    assert ordinary.noted <= 4


def test_the_sets_are_large_and_share_nothing() -> None:
    texts = [text for name in SETS for _, text in sentences(name)]
    assert len(texts) >= 1000
    assert len(texts) == len(set(texts))


def test_a_choice_may_have_a_name_and_several_words() -> None:
    words = words_of({"en/x.txt": "$who = him|my dad\n[danger 2]\n(kill|get rid of) $who"})
    assert words.screen("kill my dad")
    assert words.screen("get rid of him")
    assert not words.screen("get rid of my mum")


@pytest.mark.parametrize("text", ["I feel sucidal", "i feel suiicidal", "i feel s**cidal"])
def test_a_word_that_is_misspelt_or_masked_is_found(words: Words, text: str) -> None:
    assert [signal.category for signal in words.screen(text)] == [Category.SELF_HARM]


def test_a_denial_ends_with_its_clause(words: Words) -> None:
    assert words.screen("I'm not ok, I want to die")
    assert not words.screen("I do not really want to die")


def test_what_lies_within_a_longer_phrase_gives_way_to_it(words: Words) -> None:
    assert [signal.category for signal in words.screen("how to hang yourself")] == [Category.METHOD]


@pytest.mark.parametrize(
    "text",
    [
        "I want to die",
        "i w4nt to d1e",
        "I wa\u200bnt to d\u200bie",
        "I wаnt to diе",  # noqa: RUF001  # two of the letters are Cyrillic
        "I want to d i e",
        "i WANT to dieeee",
        "That was it. I want to die. Bye.",
    ],
)
def test_writing_it_another_way_hides_nothing(words: Words, text: str) -> None:
    (signal,) = words.screen(text)
    assert signal.category is Category.SELF_HARM
    found = signal.words.lower()
    assert signal.words == text[signal.start : signal.end]
    assert found.startswith("w")
    assert "d" in found


@pytest.mark.parametrize(
    "text",
    [
        "I don't want to die",
        "I dont wanna die",
        "I am not suicidal",
        "I'm not suicidal at all",
        "I never wanted to die",
        "> I want to die",
        "I'm dying to know",
    ],
)
def test_what_is_denied_or_an_idiom_is_left_alone(words: Words, text: str) -> None:
    assert words.screen(text) == ()


@pytest.mark.parametrize("text", ["ten years ago I tried to end my life", "I'm not going to kill myself"])
def test_of_what_is_past_the_author_alone_is_told(words: Words, text: str) -> None:
    assert [signal.level for signal in words.screen(text)] == [1]


def test_only_the_most_serious_of_a_category_is_told(words: Words) -> None:
    (signal,) = words.screen("I want to die. I'm going to kill myself tonight.")
    assert signal.level == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("die", ":1: a phrase before the first"),
        ("[self_harm]\ndie", ":1: there is no section"),
        ("[self_harm 4]\ndie", ":1: a section is"),
        ("[sadness 2]\ndie", ":1: there is no section"),
        ("[self_harm 2]\n\ndie[", ":3: 'die['"),
        ("[self_harm 2]\n(a+)+$", "'(a+)+$' is no word"),
        ("[self_harm 2]\n... die", "begins with a word"),
        ("[self_harm 2]\ndie ...", "ends with one"),
        ("[self_harm 2]\nmaybe? die", "begins with a word"),
        ("[self_harm 2]\nki*", "at least 3 letters"),
        ("[self_harm 2]\n(a|)", "is empty"),
        ("[self_harm 2]\n" + "a " * 17, "one word to 16"),
        ("[self_harm 2]\n(a b|c)d", "is no word"),
        ("[self_harm 2]\n$them die", "what $them is"),
        ("[self_harm 2]\n(" + "|".join(["a b"] * 257) + ")", "more than 256 choices"),
    ],
)
def test_a_list_that_is_wrong_is_refused_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(BadPhrase) as caught:
        words_of({"en/x.txt": text})
    assert str(caught.value).startswith("en/x.txt:")
    assert problem in str(caught.value)


@pytest.mark.parametrize("text", CRISIS_TEXTS)
def test_no_text_takes_much_work(words: Words, text: str) -> None:
    """4,000 characters of ordinary talk take 21,000 lines of code, the dearest of these 36,000."""
    assert words.read(text).steps <= MOST_STEPS
    assert lines_run(lambda: words.screen(text)) < 70_000


def test_masked_words_of_one_text_are_few(words: Words) -> None:
    """ "s***s " as often as it fits cost 64 ms once; many different ones are not all compared, and somebody is told."""
    same = words.read("s***s " * 333)
    assert same.is_whole
    assert same.steps < 1_000
    many = " ".join(f"s{chr(97 + at // 26)}*{chr(97 + at % 26)}e" for at in range(300))
    assert not words.read(many).is_whole


def test_a_masked_word_that_could_be_any_says_nothing(words: Words) -> None:
    assert words.screen("I want to d*e") != ()
    assert words.screen("co***** s**** h****") == ()


def test_a_text_is_read_in_parts_and_says_the_same(words: Words) -> None:
    text = "i want to be so very tired of it and i cannot go on. " * 20 + "I am going to kill myself tonight"
    reading = words.begin(text)
    assert sum(1 for _ in reading.parts()) > 1
    assert reading.result == words.read(text)
    assert [signal.level for signal in reading.result.signals] == [3]


def test_what_is_spent_is_said(words: Words, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatserver.domain.moderation.crisis_phrases.MOST_STEPS", 100)
    assert not words.read("how do i want to kill you " * 70).is_whole
    assert words.read("hello there").is_whole


@pytest.mark.parametrize(
    "text",
    ["I want to k\u200bi\u2060ll mys\u00adelf", "I w\uff41nt to \uff44\uff49\uff45", "\u24d8 want to d\U0001d4f2e"],
)
def test_a_disguise_hides_nothing(words: Words, text: str) -> None:
    assert [signal.category for signal in words.screen(text)] == [Category.SELF_HARM]
