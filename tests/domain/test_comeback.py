"""The six words that bring a member back."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.people.comeback import CODE_WORDS, hash_code, make_code, parse_code
from chatserver.domain.people.comeback_words import WORDS

CODE = "amber canoe lantern otter ribbon window"
PEPPER = b"0123456789abcdef"
CODES = st.lists(st.sampled_from(WORDS), min_size=CODE_WORDS, max_size=CODE_WORDS).map(" ".join)


def one_slip(word: str) -> set[str]:
    """The word and all that is left of it without one letter. Two words one slip apart (a letter more, less, changed,
    or two swapped) have one of these in common."""
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}


# -------------------------------------------------------------------------------------------------------- words


def test_six_words_are_sixty_bits() -> None:
    assert len(WORDS) == len(set(WORDS)) == 1024
    assert CODE_WORDS * math.log2(len(WORDS)) >= 60


def test_words_are_short_and_plain() -> None:
    assert all(word.isascii() and word.isalpha() and word.islower() and 3 <= len(word) <= 8 for word in WORDS)
    assert list(WORDS) == sorted(WORDS)


def test_four_letters_tell_a_word() -> None:
    assert len({word[:4] for word in WORDS}) == len(WORDS)


def test_no_word_is_one_slip_from_another() -> None:
    assert all(one_slip("bread") & one_slip(other) for other in ("bred", "breads", "broad", "braed"))
    assert not one_slip("bread") & one_slip("board")
    near = Counter(slip for word in WORDS for slip in one_slip(word))
    assert [slip for slip, words in near.items() if words > 1] == []


UNWANTED = """
dead death die kill knife gun blood bone drug pill wine beer vodka smoke drunk bottle dice casino bet rope cliff bridge
train razor blade hang drown poison charcoal helium cancer doctor hospital nurse ward surgery baby cradle mother father
funeral grave coffin angel devil hell god church prayer mass sex nude naked virgin breast war army bomb shot weapon sad
lonely alone lost fear panic scream ghost monster snake spider wolf shark cut burn fire scar
"""


def test_no_word_frightens_or_hurts() -> None:
    assert not {*UNWANTED.split()} & {*WORDS}


# ------------------------------------------------------------------------------------------------ making, reading


def test_a_code_is_six_drawn_words() -> None:
    numbers = iter([0, 1, 2, 1023, 512, 0])
    asked: list[int] = []

    def draw(n: int) -> int:
        asked.append(n)
        return next(numbers)

    assert make_code(draw) == " ".join(WORDS[i] for i in (0, 1, 2, 1023, 512, 0))
    assert asked == [1024] * CODE_WORDS


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.upper(),
        CODE.title(),
        CODE.replace(" ", "-"),
        CODE.replace(" ", ", "),
        CODE.replace(" ", "\n"),
        CODE.replace(" ", " \u2013 "),
        CODE.replace(" ", "\u3000"),
        f'  "{CODE}." ',
        f"My code is: {CODE}, thank you",
        f"Please take this: {CODE}.",
        "1. amber 2. canoe 3. lantern 4. otter 5. ribbon 6. window",
        "amber-canoe lantern_otter/ribbon;window",
        "ambe cano lant otte ribb wind",
        "amber canoo lanterns otters ribbons windows",
        "\uff21\uff4d\uff42\uff45\uff52 canoe lantern otter ribbon window",
        "\ufeffamber canoe lantern otter ribbon window\u200b",
    ],
)
def test_a_code_is_known_however_it_was_typed(typed: str) -> None:
    assert parse_code(typed) == CODE


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "amber",
        "amber canoe lantern otter ribbon",
        CODE + " amber",
        CODE + " " + CODE,
        "amber canoe xyzzy lantern otter ribbon window",
        "amber canoe lantern otter ribbon xyzzy",
        "amb can lan ott rib wil",
        "ambercanoelanternotterribbonwindow",
        "1 2 3 4 5 6",
        "\u0430mber canoe lantern otter ribbon window",
        "x" * 100_000,
        "x " * 300 + CODE,
    ],
)
def test_what_cannot_be_a_code_is_unknown(typed: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_code(typed)
    assert caught.value.reason is Reason.CODE_UNKNOWN
    assert caught.value.details is None


@given(CODES)
def test_every_code_reads_back(code: str) -> None:
    assert parse_code(code) == code
    assert parse_code(" ".join(word[:4] for word in code.split())) == code


@given(st.text())
def test_any_text_is_a_code_or_refused(text: str) -> None:
    try:
        code = parse_code(text)
    except Refusal:
        return
    assert parse_code(code) == code


# ------------------------------------------------------------------------------------------------------ hashing


def test_a_hash_is_the_same_each_time_and_needs_code_and_pepper() -> None:
    hashed = hash_code(CODE, PEPPER)
    assert hashed == hash_code(CODE, PEPPER)
    assert len(hashed) == 32
    assert hashed != hash_code(CODE.replace("amber", "acorn"), PEPPER)
    assert hashed != hash_code(CODE, PEPPER[::-1])


def test_a_pepper_must_be_a_secret() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        hash_code(CODE, b"short")


def test_codes_from_a_good_source_differ() -> None:
    draw = random.Random(1).randrange
    assert len({make_code(draw) for _ in range(1_000)}) == 1_000
