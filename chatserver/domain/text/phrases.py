"""Phrases that an operator can read and change, and where they stand in a sentence.

Pure. A phrase is words; `(a|b c)` is either, `word?` may be missing, `word*` begins so, `...` is up to three words of
any kind, `$name` is the choice that an earlier line `$name = a|b c` of the same list gives. There are no regular
expressions in it.

All places of a sentence are tried at once: a set of places is an integer with a bit for each, so that a phrase costs a
few operations for each of its elements, however often its words stand there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from chatserver.domain.text.needs import Need, Needs, bits

SHORTEST_BEGINNING: Final = 3
_MOST_WORDS: Final = 16
_MOST_CHOICES: Final = 256
_GAP: Final = 3
_NAME: Final = re.compile(r"\$([a-z_]+)")
_PART: Final = re.compile(r"\([^()]*\)\S*|\S+")
_ELEMENT: Final = re.compile(r"\([a-z0-9|* ]+\)\??|[a-z0-9]+\*?\??|\.\.\.")


class BadPhrase(ValueError):
    """A list that cannot be used. The message has file and line."""


class Effort:
    """The work that one text may still cause, counted in steps, so that the same text always ends at the same place.

    A step is an operation on the words of a sentence, about a quarter of a microsecond.
    """

    __slots__ = ("is_spent", "left")

    def __init__(self, steps: int) -> None:
        self.left = steps
        self.is_spent = False
        """Whether something could not be done."""

    def take(self, steps: int) -> bool:
        """Take some steps, and return whether they were available."""
        if self.left < steps:
            self.is_spent = True
            return False
        self.left -= steps
        return True


class Element(msgspec.Struct, frozen=True):
    """One word of a phrase, or a gap. `runs` are its choices of several words. Equal ones are the same object."""

    words: frozenset[str]
    beginnings: tuple[str, ...]
    runs: dict[str, tuple[tuple[str, ...], ...]]
    """Choices of several words, by their first words."""
    is_optional: bool = False
    is_gap: bool = False

    def says(self, word: str) -> bool:
        """Return whether the word is one of the element's, alone or in a run."""
        return word in self.words or any(word in run for run in self.all_runs())

    def all_runs(self) -> Iterator[tuple[str, ...]]:
        """Yield the element's choices of several words."""
        for runs in self.runs.values():
            yield from runs

    def with_runs(self, more: Iterable[tuple[str, ...]]) -> Element:
        """Return the element with more choices of several words."""
        return Element(self.words, self.beginnings, _runs((*self.all_runs(), *more)), self.is_optional, self.is_gap)


class Phrase(msgspec.Struct, frozen=True):
    """A line of a list. `kind` is its section, `number` its place among all; `is_of_others` says that it speaks of
    somebody other than the author."""

    text: str
    elements: tuple[Element, ...]
    kind: str
    level: int
    number: int
    is_of_others: bool = False


# ------------------------------------------------------------------------------------------------ reading a line


def choices_of(choices: str, names: Mapping[str, str], where: str) -> str:
    """Return choices with every `$name` in them replaced by its value. Raises BadPhrase."""
    return _NAME.sub(lambda match: _named(match[1], names, where), choices.strip())


def elements_of(line: str, names: Mapping[str, str], where: str) -> tuple[Element, ...]:
    """Return the elements of a phrase. Raises BadPhrase, which begins with `where`."""
    found = []
    for part in _PART.findall(line.lower().replace("'", "")):
        if not part.startswith("("):
            part = _NAME.sub(lambda match: f"({_named(match[1], names, where)})", part)  # noqa: PLW2901
        whole = choices_of(part, names, where)
        if _ELEMENT.fullmatch(whole) is None:
            raise BadPhrase(f"{where}: {part!r} is no word, (a|b), word*, word?, $name or ...")
        found.append(_element(whole, where))
    if not found or len(found) > _MOST_WORDS:
        raise BadPhrase(f"{where}: a phrase has one word to {_MOST_WORDS}")
    if found[0].is_gap or found[0].is_optional or found[-1].is_gap:
        raise BadPhrase(f"{where}: a phrase begins with a word that is always there, and ends with one")
    return tuple(found)


def _named(name: str, names: Mapping[str, str], where: str) -> str:
    if name not in names:
        raise BadPhrase(f"{where}: no line above says what ${name} is")
    return names[name]


def _element(part: str, where: str) -> Element:
    if part == "...":
        return Element(frozenset(), (), {}, is_gap=True)
    choices = [choice.split() for choice in part.removesuffix("?").strip("()").split("|")]
    if [] in choices:
        raise BadPhrase(f"{where}: one of (a|b) is empty")
    if len(choices) > _MOST_CHOICES:
        raise BadPhrase(f"{where}: more than {_MOST_CHOICES} choices")
    single = [choice[0] for choice in choices if len(choice) == 1]
    beginnings = tuple(word.removesuffix("*") for word in single if word.endswith("*"))
    if any(len(beginning) < SHORTEST_BEGINNING for beginning in beginnings):
        raise BadPhrase(f"{where}: what stands before * has at least {SHORTEST_BEGINNING} letters")
    return Element(
        frozenset(word for word in single if not word.endswith("*")),
        beginnings,
        _runs(tuple(choice) for choice in choices if len(choice) > 1),
        is_optional=part.endswith("?"),
    )


def _runs(choices: Iterable[tuple[str, ...]]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return choices of several words by their first words."""
    runs: dict[str, tuple[tuple[str, ...], ...]] = {}
    for choice in choices:
        runs[choice[0]] = (*runs.get(choice[0], ()), choice)
    return runs


# ------------------------------------------------------------------------------------------------ a sentence

Spots = tuple[int, tuple[tuple[int, int], ...]]
"""The places where an element begins: as one word, and as runs, each with its length in words."""


class Sentence:
    """A sentence's words, each in the forms that it may stand for, by their places."""

    __slots__ = ("_effort", "_full", "_places", "_spots", "forms", "words")

    def __init__(self, forms: Sequence[tuple[str, ...]], effort: Effort) -> None:
        self.forms = forms
        places: dict[str, int] = {}
        bit = 1
        for each in forms:
            for form in each:
                places[form] = places.get(form, 0) | bit
            bit <<= 1
        self._places = places
        self.words = frozenset(places)
        self._effort = effort
        self._full = (1 << len(forms) + 1) - 1
        self._spots: dict[int, Spots] = {}
        """By the identity of the element: the lists outlive every sentence, and share equal elements."""

    def starts(self, phrase: Phrase) -> int:
        """Return the places at which a phrase begins, as bits."""
        ends = self._forward(phrase, self._full)
        return self._backward(phrase, ends) if ends else 0

    def end(self, phrase: Phrase, at: int) -> int:
        """Return where a phrase that begins at a place ends, at the latest. 0: the allowed work is used up."""
        return max(0, self._forward(phrase, 1 << at).bit_length() - 1)

    def _forward(self, phrase: Phrase, places: int) -> int:
        if not self._effort.take(len(phrase.elements)):
            return 0
        for element in phrase.elements:
            if element.is_gap:
                for _ in range(_GAP):
                    places |= places << 1
                places &= self._full
                continue
            single, runs = self._spots_of(element)
            after = (places & single) << 1
            for spots, length in runs:
                after |= (places & spots) << length
            places = after | places if element.is_optional else after
            if not places:
                return 0
        return places

    def _backward(self, phrase: Phrase, places: int) -> int:
        for element in reversed(phrase.elements):
            if element.is_gap:
                for _ in range(_GAP):
                    places |= places >> 1
                continue
            single, runs = self._spots_of(element)
            before = (places >> 1) & single
            for spots, length in runs:
                before |= (places >> length) & spots
            places = before | places if element.is_optional else before
        return places

    def _spots_of(self, element: Element) -> Spots:
        spots = self._spots.get(id(element))
        if spots is None:
            spots = self._spots[id(element)] = self._find(element)
        return spots

    def _find(self, element: Element) -> Spots:
        places = self._places
        single = 0
        for word in element.words & self.words:
            single |= places[word]
        if element.beginnings:
            for word, at in places.items():
                if word.startswith(element.beginnings):
                    single |= at
        runs = []
        if element.runs:
            for first in self.words & element.runs.keys():
                for run in element.runs[first]:
                    spots = places[first]
                    for step, word in enumerate(run[1:], start=1):
                        spots &= places.get(word, 0) >> step
                    if spots:
                        runs.append((spots, len(run)))
        self._effort.take(2 + len(runs))
        return single, tuple(runs)


class Index:
    """Phrases by the words that a sentence must contain for them."""

    def __init__(self, phrases: Iterable[Phrase], misspelt: Mapping[str, str]) -> None:
        """`misspelt` says of wrong words which right one they may mean."""
        self._phrases = sorted(phrases, key=lambda phrase: (-phrase.level, phrase.number))
        common = common_words(element for phrase in self._phrases for element in phrase.elements)
        self._needs = Needs([[*_needs_of(phrase.elements)] for phrase in self._phrases], common, misspelt)
        self.words = frozenset(common)
        """Every word of the phrases."""

    def possible(self, words: Sequence[str], odd: Collection[str]) -> list[Phrase]:
        """Return the phrases that can be in a text with these words in this order, and with the `odd` ones anywhere,
        the most serious first."""
        return [self._phrases[place] for place in bits(self._needs.lacking_nothing(words, odd))]

    def candidates(self, forms: Sequence[tuple[str, ...]]) -> list[Phrase]:
        """Return the phrases that may be in a sentence with words of these forms, the most serious first."""
        words = [each[0] if len(each) == 1 else "" for each in forms]
        odd = {form for each in forms if len(each) > 1 for form in each}
        return self.possible(words, odd)

    @staticmethod
    def found(sentence: Sentence, phrase: Phrase) -> Iterator[tuple[int, int]]:
        """Yield where a phrase starts and ends in a sentence."""
        for at in bits(sentence.starts(phrase)):
            end = sentence.end(phrase, at)
            if end:
                yield at, end


def common_words(elements: Iterable[Element]) -> Counter[str]:
    """Return in how many elements each word stands."""
    return Counter(
        word for element in elements for word in (*element.words, *{word for run in element.all_runs() for word in run})
    )


def _needs_of(elements: Iterable[Element]) -> Iterator[Need]:
    for element in elements:
        if not (element.is_gap or element.is_optional):
            yield Need(element.words, element.beginnings, tuple(element.all_runs()))
