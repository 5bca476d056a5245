"""Words of crisis and of harm in what somebody writes, found by phrases that an operator can read and change.

Pure. A signal is an offer of help and a call for a human, never a punishment: it will be wrong at times, in both ways.

A phrase is words; `(a|b c)` is either, `word?` may be missing, `word*` begins so, `...` is up to three words of any
kind, `$name` is the choice that an earlier line `$name = a|b c` of the same list gives.
There are no regular expressions in it, so no phrase can take more than its length times that of the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Final

import msgspec


class Category(StrEnum):
    SELF_HARM = "self_harm"
    DANGER = "danger"
    ABUSE = "abuse"
    GROOMING = "grooming"
    HOSTILE = "hostile"
    METHOD = "method"


CARED_FOR: Final = frozenset({Category.SELF_HARM, Category.DANGER, Category.ABUSE, Category.METHOD})
"""What somebody who writes of it is offered help with. Who hurts others is not asked how they are."""
ESCALATED: Final = 2
"""The level from which on a human is told. Below, only the writer sees anything."""
URGENT: Final = 3
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})?")


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found. `level` is 1 (offer help), 2 (somebody should look) or 3 (now); `phrase` is the line
    of the list that fired, `words` what it fired at, which stand from `start` up to before `end` (code points)."""

    category: Category
    level: int
    phrase: str
    words: str
    start: int
    end: int


class BadPhrase(ValueError):
    """A list that cannot be used. Says file and line."""


# ------------------------------------------------------------------------------------------------ the list

_MOST_WORDS: Final = 16
_MOST_CHOICES: Final = 256
_SHORTEST_BEGINNING: Final = 3
_SHORTEST_MISSPELT: Final = 6
_GAP: Final = 3
_NEGATION_REACHES: Final = 5
_HEAD: Final = re.compile(r"\[([a-z_]+)(?: ([123]))?\]")
_NAME: Final = re.compile(r"\$([a-z_]+)")
_NAMED: Final = re.compile(r"\$([a-z_]+) *=(.*)")
_PART: Final = re.compile(r"\([^()]*\)\S*|\S+")
_ELEMENT: Final = re.compile(r"\([a-z0-9|* ]+\)\??|[a-z0-9]+\*?\??|\.\.\.")
_CONTEXTS: Final = frozenset({"idiom", "negation", "not_negation", "others", "report", "fiction", "past", "present"})


class _Element(msgspec.Struct, frozen=True):
    words: frozenset[str]
    beginnings: tuple[str, ...]
    runs: dict[str, tuple[tuple[str, ...], ...]]
    """Choices of several words, by their first: the others."""
    is_optional: bool = False
    is_gap: bool = False

    def ends(self, forms: list[tuple[str, ...]], at: int) -> Iterable[int]:
        """Where it may end when it starts at a word."""
        for form in forms[at]:
            if form in self.words or (self.beginnings and form.startswith(self.beginnings)):
                yield at + 1
            for run in self.runs.get(form, ()) if self.runs else ():
                end = at + 1 + len(run)
                if end <= len(forms) and all(word in forms[at + 1 + step] for step, word in enumerate(run)):
                    yield end

    def says(self, word: str) -> bool:
        """Whether the word is one of its own, alone or in a run."""
        return word in self.words or any(
            word == first or any(word in run for run in runs) for first, runs in self.runs.items()
        )


class _Phrase(msgspec.Struct, frozen=True):
    text: str
    elements: tuple[_Element, ...]
    category: Category | None
    level: int
    needs: frozenset[str]
    """One of these stands in every sentence that the phrase is in. Empty where that cannot be said."""


class _Index:
    """Phrases by their first word."""

    def __init__(self) -> None:
        self._by_word: dict[str, list[_Phrase]] = {}
        self._by_beginning: dict[str, list[_Phrase]] = {}

    def add(self, phrase: _Phrase) -> None:
        first = phrase.elements[0]
        for word in (*first.words, *first.runs):
            self._by_word.setdefault(word, []).append(phrase)
        for beginning in first.beginnings:
            self._by_beginning.setdefault(beginning[:_SHORTEST_BEGINNING], []).append(phrase)

    def found(self, forms: list[tuple[str, ...]]) -> list[tuple[int, int, _Phrase]]:
        """Every phrase that is in a sentence: where it starts, where it ends, and which."""
        there = {form for each in forms for form in each}
        return [
            (at, end, phrase)
            for at, each in enumerate(forms)
            for phrase in self._starting(each)
            if not (phrase.needs and phrase.needs.isdisjoint(there))
            if (end := _end_of(phrase, forms, at)) is not None
        ]

    def _starting(self, forms: tuple[str, ...]) -> Iterable[_Phrase]:
        for form in forms:
            yield from self._by_word.get(form, ())
            if self._by_beginning:
                yield from self._by_beginning.get(form[:_SHORTEST_BEGINNING], ())


class Words:
    """The lists of some languages, ready to be asked."""

    def __init__(self) -> None:
        self._signals = _Index()
        self._contexts = {name: _Index() for name in _CONTEXTS}
        self._known: set[str] = set()
        self._misspelt: dict[str, str] = {}
        self._alike: dict[tuple[str, int], list[str]] = {}
        """By first letter and length."""
        self.count = 0

    def add(self, name: str, text: str) -> None:
        """Read one list. Raises BadPhrase, which says `name` and the line."""
        section: str | None = None
        level = 0
        names: dict[str, str] = {}
        for number, raw in enumerate(text.splitlines(), start=1):
            line = raw.split("#", 1)[0].strip()
            if not line:
                continue
            if line.startswith("["):
                section, level = _section(line, f"{name}:{number}")
                continue
            if (named := _NAMED.fullmatch(line)) is not None:
                names[named[1]] = _named(named[2], names, f"{name}:{number}")
                continue
            if section is None:
                raise BadPhrase(f"{name}:{number}: a phrase before the first [section]")
            is_context = section in _CONTEXTS
            category = None if is_context else Category(section)
            index = self._contexts[section] if is_context else self._signals
            elements = _elements(line, names, f"{name}:{number}")
            index.add(_Phrase(line, elements, category, level, _needs(elements)))
            self._learn(elements)
            self.count += 1

    def _learn(self, elements: tuple[_Element, ...]) -> None:
        """Remember the words of a phrase, and how they are misspelt and masked."""
        found = {word for each in elements for word in each.words}
        found.update(word for each in elements for first, runs in each.runs.items() for word in (first, *sum(runs, ())))
        for word in found - self._known:
            self._known.add(word)
            self._alike.setdefault((word[0], len(word)), []).append(word)
            if len(word) >= _SHORTEST_MISSPELT:
                for wrong in _misspelt(word):
                    self._misspelt.setdefault(wrong, word)

    def _meant(self, forms: tuple[str, ...]) -> tuple[str, ...]:
        """With the words that somebody may have masked, "f**k", or misspelt, "sucide"."""
        more: list[str] = []
        for form in forms:
            if form in self._known:
                continue
            if (right := self._misspelt.get(form)) is not None:
                more.append(right)
            elif "*" in form and form[0] != "*" and form.count("*") < len(form) - 1:
                more += [word for word in self._alike.get((form[0], len(form)), ()) if _is_masked(form, word)]
        return (*forms, *more) if more else forms

    def screen(self, text: str) -> tuple[Signal, ...]:
        """What is found, at most one signal of each category, the most serious first."""
        best: dict[Category, Signal] = {}
        for sentence in _sentences(text):
            for signal in _widest([*self._of_sentence(text, sentence)]):
                known = best.get(signal.category)
                if known is None or known.level < signal.level:
                    best[signal.category] = signal
        return tuple(sorted(best.values(), key=lambda each: -each.level))

    def _of_sentence(self, text: str, sentence: list[_Token]) -> Iterable[Signal]:
        forms = [self._meant(token.forms) for token in sentence]
        found = self._signals.found(forms)
        if not found or self._places("fiction", forms):
            return
        idioms = self._places("idiom", forms)
        is_past = bool(self._places("past", forms)) and not self._places("present", forms)
        is_told = bool(self._places("report", forms))
        clauses = _clauses(text, sentence)
        others = self._places("others", forms)
        no_negations = self._places("not_negation", forms)
        negations = [
            (start, stop)
            for start, stop in self._places("negation", forms)
            if all(not (first <= start < last) for first, last in no_negations)
        ]
        for at, end, phrase in found:
            if phrase.category is None or any(start < end and at < stop for start, stop in idioms):
                continue
            if any(
                (at - _NEGATION_REACHES < stop <= at and clauses[start] == clauses[at])
                or _is_between(phrase, forms, start, at, end)
                for start, stop in negations
            ):
                continue
            is_own = phrase.category is Category.SELF_HARM and phrase.level > 1
            if (
                is_own
                and any(at - 3 < stop <= at and clauses[start] == clauses[at] for start, stop in others)
                and not _says_i(forms, at)
            ):
                continue
            if is_past or (is_told and sentence[at].is_quoted):
                continue
            yield Signal(
                category=phrase.category,
                level=phrase.level,
                phrase=phrase.text,
                words=text[sentence[at].start : sentence[end - 1].end],
                start=sentence[at].start,
                end=sentence[end - 1].end,
            )

    def _places(self, context: str, forms: list[tuple[str, ...]]) -> list[tuple[int, int]]:
        return [(at, end) for at, end, _ in self._contexts[context].found(forms)]


def _widest(found: list[Signal]) -> Iterable[Signal]:
    """Without what lies within a longer phrase of another category: "how to hang yourself" is no insult."""
    for each in found:
        if not any(
            other.category is not each.category
            and other.start <= each.start
            and each.end <= other.end
            and other.end - other.start > each.end - each.start
            for other in found
        ):
            yield each


def words_of(lists: Mapping[str, str]) -> Words:
    """Lists by the name that is told where one of them is wrong. Raises BadPhrase."""
    words = Words()
    for name, text in lists.items():
        words.add(name, text)
    return words


def _section(line: str, where: str) -> tuple[str, int]:
    head = _HEAD.fullmatch(line)
    if head is None:
        raise BadPhrase(f"{where}: a section is [category level] or [context], this is {line!r}")
    name, level = head.groups()
    if name in _CONTEXTS and level is None:
        return name, 0
    if name in set(Category) and level is not None:
        return name, int(level)
    known = ", ".join((*(f"{each} 1-3" for each in Category), *sorted(_CONTEXTS)))
    raise BadPhrase(f"{where}: there is no section {line}; there are: {known}")


def _needs(elements: tuple[_Element, ...]) -> frozenset[str]:
    """The words of the last element that is always there. Asking for them first is what keeps a long list cheap."""
    for element in reversed(elements):
        if not (element.is_gap or element.is_optional or element.beginnings):
            return element.words | element.runs.keys()
    return frozenset()


def _named(choices: str, names: Mapping[str, str], where: str) -> str:
    return _NAME.sub(lambda match: _choices_of(match[1], names, where), choices.strip())


def _choices_of(name: str, names: Mapping[str, str], where: str) -> str:
    if name not in names:
        raise BadPhrase(f"{where}: no line above says what ${name} is")
    return names[name]


def _elements(line: str, names: Mapping[str, str], where: str) -> tuple[_Element, ...]:
    found = []
    for part in _PART.findall(line.lower().replace("'", "")):
        if not part.startswith("("):
            part = _NAME.sub(lambda match: f"({_choices_of(match[1], names, where)})", part)  # noqa: PLW2901
        whole = _named(part, names, where)
        if _ELEMENT.fullmatch(whole) is None:
            raise BadPhrase(f"{where}: {part!r} is no word, (a|b), word*, word?, $name or ...")
        found.append(_element(whole, where))
    if not found or len(found) > _MOST_WORDS:
        raise BadPhrase(f"{where}: a phrase has one word to {_MOST_WORDS}")
    if found[0].is_gap or found[0].is_optional or found[-1].is_gap:
        raise BadPhrase(f"{where}: a phrase begins with a word that is always there, and ends with one")
    return tuple(found)


def _element(part: str, where: str) -> _Element:
    if part == "...":
        return _Element(frozenset(), (), {}, is_gap=True)
    choices = [choice.split() for choice in part.removesuffix("?").strip("()").split("|")]
    if [] in choices:
        raise BadPhrase(f"{where}: one of (a|b) is empty")
    if len(choices) > _MOST_CHOICES:
        raise BadPhrase(f"{where}: more than {_MOST_CHOICES} choices")
    runs: dict[str, tuple[tuple[str, ...], ...]] = {}
    for first, *others in choices:
        if others:
            runs[first] = (*runs.get(first, ()), tuple(others))
    single = [choice[0] for choice in choices if len(choice) == 1]
    beginnings = tuple(word.removesuffix("*") for word in single if word.endswith("*"))
    if any(len(beginning) < _SHORTEST_BEGINNING for beginning in beginnings):
        raise BadPhrase(f"{where}: what stands before * has at least {_SHORTEST_BEGINNING} letters")
    return _Element(
        frozenset(word for word in single if not word.endswith("*")), beginnings, runs, is_optional=part.endswith("?")
    )


def _misspelt(word: str) -> Iterable[str]:
    """A word with one letter missing, one doubled, or two in the wrong order. The first and the last stay."""
    for at in range(1, len(word) - 1):
        yield word[:at] + word[at + 1 :]
        yield word[:at] + word[at] + word[at:]
        if at < len(word) - 2:
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _is_masked(form: str, word: str) -> bool:
    return all(shown in ("*", letter) for shown, letter in zip(form, word, strict=True))


def _end_of(phrase: _Phrase, forms: list[tuple[str, ...]], at: int) -> int | None:
    """Where a phrase that starts at a word ends, at the latest; None where it is not there. Keeps every place at which
    it may stand, so that it takes no longer than its length times the text's."""
    last = len(forms)
    places = {at}
    for element in phrase.elements:
        if element.is_gap:
            places = {place + step for place in places for step in range(_GAP + 1) if place + step <= last}
            continue
        after = {end for place in places if place < last for end in element.ends(forms, place)}
        places = after | places if element.is_optional else after
        if not places:
            return None
    return max(places)


def _is_between(phrase: _Phrase, forms: list[tuple[str, ...]], negation: int, at: int, end: int) -> bool:
    """Whether a negation stands among the words of any kind: "he never hits me"."""
    if not at < negation < end or not any(element.is_gap for element in phrase.elements):
        return False
    return not any(element.says(form) for element in phrase.elements for form in forms[negation])


def _says_i(forms: list[tuple[str, ...]], at: int) -> bool:
    """Whether the writer is the nearest one that is spoken of."""
    return any("i" in forms[place] or "im" in forms[place] for place in range(max(0, at - 1), at + 1))


# ------------------------------------------------------------------------------------------------ the text


class _Token(msgspec.Struct, frozen=True):
    """A word as it may be meant, in small letters; and where it stands."""

    forms: tuple[str, ...]
    start: int
    end: int
    is_quoted: bool


_CHUNK: Final = re.compile(r"[^\s.,;:!?()\[\]{}\"“”«»/|<>~–—…\-]+(?:[!](?=\w))?[^\s.,;:!?()\[\]{}\"“”«»/|<>~–—…\-]*")  # noqa: RUF001
_CLAUSE: Final = re.compile(r"[,;:()–—]|\s-\s")  # noqa: RUF001
_CLAUSES: Final = frozenset({"but", "because", "cause", "cuz", "cos", "coz", "although", "though", "yet", "and", "so"})
"""What begins with one of these, or after such a mark, is not denied by what stands before it."""
_ENDS: Final = re.compile(r"[.!?;]\s|\n|\.{3}|…|[.!?]$")
_QUOTES: Final = re.compile('["“”«»]')
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_PLAIN: Final = re.compile(r"[a-z]+")
_LONG: Final = re.compile(r"([a-z])\1{2,}")
_LEET: Final = str.maketrans("013457@$!", "oieastasi")
_LEET_L: Final = str.maketrans("013457@$!", "oleastasl")
_APOSTROPHES: Final = str.maketrans("", "", "'’‘`´")  # noqa: RUF001
_LOOKALIKES: Final = str.maketrans("аеіорсухкѕԁ", "aeiopcyxksd")
"""Cyrillic small letters that stand for Latin ones. Texts in Cyrillic are not read as English by it: no word is."""


def _sentences(text: str) -> list[list[_Token]]:
    found: list[list[_Token]] = []
    offset = 0
    for line in text.splitlines(keepends=True):
        if not line.lstrip().startswith(">"):
            found.extend(_of_line(line, offset))
        offset += len(line)
    return found


def _clauses(text: str, sentence: list[_Token]) -> list[int]:
    """The number of the clause that each word is in."""
    found = [0]
    for before, token in pairwise(sentence):
        is_new = not _CLAUSES.isdisjoint(token.forms) or _CLAUSE.search(text, before.end, token.start) is not None
        found.append(found[-1] + is_new)
    return found


def _of_line(line: str, offset: int) -> list[list[_Token]]:
    marks = [match.start() for match in _QUOTES.finditer(line)]
    ends = [match.start() for match in _ENDS.finditer(line)]
    sentences: list[list[_Token]] = [[]]
    next_end = next_mark = 0
    letters: list[re.Match[str]] = []
    for match in _CHUNK.finditer(line):
        start = match.start()
        while next_mark < len(marks) and marks[next_mark] < start:
            next_mark += 1
        is_quoted = next_mark % 2 == 1 and len(marks) > next_mark
        is_letter = match.end() - start == 1 and match.group().isalnum()
        if letters and not (is_letter and start - letters[-1].end() <= 2):
            _join(letters, sentences[-1], offset, is_quoted=is_quoted)
            letters = []
        if not is_letter:
            while next_end < len(ends) and ends[next_end] < start:
                next_end += 1
                if sentences[-1]:
                    sentences.append([])
            if forms := _forms(match.group()):
                sentences[-1].append(_Token(forms, offset + start, offset + match.end(), is_quoted))
        else:
            if not letters:
                while next_end < len(ends) and ends[next_end] < start:
                    next_end += 1
                    if sentences[-1]:
                        sentences.append([])
            letters.append(match)
    if letters:
        _join(letters, sentences[-1], offset, is_quoted=False)
    return [sentence for sentence in sentences if sentence]


def _join(letters: list[re.Match[str]], into: list[_Token], offset: int, *, is_quoted: bool) -> None:
    """Letters one by one: "d i e" is a word, "i a" are two; "i k m s" is either."""
    if len(letters) < 3:
        into.extend(
            _Token(_forms(each.group()), offset + each.start(), offset + each.end(), is_quoted) for each in letters
        )
        return
    if letters[0].group().lower() == "i":
        into.append(_Token(("i",), offset + letters[0].start(), offset + letters[0].end(), is_quoted))
        letters = letters[1:]
    word = "".join(each.group() for each in letters)
    into.append(_Token(_forms(word), offset + letters[0].start(), offset + letters[-1].end(), is_quoted))


def _forms(word: str) -> tuple[str, ...]:
    plain = word.lower()
    if _PLAIN.fullmatch(plain) and not _LONG.search(plain):
        return (plain,)
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKD", plain)).translate(_APOSTROPHES)
    plain = "".join(char for char in plain if not unicodedata.combining(char)).translate(_LOOKALIKES)
    forms = {plain}
    if any(char.isalpha() for char in plain):
        forms |= {plain.translate(_LEET), plain.translate(_LEET_L)}
    if plain.count("*") == 1 and len(plain) > 2:
        forms |= {plain.replace("*", vowel) for vowel in "aeiou"}
    for form in [*forms]:
        if _LONG.search(form):
            forms |= {_LONG.sub(r"\1", form), _LONG.sub(r"\1\1", form)}
    return tuple(sorted(form for form in forms if form))
