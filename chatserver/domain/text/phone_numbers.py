"""Telephone numbers in a text that is folded and in small letters. Pure.

Times, dates, scores, doses, money, counting and helplines are not telephone numbers. Digits may be spelled out in
English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from chatserver.domain.text.folding import Seen
from chatserver.domain.text.handles import PAUSE, Span

HELPLINES: Final = frozenset(
    word
    for line in (
        "0120279338 0223272327 08001110111 0800567567 0925250111 70201201 08001111 8001111 18002738255 8002738255",
        "08088081677 18006624357 8006624357 08006895652",
    )
    for word in line.split()
)
"""Helplines with as many digits as a personal number. Anybody may name them."""
_FEWEST: Final = 7
_MOST: Final = 15
_SURELY: Final = 10
"""Digits that are a number even if few of them are said one by one."""
_SINGLE: Final = 4

_DIGITS: Final = re.compile(
    r"(?<![\w.,:/$£€#-])(?P<plus>\+|00)?\s?\(?\d(?:[\s().\-/\u2013]{0,3}\d){5,16}(?![\w%€$£]|[.,:]\d)"
)
_BETWEEN: Final = ",_*~|/"
_FEWEST_BETWEEN: Final = 8
_ONE_BY_ONE: Final = re.compile(rf"(?<![\w.,])\d(?:[{_BETWEEN}]\s?\d){{{_FEWEST_BETWEEN},16}}(?!\d)")
_CALL: Final = re.compile(
    r"\b(?:call|phone|ring|text|sms|whats\s?app|number|num|cell|mobile|tel|telephone|reach|dial|contact|signal)\b"
    r"[^\n]{0,40}$"
)
_MONEY: Final = re.compile(r"[$£€]\s*$|\b(?:usd|eur|gbp)\s*$")
_COUNTED: Final = re.compile(
    r"^\s*(?:people|dollars|pounds|euros?|bucks|times|steps|views|followers|likes|km|miles|metres|meters|hours|minutes"
    r"|seconds|days|years|months|users|words|votes|cases|deaths|calories|grams|kg|bpm|per\s?cent|quid|yen|rupees)\b"
)
_ID: Final = re.compile(r"\b(?:order|ticket|case|invoice|reference|ref|account|isbn|claim|page|version)\b[^\n.]{0,14}$")
_DATE: Final = re.compile(
    r"^(?:(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d\d)(?:\D\d{1,2}){0,3}$"
)
_SCORES: Final = re.compile(r"^\d{1,2}-\d{1,2}(?:\s\d{1,2}-\d{1,2})+$")
_YEARS: Final = re.compile(r"^(?:19|20)\d\d(?:\D{1,3}(?:19|20)\d\d)+$")

_UNITS: Final = {
    "zero": 0, "oh": 0, "o": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS: Final = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_TIMES: Final = {"double": 2, "triple": 3}
_ZEROS: Final = {"hundred": "00", "thousand": "000"}
_FEWEST_SAID: Final = 4
_NUMBERS: Final = frozenset({*_UNITS, *_TENS, *_TIMES, *_ZEROS})
_NUMBER_WORD: Final = "|".join(sorted((*_UNITS, *_TENS, *_TIMES, *_ZEROS), key=len, reverse=True))
_A_NUMBER: Final = rf"(?:(?:{_NUMBER_WORD})(?![a-z])|\d{{1,4}}+)"
_SPELLED: Final = re.compile(rf"(?<![a-z\d]){_A_NUMBER}(?:[\s,.\-]{{0,3}}+{_A_NUMBER}){{{_FEWEST_SAID - 1},28}}")
_SAID: Final = re.compile(rf"(?<![a-z])(?:{_NUMBER_WORD})(?![a-z])")
_PART: Final = re.compile(rf"(?:{_NUMBER_WORD})|\d+")


def may_hold_phone_numbers(text: str, seen: Seen) -> bool:
    """Return whether `phone_numbers` can yield anything for a text in which this is seen."""
    return seen.digits >= _FEWEST or _may_be_said(text, seen)


def _may_be_said(text: str, seen: Seen) -> bool:
    """Return whether as many numbers may follow each other as are looked for, one of them in words."""
    said = _NUMBERS.intersection(seen.words)
    if not said:
        return False
    return not text.isascii() or seen.digits + sum(map(text.count, said)) >= _FEWEST_SAID


def phone_numbers(text: str, seen: Seen) -> Iterator[Span | None]:
    """Yield where numbers stand, and None for each place that turned out to be something else, and PAUSE between
    kinds."""
    if seen.digits >= _FEWEST:
        for match in _DIGITS.finditer(text):
            yield match.span() if _is_phone(match, text) else None
        yield PAUSE
        if sum(map(text.count, _BETWEEN)) >= _FEWEST_BETWEEN:
            for match in _ONE_BY_ONE.finditer(text):
                digits = re.findall(r"\d", match.group())
                yield match.span() if not _counts([int(each) for each in digits]) else None
            yield PAUSE
    if _may_be_said(text, seen):
        for match in _SPELLED.finditer(text):
            yield match.span() if _is_said(match.group()) else None


def _is_phone(match: re.Match[str], text: str) -> bool:
    written = match.group().strip()
    groups = re.findall(r"\d+", written)
    digits = "".join(groups)
    if not _FEWEST <= len(digits) <= _MOST or digits in HELPLINES or _DATE.match(written) or _YEARS.match(written):
        return False
    if match["plus"] == "+":
        return True
    before, after = text[max(0, match.start() - 60) : match.start()], text[match.end() : match.end() + 20]
    if _MONEY.search(before) or _COUNTED.match(after) or _ID.search(before):
        return False
    if len(groups) > 3 and max(map(len, groups)) <= 3 and _counts([int(group) for group in groups]):
        return False
    if len(groups) > 1 and all(group == "000" for group in groups[1:]):
        return False
    if _SCORES.match(written) or re.fullmatch(r"\d+\.\d+", written) or re.search(r"\d\s+[-/\u2013]\s+\d", written):
        return False
    if len(groups) == 1:
        return len(digits) >= 9 or (len(digits) >= _FEWEST and _CALL.search(before) is not None)
    return max(map(len, groups)) > 2 or len(groups) >= 4


def _is_said(text: str) -> bool:
    """Return whether numbers in words, or in words and digits, are a telephone number."""
    digits = ""
    values: list[int] = []
    single, times, tens = 0, 1, 0
    for part in _PART.findall(text):
        if part in _TIMES:
            times = _TIMES[part]
            continue
        if part in _ZEROS:
            digits += _ZEROS[part]
            if values:
                values[-1] *= 10 ** len(_ZEROS[part])
        elif part in _TENS:
            tens = len(digits)
            digits += str(_TENS[part])
            values.append(_TENS[part])
            continue
        else:
            value = _UNITS[part] if part in _UNITS else int(part)
            if tens and tens == len(digits) - 2 and 0 < value < 10:
                digits = digits[:-1]
                values[-1] += value
            else:
                single += 0 <= value < 10
                values.append(value)
            digits += (str(value) if part in _UNITS else part) * times
        times, tens = 1, 0
    is_long = _FEWEST <= len(digits) <= _MOST and (single >= _SINGLE or len(digits) >= _SURELY)
    return is_long and _SAID.search(text) is not None and not _counts(values) and digits not in HELPLINES


def _counts(values: Sequence[int]) -> bool:
    """Return whether these rise or fall in even steps, once or repeatedly from the same one, as in counting."""
    steps = {after - before for before, after in pairwise(values) if after != values[0]}
    return len(values) > 3 and len(steps) == 1
