"""What stands around a phrase: it lowers a signal in its clause, and silences little."""

from __future__ import annotations

import pytest

from chatserver.domain.moderation.crisis_phrases import BadPhrase, Category, Words, words_of
from chatserver.wordlists import load

NOW = (
    ("going to kill myself lol", 3),
    ("i never stop wanting to die", 2),
    ("im recovering from surgery and i want to kill myself", 2),
    ("the song says it all, i want to kill myself tonight", 3),
    ("my son wants to kill himself tonight", 3),
    ("my mom wants to kill herself", 2),
    ("he raped me when i was 12", 2),
    ("not gonna lie i want to die", 2),
    ("ngl i wanna die", 2),
    ("i cant not think about killing myself", 2),
    ("i cannot stop thinking about killing myself", 2),
    ("i cant sleep i want to die", 2),
    ("i dont know what to do i want to die", 2),
    ("when i was a kid things were fine, and now i want to die", 2),
    ("i watched the film and i want to die", 2),
)
"""Texts that contexts once silenced, and the least level that they have."""
HARMLESS = (
    "whats your next step",
    "hope you will find your keys",
    "im not allowed to go to the gym until my knee heals",
    "we are breaking the task into little ones",
    "bed bugs hate heat, sixty degrees will kill them",
    "my boss is gonna kill me if im late again lol",
    "please look after your mental health",
    "you make me feel better",
    "the people who love you",
    "you should get back to your studies",
    "that news threw me for a loop",
    "im going to catch the bus home",
)
"""Ordinary talk for which the lists once called a human."""


@pytest.fixture(scope="module")
def words() -> Words:
    return load()


def level(words: Words, text: str) -> int:
    return max((signal.level for signal in words.screen(text)), default=0)


@pytest.mark.parametrize(("text", "least"), NOW)
def test_what_contexts_once_silenced_is_heard(words: Words, text: str, least: int) -> None:
    assert level(words, text) >= least


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_talk_calls_nobody(words: Words, text: str) -> None:
    assert words.screen(text) == ()


def test_of_a_sick_friend_who_may_die_the_author_alone_is_told(words: Words) -> None:
    assert level(words, "my friend is so ill that she could die") <= 1


LIST = """
[self_harm 3]
take pills tonight
[self_harm 2]
want to die
[self_harm 2 others]
(sister|she) wants to die
[self_harm 1]
very tired
[abuse 3]
he raped me
[abuse 2]
he hit me
[hostile 3]
hate you
[past]
years ago
[present]
again
[over]
safe now
[fiction]
in the film
[idiom]
want to die of shame
tonight with water
[joke]
lol
[negation]
(not|never|dont)
[not_negation]
never stop
[others]
(she|sister)
[general]
(you|people)
[report]
said
[misspelt]
die = dy|d ie
"""


@pytest.fixture(scope="module")
def few() -> Words:
    return words_of({"en/x.txt": LIST})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i want to die", 2),
        # A past, a story and somebody else lower by one level, in their clause.
        ("years ago i want to die", 1),
        ("years ago, i want to die", 1),
        ("it began years ago and i want to die", 2),
        ("years ago i want to die again", 2),
        ("in the film i want to die", 1),
        ("i sat in the film, i want to die", 2),
        ("in the film i take pills tonight", 2),
        ("years ago i was very tired", 0),
        ("she may want to die", 1),
        ("she may be here, i want to die", 2),
        ('she said "want to die"', 1),
        # A denial of the phrase itself, an idiom, and what is said to somebody or of people in general.
        ("i dont want to die", 0),
        ("i dont think i want to die", 0),
        ("i dont sleep i want to die", 2),
        ("i dont know what will come, i want to die", 2),
        ("i never stop want to die", 2),
        ("i dont take pills tonight", 1),
        ("not for all the money want to die", 1),
        ("people may want to die", 0),
        ("people take pills tonight", 2),
        # An idiom that holds all of the phrase is said instead of it. One that does not is only a doubt.
        ("i want to die of shame", 0),
        ("take pills tonight with water", 2),
        # Nobody jokes with a plan.
        ("i want to die lol", 1),
        ("take pills tonight lol", 3),
        # Somebody else.
        ("my sister wants to die", 2),
        # Abuse that is told of in the past is urgent no longer, and told to a human, unless it is over.
        ("he raped me", 3),
        ("he raped me years ago", 2),
        ("he hit me years ago", 2),
        ("he hit me and i am safe now", 1),
        # An insult of which one tells is none.
        ("i hate you", 3),
        ("she said i dont hate you", 0),
        # Words that are written in another way.
        ("i want to dy", 2),
        ("i want to d ie", 2),
        ("i wnat to die", 2),
    ],
)
def test_a_context_lowers_what_stands_in_its_clause(few: Words, text: str, expected: int) -> None:
    assert level(few, text) == expected


def test_a_line_of_misspelt_words_that_is_wrong_is_refused() -> None:
    with pytest.raises(BadPhrase, match=r"en/x\.txt:2: a line of \[misspelt\] is a word = other way"):
        words_of({"en/x.txt": "[misspelt]\ndie or dy\n"})


@pytest.mark.parametrize(
    "text",
    [
        "i wnat to dye",
        "my lif is over i want to kil my self",
        "gona kill myself",
        "i feel suisidal",
        "i took an overdoes",
    ],
)
def test_short_words_that_are_misspelt_are_found(words: Words, text: str) -> None:
    assert [signal.category for signal in words.screen(text) if signal.level > 1] == [Category.SELF_HARM]
