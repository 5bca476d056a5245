"""The names that people are given."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import pytest

from chatserver.domain.limits import Limits
from chatserver.domain.people.names import clean_name, name_key
from chatserver.domain.people.pseudonyms import COLOURS, GENTLE, NATURE, THIRD_WORD_FROM, pseudonym

UNKIND = """
lost alone lonely broken dead dying grave ghost grey gray dark night shadow storm wild fallen sad weary tired weak sick
mad crazy mental odd queer strange slow dumb lame fat thin small little tiny big heavy light old young wolf fox bear
lion tiger eagle hawk falcon shark snake viper spider wasp raven crow vulture rat pig cow dog bitch cat pussy ass donkey
cock tit booby shag beaver bush weed grass pot poppy crystal snow ice coke speed rock bone skin blood hand foot head
heart chest breast belly naked bare virgin angel devil saint holy pansy fairy fruit nut black white brown yellow red
savage chief master slave cliff bridge rope knife blade
"""


def draws(*numbers: int) -> Callable[[int], int]:
    left = iter(numbers)
    return lambda n: next(left) % n


def test_a_name_is_a_gentle_word_and_one_from_nature() -> None:
    assert pseudonym(draws(0, 0)) == f"{GENTLE[0]} {NATURE[0]}".title()
    assert pseudonym(draws(5, 7), THIRD_WORD_FROM - 1).split() == [GENTLE[5].title(), NATURE[7].title()]


def test_a_third_word_comes_once_two_were_taken_three_times() -> None:
    name = pseudonym(draws(5, 7, 9), THIRD_WORD_FROM)
    assert name.split() == [GENTLE[5].title(), COLOURS[9].title(), NATURE[7].title()]


def test_every_draw_is_of_a_whole_list() -> None:
    asked: list[int] = []

    def draw(n: int) -> int:
        asked.append(n)
        return n - 1

    assert pseudonym(draw, 99) == f"{GENTLE[-1]} {COLOURS[-1]} {NATURE[-1]}".title()
    assert sorted(asked) == sorted([len(GENTLE), len(COLOURS), len(NATURE)])


def test_there_are_enough_names() -> None:
    assert len(GENTLE) >= 128
    assert len(NATURE) >= 128
    assert len(GENTLE) * len(COLOURS) * len(NATURE) > 2_000_000


@pytest.mark.parametrize("words", [GENTLE, COLOURS, NATURE])
def test_words_are_plain_and_stand_once(words: tuple[str, ...]) -> None:
    assert len(set(words)) == len(words)
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)


def test_a_name_never_repeats_a_word() -> None:
    assert not {*GENTLE} & {*NATURE}
    assert not {*COLOURS} & {*NATURE}
    assert not {*GENTLE} & {*COLOURS}


def test_no_word_hurts() -> None:
    assert not {*UNKIND.split()} & {*GENTLE, *COLOURS, *NATURE}


def test_every_name_of_two_words_has_its_own_key() -> None:
    keys = {name_key(f"{gentle} {nature}") for gentle in GENTLE for nature in NATURE}
    assert len(keys) == len(GENTLE) * len(NATURE)


def test_every_name_of_three_words_has_its_own_key() -> None:
    # Millions: so it is shown by what makes a row of words readable without its spaces. A key is the keys of its words
    # in a row; no first word begins another first word, and no second word another second word.
    assert name_key("warm amber newt") == name_key("warm") + name_key("amber") + name_key("newt")
    for words in (GENTLE, COLOURS):
        keys = sorted(map(name_key, words))
        assert not any(after.startswith(before) for before, after in pairwise(keys))
    assert len(set(map(name_key, NATURE))) == len(NATURE)


def test_every_word_may_stand_in_a_name() -> None:
    longest = Limits().name_length
    for gentle in GENTLE:
        assert clean_name(f"{gentle} {NATURE[0]}".title(), max_length=longest)
    for nature in NATURE:
        assert clean_name(f"{GENTLE[0]} {nature}".title(), max_length=longest)
    for colour in COLOURS:
        assert clean_name(f"{GENTLE[0]} {colour} {NATURE[0]}".title(), max_length=longest)


def test_the_longest_name_fits() -> None:
    longest = " ".join(max(words, key=len) for words in (GENTLE, COLOURS, NATURE))
    assert len(longest) <= Limits().name_length


def test_drawn_names_are_names() -> None:
    draw = random.Random(1).randrange
    for attempt in range(500):
        name = pseudonym(draw, attempt % 6)
        assert clean_name(name, max_length=Limits().name_length).name == name
