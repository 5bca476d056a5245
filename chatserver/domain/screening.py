"""Contact details in what somebody writes: phone numbers, e-mail, handles, links.

Pure. It errs on the side of silence: people here write of times, ages, money and helplines all the time. Whoever wants
to get round it will; it is for the many who do not think of it. Digits may be spelled out in English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from typing import Final

import msgspec


class Kind(StrEnum):
    PHONE = "phone"
    EMAIL = "email"
    HANDLE = "handle"
    LINK = "link"


class Found(msgspec.Struct, frozen=True):
    """Contact details in a text, from `start` up to before `end` (code points)."""

    kind: Kind
    start: int
    end: int


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HELPLINES: Final = _words(
    """
    0120279338 0223272327 08001110111 0800567567 0925250111 70201201 08001111 8001111 18002738255 8002738255
    08088081677 18006624357 8006624357 08006895652
    """
)
"""Helplines with as many digits as somebody's own number. Anybody may say them."""


def find_contacts(text: str) -> tuple[Found, ...]:
    """What in a text would lead to somebody outside of here, in order, not overlapping."""
    found: list[Found] = []
    for each in (*_emails(text), *_links(text), *_handles(text), *_phones(text)):
        if all(each.end <= other.start or other.end <= each.start for other in found):
            found.append(each)
    return tuple(sorted(found, key=lambda each: each.start))


# ------------------------------------------------------------------------------------------------ e-mail and links

_DOT: Final = r"(?:\s*[\[({]\s*(?:dot|\.)\s*[\])}]\s*|\s+dot\s+)"
"""A dot in words, or in brackets."""
_AT: Final = r"(?:\s*[\[({]\s*(?:at|@)\s*[\])}]\s*|\s+at\s+|\s?@\s?)"
_TLD: Final = (
    r"(?:com|net|org|edu|gov|io|gg|eu|de|fr|nl|es|pt|pl|se|ch|ca|au|br|jp|ru|ly|xyz|dev|co\.uk|org\.uk|ac\.uk|uk|info"
    r"|biz|online|site|shop|chat)"
)
_WORD_TLD: Final = r"(?:me|in|is|it|to|so|at|be|us|no|am|as|my|do|by|co|tv|app|link|live|life|page|club|ee|id|im)"
"""Endings that are words as well: after a full stop without a space they are no domain, unless a path follows."""
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?"
_MAILBOX: Final = r"(?<![\w.+-])[\w.+-]{1,64}"
_EMAIL: Final = re.compile(
    rf"{_MAILBOX}@(?:{_LABEL}\.){{1,4}}[a-z]{{2,12}}\b"
    rf"|{_MAILBOX}{_AT}(?:{_LABEL}\.){{1,4}}{_TLD}\b"
    rf"|{_MAILBOX}(?:{_AT}|@){_LABEL}(?:(?:{_DOT}|\.){_LABEL}){{0,2}}?{_DOT}(?:{_TLD}|{_WORD_TLD})\b",
    re.IGNORECASE,
)
_MAIL_HOST: Final = re.compile(
    rf"(?<![\w.+-])[\w.+-]{{2,64}}{_AT}(?:gmail|googlemail|hotmail|icloud|protonmail|gmx|ymail)\b", re.IGNORECASE
)
_LINK: Final = re.compile(
    rf"\bh(?:tt|xx)ps?://\S+|\bwww\.\S+"
    rf"|(?<![\w.@-])(?:{_LABEL}\.){{1,4}}{_TLD}(?![\w-]|\.\w)(?:/\S*)?"
    rf"|(?<![\w.@-])(?:{_LABEL}\.){{1,4}}{_WORD_TLD}/[\w@+%~-]\S*"
    rf"|(?<![\w.@-])(?:t\.me|wa\.me|youtu\.be|linktr\.ee|discord\.gg|bit\.ly)\b\S*",
    re.IGNORECASE,
)
_SPELLED_LINK: Final = re.compile(
    rf"(?<![\w.@-])(?P<name>{_LABEL})(?:\s*[\[({{]\s*(?:dot|\.)\s*[\])}}]\s*|\s+dot\s+)(?:{_TLD}|me|co)\b"
    r"(?!\s+(?:bubble|boom|crash|era|years|company|companies|startup|millionaire|business|job|guy)\b)",
    re.IGNORECASE,
)
_NO_NAME: Final = frozenset({"the", "a", "this", "that", "of", "some", "another", "any", "big", "old", "red", "black"})
_NO_MAILBOX: Final = _words(
    """
    look looked looking laughed shouted yelled work works worked working arrived was am is are were be been and
    not stay stayed angry mad good bad
    """
)
"""Before "at gmail" these are a sentence's own words."""


def _emails(text: str) -> Iterator[Found]:
    for match in _EMAIL.finditer(text):
        yield Found(Kind.EMAIL, match.start(), match.end())
    for match in _MAIL_HOST.finditer(text):
        if re.split(r"[^\w.+-]", match.group(), maxsplit=1)[0].lower() not in _NO_MAILBOX:
            yield Found(Kind.EMAIL, match.start(), match.end())


def _links(text: str) -> Iterator[Found]:
    for match in _LINK.finditer(text):
        yield Found(Kind.LINK, match.start(), match.end())
    for match in _SPELLED_LINK.finditer(text):
        if match["name"].lower() not in _NO_NAME:
            yield Found(Kind.LINK, match.start(), match.end())


# ------------------------------------------------------------------------------------------------ handles

_APP: Final = (
    r"(?:insta(?:gram)?|ig|snap(?:chat)?|tik\s?tok|telegram|tg|discord|whats\s?app|signal|kik|twitter|facebook|fb|skype"
    r"|we\s?chat|messenger|reddit|steam|twitch|tumblr|bluesky|mastodon|threads|viber)"
)
_NAME: Final = r"[a-z0-9_](?:[\w.-]{1,30}\w|\w)(?:\#\d{4})?"
_LABELLED: Final = re.compile(
    rf"\b(?:(?P<my>my|our)\s+)?{_APP}(?:\s+(?:name|handle|id|user\s?name|user|account|tag|nick))?"
    rf"\s*(?P<sign>:|=|->|\bis\b|\bit's\b|-)\s*(?P<at>@?)(?P<name>{_NAME})(?P<after>\W*(?:\w+|$))",
    re.IGNORECASE,
)
_ADD_ME: Final = re.compile(
    rf"\b(?:add|find|follow|message|text|dm|pm|hit|write|look)\s+(?:me\s+)?(?:up\s+)?(?:to\s+me\s+)?(?:on|over\s+on|at)"
    rf"\s+{_APP}\s*(?:,|:|-|\bat\b|\bas\b|\bunder\b|\bit's\b|\bi'm\b|\bi\s+am\b)?\s*@?(?P<name>{_NAME})",
    re.IGNORECASE,
)
_ON_APP: Final = re.compile(
    rf"\b(?:i'm|i\s+am|im|it's|called|named)\s+@?(?P<name>{_NAME})\s+on\s+{_APP}\b", re.IGNORECASE
)
_AT_NAME: Final = re.compile(r"(?<![\w.@])@(?P<name>[a-z_][\w.]{1,29})", re.IGNORECASE)
_REDDIT: Final = re.compile(r"(?<![\w/.])/?u/[\w-]{3,20}\b")
_TAGGED: Final = re.compile(r"(?<![\w.#])[a-z][\w.]{1,31}\#\d{4}\b", re.IGNORECASE)
_PLACES: Final = _words(
    """
    home work school uni college night all everyone everybody here channel room least the my hospital church
    lunch noon them me you him her us this that listener moderator
    """
)
"""After an @ that means "at"."""
_ORDINARY: Final = _words(
    """
    private broken gone full down dead open public off on deleted hacked blocked banned boring quiet so really
    too just all not the an my always only very making where how what still empty now like nothing good bad
    better worse fine toxic hard easy evil awful fun no and but or because that this it they everyone people i
    you we he she when while about for with again today tonight tomorrow later please if is was are to in at as
    once there every after before anymore instead much pretty kind one silent depressing addictive stressful
    scary lonely useless helpful important cruel lost happy sad life fake over out up me him her them someone
    something anything everything never sometimes maybe exhausting wonderful crazy overwhelming feeling crying
    posting scrolling using sober addicted famous popular group family friends mum mom dad same day daily a who
    why then also
    """
)
"""Words after "my insta is" and the like that are no name."""


def _handles(text: str) -> Iterator[Found]:
    for match in _LABELLED.finditer(text):
        if match["at"] or _is_name(match):
            yield Found(Kind.HANDLE, match.start(), match.end("name"))
    for pattern in (_ADD_ME, _ON_APP):
        for match in pattern.finditer(text):
            if match["name"].lower() not in _ORDINARY and not match["name"].isdigit():
                yield Found(Kind.HANDLE, match.start(), match.end())
    for match in _AT_NAME.finditer(text):
        if match["name"].rstrip(".").lower() not in _PLACES:
            yield Found(Kind.HANDLE, match.start(), match.end())
    for pattern in (_REDDIT, _TAGGED):
        for match in pattern.finditer(text):
            yield Found(Kind.HANDLE, match.start(), match.end())


def _is_name(match: re.Match[str]) -> bool:
    """Whether what stands after "my insta is", or "insta:", looks like a name rather than a sentence going on."""
    name = match["name"].lower()
    if name in _ORDINARY or name.isdigit():
        return False
    if re.search(r"[\d_.#]", name):
        return True
    if match["sign"] in {"-", "is"} and not match["my"]:
        return False
    after = match["after"].strip(" ").lower()
    # "snap: moonlitfox, add me" but not "Instagram: constant comparing".
    return not after[:1].isalnum() or after in {"add", "and", "if", "dm", "hit", "so", "or", "message", "text", "write"}


# ------------------------------------------------------------------------------------------------ phone numbers

_DIGITS: Final = re.compile(
    r"(?<![\w.,:/$£€#-])(?P<plus>\+|00)?\s?\(?\d(?:[\s().\-/\u2013]{0,3}\d){5,16}(?![\w%€$£]|[.,:]\d)"
)
_CALL: Final = re.compile(
    r"\b(?:call|phone|ring|text|sms|whats\s?app|number|num|cell|mobile|tel|telephone|reach|dial|contact|signal)\b"
    r"[^\n]{0,40}$",
    re.IGNORECASE,
)
_MONEY: Final = re.compile(r"[$£€]\s*$|\b(?:usd|eur|gbp)\s*$", re.IGNORECASE)
_COUNTED: Final = re.compile(
    r"^\s*(?:people|dollars|pounds|euros?|bucks|times|steps|views|followers|likes|km|miles|metres|meters|hours|minutes"
    r"|seconds|days|years|months|users|words|votes|cases|deaths|calories|grams|kg|bpm|per\s?cent|quid|yen|rupees)\b",
    re.IGNORECASE,
)
_ID: Final = re.compile(
    r"\b(?:order|ticket|case|invoice|reference|ref|account|isbn|claim|page|version)\b[^\n.]{0,14}$", re.IGNORECASE
)
_DATE: Final = re.compile(
    r"^(?:(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d\d)(?:\D\d{1,2}){0,3}$"
)
_YEARS: Final = re.compile(r"^(?:19|20)\d\d(?:\D{1,3}(?:19|20)\d\d)+$")
_DIGIT_WORDS: Final = {
    "zero": "0", "oh": "0", "o": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_SPELLED_DIGIT: Final = r"(?:(?:double|triple)\s+)?(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|o|\d)"
_SPELLED: Final = re.compile(rf"\b{_SPELLED_DIGIT}(?:[\s,.\-]+{_SPELLED_DIGIT}){{3,20}}\b", re.IGNORECASE)
_FEWEST: Final = 7
_MOST: Final = 15


def _phones(text: str) -> Iterator[Found]:
    for match in _DIGITS.finditer(text):
        if _is_phone(match, text):
            yield Found(Kind.PHONE, match.start(), match.end())
    for match in _SPELLED.finditer(text):
        digits = _spelled(match.group())
        if _FEWEST <= len(digits) <= _MOST and not _counts(list(digits)) and digits not in HELPLINES:
            yield Found(Kind.PHONE, match.start(), match.end())


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
    if _counts(groups) or (len(groups) > 1 and all(group == "000" for group in groups[1:])):
        return False
    if re.fullmatch(r"\d+\.\d+", written) or re.search(r"\d\s+[-/\u2013]\s+\d", written):
        return False
    if len(groups) == 1:
        return len(digits) >= 9 or (len(digits) >= _FEWEST and _CALL.search(before) is not None)
    return max(map(len, groups)) > 2 or len(groups) >= 4


def _counts(groups: list[str]) -> bool:
    """Whether these are numbers that rise or fall in even steps, as in counting, and never those of a phone."""
    steps = {int(b) - int(a) for a, b in pairwise(groups)}
    return len(groups) > 3 and len(steps) == 1 and all(len(group) <= 3 for group in groups)


def _spelled(text: str) -> str:
    digits, times = "", 1
    for word in re.findall(r"[a-z]+|\d", text.lower()):
        if word in {"double", "triple"}:
            times = 2 if word == "double" else 3
        else:
            digits += _DIGIT_WORDS.get(word, word) * times
            times = 1
    return digits
