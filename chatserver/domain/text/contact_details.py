"""Contact details in a text: phone numbers, e-mail, handles, links.

Pure. It prefers to miss: people here write of times, ages, money and helplines all the time. Anybody who wants to get
round it can; it is for the many who do not think of it, and for the spellings that filters are known to miss. A text is
examined as it is folded (`domain/text/folding.py`), and once more as it may be meant (`domain/text/respelling.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

from chatserver.domain.text.folding import Seen, seen_in
from chatserver.domain.text.handles import PAUSE, Span, handles, may_hold_handles
from chatserver.domain.text.phone_numbers import may_hold_phone_numbers, phone_numbers
from chatserver.domain.text.respelling import Spelling


class ContactKind(StrEnum):
    PHONE = "phone"
    EMAIL = "email"
    HANDLE = "handle"
    LINK = "link"


class Found(msgspec.Struct, frozen=True):
    """Contact details in a text, from `start` up to before `end` (code points)."""

    kind: ContactKind
    start: int
    end: int


class Contacts(msgspec.Struct, frozen=True):
    """The findings in a text, in order, not overlapping; whether all of it could be examined; how many places were."""

    found: tuple[Found, ...]
    is_whole: bool = True
    steps: int = 0

    @property
    def kinds(self) -> frozenset[ContactKind]:
        return frozenset(each.kind for each in self.found)


_NOTHING: Final = Contacts(())
MOST_CANDIDATES: Final = 32
"""Places of one text that are examined more closely, for each kind of contact details."""
MOST_FOUND: Final = 8
"""Findings after which the search ends: they are enough to ask for them to be left out."""
_AT_ONCE: Final = 32
"""Signs of contact details that are examined before other work may run."""
TAIL: Final = 60
"""Characters of an author's last post, and of this one, that are read as one text."""


def find_contacts(text: str) -> tuple[Found, ...]:
    """Return what in a text would lead to somebody outside, in order, not overlapping."""
    return look_for_contacts(text).found


def look_for_contacts(text: str) -> Contacts:
    """Return the same, and whether all of the text was examined."""
    looking = Looking(text)
    for _ in looking.parts():
        pass
    return looking.result


def contacts_across(before: str, text: str) -> frozenset[ContactKind]:
    """Return the kinds of contact details that begin in one text and end in the next."""
    if not before:
        return frozenset()
    tail = before[-TAIL:]
    both = look_for_contacts(f"{tail} {text[:TAIL]}")
    return frozenset(each.kind for each in both.found if each.start < len(tail) < each.end - 1)


class Looking:
    """A text that is examined in parts, with other work in between. Each examined place is a step.

    `result` is complete when `parts` has ended.
    """

    def __init__(self, text: str) -> None:
        self._spelling = Spelling(text)
        self._found: list[Found] = []
        self._is_whole = True
        self._steps = 0

    @property
    def result(self) -> Contacts:
        if not self._found and self._is_whole and not self._steps:
            return _NOTHING
        found = tuple(sorted(self._found, key=lambda each: each.start))
        return Contacts(found, self._is_whole or bool(found), self._steps)

    def parts(self) -> Iterator[None]:
        """Examine the text; yield after each place, and after each kind."""
        yield
        seen = seen_in(self._spelling.text)
        yield
        yield from self._through(seen)
        if self._found:
            return
        yield
        if (yield from self._spelling.respell(seen)):
            yield
            yield from self._through(seen_in(self._spelling.text))

    def _through(self, seen: Seen) -> Iterator[None]:
        text = self._spelling.text
        for kind, look, may_hold in _LOOKS:
            if not may_hold(text, seen):
                continue
            places = 0
            for span in look(text, seen):
                if span is PAUSE:
                    yield
                    continue
                if places == MOST_CANDIDATES:
                    self._is_whole = False
                    break
                places += 1
                self._steps += 1
                if span is not None:
                    self._add(kind, self._spelling.place(span[0]), self._spelling.place(span[1] - 1) + 1)
                if len(self._found) == MOST_FOUND:
                    return
                yield
            yield

    def _add(self, kind: ContactKind, start: int, end: int) -> None:
        if all(end <= other.start or other.end <= start for other in self._found):
            self._found.append(Found(kind, start, end))


# ------------------------------------------------------------------------------------------------ e-mail and links

_OPEN, _SHUT = r"\s{0,3}[\[({]\s{0,3}", r"\s{0,3}[\])}]\s{0,3}"
_IN_BRACKETS: Final = rf"{_OPEN}(?:d\s?o\s?t|\.){_SHUT}"
_DOT: Final = rf"(?:{_IN_BRACKETS}|\s{{1,3}}dot\s{{1,3}})"
"""A dot in words, or in brackets."""
_AT: Final = rf"(?:{_OPEN}(?:a\s?t|@){_SHUT}|\s{{1,3}}at\s{{1,3}}|\s?@\s?)"
_TLD: Final = (
    r"(?:com|net|org|edu|gov|io|gg|eu|de|fr|nl|es|pt|pl|se|ch|ca|au|br|jp|ru|ly|xyz|dev|co\.uk|org\.uk|ac\.uk|uk|info"
    r"|biz|online|site|shop|chat)"
)
_WORD_TLD: Final = r"(?:me|in|is|it|to|so|at|be|us|no|am|as|my|do|by|co|tv|app|link|live|life|page|club|ee|id|im)"
"""Endings that are words as well: after a full stop without a space they are not a domain, unless a path follows."""
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?"
_MAILBOX: Final = r"(?<![\w.+-])[\w.+-]{1,64}"
_EMAIL: Final = re.compile(
    rf"{_MAILBOX}@(?:{_LABEL}\.){{1,4}}[a-z]{{2,12}}\b"
    rf"|{_MAILBOX}{_AT}(?:{_LABEL}\s?\.\s?){{1,4}}{_TLD}\b"
    rf"|{_MAILBOX}(?:{_AT}|@){_LABEL}(?:(?:{_DOT}|\.){_LABEL}){{0,2}}?{_DOT}(?:{_TLD}|{_WORD_TLD})\b"
)
_MAIL_HOST: Final = re.compile(
    rf"(?<![\w.+-])[\w.+-]{{2,64}}{_AT}(?:gmail|googlemail|hotmail|icloud|protonmail|gmx|ymail)\b"
)
_AT_SIGN: Final = re.compile(rf"\s?@|{_OPEN}a\s?t{_SHUT}|\s{{1,3}}at\s{{1,3}}")
_LINK: Final = re.compile(
    rf"\bh(?:tt|xx)ps?://\S+|\bwww\s?\.\s?\S+"
    rf"|(?<![\w.@-])(?:{_LABEL}\.){{1,4}}{_TLD}(?![\w-]|\.\w)(?:/\S*)?"
    rf"|(?<![\w.@-])(?:{_LABEL}\.){{1,4}}{_WORD_TLD}/[\w@+%~-]\S*"
    rf"|(?<![\w.@-]){_LABEL}\s?[.,]\s?(?:com|net|org|gg)\s?/\s?\w\S*"
    rf"|(?<![\w.@-])(?:t\.me|wa\.me|youtu\.be|linktr\.ee|bit\.ly)\b\S*"
    rf"|(?<![\w.@-])discord\s?[./]?\s?gg\b\S*"
)
_LINK_START: Final = re.compile(r"(?<![\w.@-])(?=[a-z0-9][a-z0-9-]{0,41}+\s?[.,]|discord)|\b(?=h(?:tt|xx)ps?://|www)")
"""Where a link that is not spelled may begin."""
_DOTTED: Final = re.compile(r"\.[a-z0-9]")
_ENDING: Final = re.compile(r"[.,]\s?(?:com|net|org|gg)\s?/")
_SPELLED_LINK: Final = re.compile(
    rf"(?<![\w.@-])(?P<name>{_LABEL})(?:{_IN_BRACKETS}|\s{{1,3}}dot\s{{1,3}})(?:{_TLD}|me|co)\b"
    r"(?!\s{1,3}(?:bubble|boom|crash|era|years|company|companies|startup|millionaire|business|job|guy)\b)"
)
_IN_MAILBOX: Final = "abcdefghijklmnopqrstuvwxyz0123456789_.+-"
_MOST_MAILBOX: Final = 64
_AFTER_AT: Final = 160
_NO_NAME: Final = frozenset({"the", "a", "this", "that", "of", "some", "another", "any", "big", "old", "red", "black"})
_NO_MAILBOX: Final = frozenset(
    word
    for line in (
        "look looked looking laughed shouted yelled work works worked working arrived was am is are were be been and",
        "not stay stayed angry mad good bad",
    )
    for word in line.split()
)
"""Before "at gmail" these are words of the sentence."""


def _may_hold_emails(text: str, seen: Seen) -> bool:
    return "@" in text or "at" in seen.words or ("t" in seen.words and seen.has_bracket)


def _emails(text: str, seen: Seen) -> Iterator[Span | None]:
    done = 0
    for number, sign in enumerate(_AT_SIGN.finditer(text), start=1):
        if number % _AT_ONCE == 0:
            yield PAUSE
        end = sign.start()
        before = text[max(done, end - _MOST_MAILBOX) : end]
        start = end - len(before) + len(before.rstrip(_IN_MAILBOX))
        if start == end:
            continue
        end = sign.end() + _AFTER_AT
        found = _EMAIL.match(text, start, end) or _MAIL_HOST.match(text, start, end)
        if found is not None and found.re is _MAIL_HOST and text[start : sign.start()] in _NO_MAILBOX:
            found = None
        done = sign.end() if found is None else found.end()
        yield None if found is None else found.span()


HELP_SITES: Final = frozenset(
    word
    for line in (
        "samaritans.org 988lifeline.org findahelpline.com crisistextline.org childline.org.uk thetrevorproject.org",
        "befrienders.org telefonseelsorge.de 113.nl papyrus-uk.org mind.org.uk rainn.org nhs.uk lifeline.org.au",
        "giveusashout.org kidshelpphone.ca kidshelpline.com.au iasp.info",
    )
    for word in line.split()
)
"""Sites that help. Anybody may name them."""
_HOST: Final = re.compile(r"(?:https?://)?(?:www\.)?([a-z0-9.-]+)")


def _is_help(link: str) -> bool:
    host = _HOST.match(link)
    return host is not None and host[1].strip(".") in HELP_SITES


def _may_hold_links(text: str, seen: Seen) -> bool:
    return _may_be_written(text) or _may_be_spelled(text, seen)


def _may_be_written(text: str) -> bool:
    if "." not in text and "," not in text and "http" not in text and "gg" not in text:
        return False
    return (
        _DOTTED.search(text) is not None
        or "://" in text
        or "www" in text
        or "discord" in text
        or ("/" in text and _ENDING.search(text) is not None)
    )


def _may_be_spelled(text: str, seen: Seen) -> bool:
    return "dot" in seen.words or (seen.has_bracket and ("dot" in text or "." in text))


def _links(text: str, seen: Seen) -> Iterator[Span | None]:
    if _may_be_written(text):
        done = 0
        for number, sign in enumerate(_LINK_START.finditer(text), start=1):
            if number % _AT_ONCE == 0:
                yield PAUSE
            start = sign.start()
            match = _LINK.match(text, start) if start >= done else None
            if match is not None:
                done = match.end()
                yield None if _is_help(match.group()) else match.span()
        yield PAUSE
    if _may_be_spelled(text, seen):
        for match in _SPELLED_LINK.finditer(text):
            yield None if match["name"] in _NO_NAME else match.span()


_LOOKS: Final = (
    (ContactKind.EMAIL, _emails, _may_hold_emails),
    (ContactKind.LINK, _links, _may_hold_links),
    (ContactKind.HANDLE, handles, may_hold_handles),
    (ContactKind.PHONE, phone_numbers, may_hold_phone_numbers),
)
"""For each kind: where it stands, and whether it can be there, by its signs and by the words of the text."""
