"""Members' names: which names are allowed, and which are the same.

Pure; the tables of look-alikes are read at the first call (`warm_up` in `domain/text/skeleton.py`). What is refused,
and why, is in `docs/decisions/0010`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import cache, lru_cache
from itertools import groupby
from typing import Final, NamedTuple

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.people import reserved_names
from chatserver.domain.text.cleaning import MOST_MARKS, is_joiner_needed
from chatserver.domain.text.skeleton import bare, script, skeleton, warm_up

__all__ = ["CleanName", "clean_name", "name_key", "warm_up"]

_RAW_LENGTH: Final = 256
"""Longer input is not examined."""
_BIDI: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INVISIBLE: Final = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Invisible letters and marks by category. All other invisible characters have the category Cf."""
_JOINERS: Final = frozenset("\u200c\u200d")
"""Joiners that remain in a name after its characters were checked are needed by its spelling."""
_PUNCTUATION: Final = frozenset(" '\u2019-\u2010._\u30fb\u0f0b\u058a\u05be\u05f3\u05f4")
_MIDDLE_DOT: Final = re.compile("(?<=[lL])\u00b7(?=[lL])")
"""Where Catalan writes a middle dot (RFC 5892, appendix A.3). Anywhere else it could stand between a name and a
role."""
_ADDRESS: Final = frozenset("@/\\:#")
_OVERLAY: Final = 1
"""The combining class of strokes through a letter, which no script needs."""
_MARKS_LATIN: Final = 1
_MARKS_OTHER: Final = MOST_MARKS
"""The most marks on one letter beyond what is composed with it: enough for Yoruba vowels and pointed Hebrew."""
_NEAR_FROM: Final = 7
"""Letters, folded. Shorter words have too many honest neighbours."""
_DRAWN_OUT_FROM: Final = 6
"""The least letters of a word that is also recognised with repeated letters. "Moood" is nobody."""
_END: Final = 3
"""Letters by which two names are looked up: two names that are one slip apart, and not short, share the first or the
last ones."""
_DIGITS: Final = 5
"""The most digits; one more could be a telephone number."""

_ARTICLES: Final = ("the", "real")

_LIVING: Final = """
ARABIC ARMENIAN BENGALI BOPOMOFO CYRILLIC DEVANAGARI ETHIOPIC GEORGIAN GREEK GUJARATI GURMUKHI HAN HANGUL HEBREW
HIRAGANA KANNADA KATAKANA KHMER LAO LATIN MALAYALAM MYANMAR ORIYA SINHALA TAMIL TELUGU THAANA THAI TIBETAN
ADLAM BALINESE BAMUM BATAK CANADIAN_ABORIGINAL CHAKMA CHAM CHEROKEE HANIFI_ROHINGYA JAVANESE KAYAH_LI LEPCHA LIMBU
LISU MANDAIC MEETEI_MAYEK MIAO NEWA NEW_TAI_LUE NKO NYIAKENG_PUACHUE_HMONG OL_CHIKI OSAGE SAURASHTRA SUNDANESE
SYLOTI_NAGRI SYRIAC TAI_LE TAI_THAM TAI_VIET TIFINAGH VAI WANCHO YI
"""
_SCRIPTS: Final = frozenset(_LIVING.split())
"""Unicode Standard Annex 31, tables 5 and 7: the scripts in which living people write their names."""
_TOGETHER: Final = (
    # Unicode Technical Standard 39, section 5.2, "highly restrictive".
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)

_DOTTED: Final = re.compile(r"\w\.\w{2}|\bdot ?(?:com|net|org|io|co|me|uk|de|gg|app)\b")
_SPACE: Final = re.compile(r"[^\w]|_")
_WORD_BREAK: Final = re.compile(r"[^\w]|_|(?<=[a-z])(?=[A-Z])")
_LEET: Final = str.maketrans("3457892", "eastbgz")
_REPEATED: Final = re.compile(r"(.)\1+")


class CleanName(NamedTuple):
    """`name` as it is shown, and `key`, its appearance: two members never have the same key."""

    name: str
    key: str


def clean_name(raw: str, *, max_length: int, staff_keys: Collection[str] = ()) -> CleanName:
    """Return the intended name, with its key. `max_length` is in characters (code points) of the cleaned name;
    `staff_keys` are the `name_key`s of people whose name nobody may resemble.

    Raises Refusal(NAME_REFUSED) with `details["why"]` one of: empty, too_long, control, invisible, bidi, marks, symbol,
    contact, script, mixed_script, not_a_name, reserved; and NAME_TAKEN for a name that resembles one of the staff's, as
    for any other member's, so that nobody can find out who works here.
    """
    if len(raw) > _RAW_LENGTH:
        raise _refused("too_long")
    text = unicodedata.normalize("NFKC", raw.strip())
    if not text:
        raise _refused("empty")
    _check_characters(text)
    name = " ".join(text.split())
    if not name:
        raise _refused("empty")
    if len(name) > max_length:
        raise _refused("too_long")
    _check_marks(name)
    _check_scripts(name)
    _check_contact(name)
    key = skeleton(name)
    if not key or not any(unicodedata.category(char) in ("Lu", "Ll", "Lt", "Lo") for char in name):
        raise _refused("not_a_name")
    if _is_reserved(name, key):
        raise _refused("reserved")
    if _resembles(key, staff_keys):
        raise Refusal(Reason.NAME_TAKEN)
    return CleanName(name, key)


def name_key(name: str) -> str:
    """Return the key of a name that need not be cleaned first, such as a staff member's."""
    return skeleton(unicodedata.normalize("NFKC", name))


def ends_of(key: str) -> tuple[frozenset[str], frozenset[str]] | None:
    """Return the first letters and the last letters of all keys that this one may be too near to, or None if the name
    is too short to be near any other."""
    plain = _plain(key)
    if len(plain) < _NEAR_FROM - 1:
        return None
    # With an article before it, or a number after it, the other name shares one end only.
    return frozenset((key[:_END], plain[:_END])), frozenset((key[-_END:], plain[-_END:]))


def is_near(key: str, other: str) -> bool:
    """Return whether the names with these keys are so similar that one may be mistaken for the other: one letter more
    or less, an article, a plural or a number apart."""
    one, two = _plain(key), _plain(other)
    if min(len(one), len(two)) < _NEAR_FROM - 1:
        return False
    if one == two:
        return True
    if max(len(one), len(two)) < _NEAR_FROM or abs(len(one) - len(two)) > 1:
        return False
    return one in _with_one_less(two) or two in _with_one_less(one)


def _plain(key: str) -> str:
    """Return a key without the numbers around it, repeated letters, and an article before it."""
    plain = _once(_leet(key.strip("0123456789")))
    for article in _ARTICLES:
        plain = plain.removeprefix(article) if len(plain) >= len(article) + _NEAR_FROM - 1 else plain
    return plain


def _refused(why: str) -> Refusal:
    return Refusal(Reason.NAME_REFUSED, details={"why": why})


def _check_characters(text: str) -> None:
    if _BIDI.search(text):
        raise _refused("bidi")
    if _INVISIBLE.search(text):
        raise _refused("invisible")
    for at, char in enumerate(text):
        category = unicodedata.category(char)
        if category == "Cf":
            if is_joiner_needed(text, at):
                continue
            raise _refused("invisible")
        if category[0] == "C" or category in ("Zl", "Zp"):
            raise _refused("control")
        if category == "Me":
            raise _refused("marks")
        if char in _ADDRESS:
            raise _refused("contact")
        if _MIDDLE_DOT.match(text, at):
            continue
        if category[0] not in "LM" and category not in ("Nd", "Zs") and char not in _PUNCTUATION:
            raise _refused("symbol")


def _check_marks(name: str) -> None:
    base, before, run = "", "", 0
    for char in name:
        if char in _JOINERS:
            continue
        if unicodedata.category(char)[0] != "M":
            base, run = char, 0
        else:
            run += 1
            most = _MARKS_LATIN if script(base or " ") in ("LATIN", "GREEK", "CYRILLIC") else _MARKS_OTHER
            if not base.isalpha() or char == before or run > most or unicodedata.combining(char) == _OVERLAY:
                raise _refused("marks")
        before = char


def _check_scripts(name: str) -> None:
    scripts = {script(char) for char in name} - {"COMMON", "INHERITED"}
    if not scripts <= _SCRIPTS:
        raise _refused("script")
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        raise _refused("mixed_script")
    zeros = {ord(char) - unicodedata.decimal(char) for char in name if char.isdecimal()}
    if len(zeros) > 1:
        raise _refused("mixed_script")


def _check_contact(name: str) -> None:
    folded = name.casefold()
    words = _WORD_BREAK.split(folded)
    if (
        sum(map(str.isdecimal, name)) > _DIGITS
        or _DOTTED.search(folded)
        or any(word.strip("0123456789") in reserved_names.CONTACT for word in words)
    ):
        raise _refused("contact")


# ------------------------------------------------------------------------------------------------------- staff


class _Reserved(NamedTuple):
    anywhere: tuple[str, ...]
    nearly: frozenset[str]
    in_a_word: tuple[str, ...]
    words: frozenset[str]
    drawn_out: frozenset[str]
    """Words that are long enough to be recognised with repeated letters: "suppport"."""
    whole: frozenset[str]
    harmless: frozenset[str]


@cache
def _reserved() -> _Reserved:
    def folded(words: Collection[str]) -> tuple[str, ...]:
        return tuple(_leet(skeleton(word)) for word in words)

    anywhere = tuple(map(_once, folded(reserved_names.ANYWHERE)))
    return _Reserved(
        anywhere=anywhere,
        nearly=frozenset(near for word in anywhere if len(word) >= _NEAR_FROM for near in _with_one_less(word)),
        in_a_word=folded(reserved_names.IN_A_WORD),
        words=frozenset(folded(reserved_names.WORDS)),
        drawn_out=frozenset(_once(word) for word in folded(reserved_names.WORDS) if len(word) >= _DRAWN_OUT_FROM),
        whole=frozenset(folded(reserved_names.WHOLE)),
        harmless=frozenset(folded(reserved_names.HARMLESS)),
    )


class _Staff(NamedTuple):
    shapes: frozenset[str]
    long: tuple[str, ...]
    nearly: frozenset[str]


@lru_cache(maxsize=4)
def _staff(keys: frozenset[str]) -> _Staff:
    shapes = frozenset(map(_leet, keys))
    return _Staff(
        shapes=shapes,
        long=tuple(shape for shape in shapes if len(shape) >= 6),
        nearly=frozenset(near for shape in shapes if len(shape) >= _NEAR_FROM for near in _with_one_less(shape)),
    )


def _is_reserved(name: str, key: str) -> bool:
    reserved = _reserved()
    whole = _leet(key)
    if whole in reserved.words or whole in reserved.whole:
        return True
    if any(word in _once(whole) for word in reserved.anywhere):
        return True
    for word in _words(name):
        if word in reserved.words or (len(word) > _DRAWN_OUT_FROM and _once(word) in reserved.drawn_out):
            return True
        if any(part in word for part in reserved.in_a_word) and word not in reserved.harmless:
            return True
        if len(word) >= _NEAR_FROM - 1 and not reserved.nearly.isdisjoint(_with_one_less(_once(word))):
            return True
    return False


def _resembles(key: str, staff_keys: Collection[str]) -> bool:
    if not staff_keys:
        return False
    staff = _staff(frozenset(staff_keys))
    whole = _leet(key)
    # "Anna Berg 2" is not another Anna Berg.
    return (
        whole in staff.shapes
        or _leet(key.strip("0123456789")) in staff.shapes
        or any(shape in whole for shape in staff.long)
        or (len(whole) >= _NEAR_FROM - 1 and not staff.nearly.isdisjoint(_with_one_less(whole)))
    )


def _words(name: str) -> set[str]:
    """Return the words of a name, folded: split at spaces, punctuation and inner capitals, and not split at capitals,
    each with and without the digits around it, and single letters in a row as one word."""
    plain = bare(name)
    parts = [part for part in _SPACE.split(plain) if part]
    # Judged by its appearance: in "a d rn i n" the third is one letter, too.
    spelled = ["".join(run) for single, run in groupby(parts, key=lambda part: len(skeleton(part)) == 1) if single]
    parts = [*parts, *spelled, *_WORD_BREAK.split(plain)]
    words = {word for part in parts for word in (part, part.strip("0123456789")) if word}
    return {_leet(skeleton(word)) for word in words}


def _leet(key: str) -> str:
    """Replace digits that stand for letters, and the pair that looks like a d. Too coarse for comparing members'
    names."""
    return key.translate(_LEET).replace("cl", "d")


def _once(text: str) -> str:
    """Return a text without repeated letters: "moderatorr" is still one."""
    return _REPEATED.sub(r"\1", text)


def _with_one_less(word: str) -> frozenset[str]:
    """Return the word and every word that is one letter shorter. Two words one slip apart have one of these in
    common."""
    return frozenset((word, *(word[:i] + word[i + 1 :] for i in range(len(word)))))
