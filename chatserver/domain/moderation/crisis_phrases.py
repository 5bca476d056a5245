"""Words of crisis and of harm in a text, found by phrases that an operator can read and change.

Pure. A signal is an offer of help and a call for a human, never a punishment: it will be wrong at times, in both
directions. How a phrase is written is in `domain/text/phrases.py`, how a text is read in `domain/text/tokens.py`. The
work for one text is bounded in steps, so that the same text always ends at the same place: `docs/decisions/0122`.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from typing import Final

import msgspec

from chatserver.domain.moderation.crisis_categories import CARED_FOR, ESCALATED, URGENT, Category, Concern
from chatserver.domain.moderation.crisis_contexts import CONTEXTS, Around, Places
from chatserver.domain.text import folding
from chatserver.domain.text.needs import bits
from chatserver.domain.text.phrases import (
    BadPhrase,
    Effort,
    Element,
    Index,
    Phrase,
    Sentence,
    choices_of,
    elements_of,
)
from chatserver.domain.text.tokens import (
    Glance,
    Reader,
    Token,
    clauses,
    forms_of,
    glance,
    has_other_forms,
    is_plain,
)

__all__ = [
    "CARED_FOR",
    "ESCALATED",
    "LANGUAGE",
    "URGENT",
    "BadPhrase",
    "Category",
    "Concern",
    "Screening",
    "Signal",
    "Words",
    "words_of",
]


LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})?")


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One finding. `level` is 1 (offer help), 2 (somebody should look) or 3 (now); `phrase` is the line of the list
    that fired, `words` the words that match it, from `start` up to before `end` (code points). Where the model speaks
    there is its `score`, and whether it takes the words for urgent."""

    category: Category | Concern
    level: int
    phrase: str
    words: str
    start: int
    end: int
    score: float | None = None
    is_pressing: bool = False


class Screening(msgspec.Struct, frozen=True):
    """The findings in a text, at most one signal of each category, the most serious first; whether the text was read to
    its end; and how many steps that took."""

    signals: tuple[Signal, ...]
    is_whole: bool = True
    steps: int = 0


MOST_STEPS: Final = 4_000
"""Steps for one text. Two thousand characters of ordinary talk take a quarter of it, the worst that a search found
2,300."""
MOST_MASKED: Final = 16
"""Masked words of one text, each counted once, that are compared with the lists."""
MOST_MEANT: Final = 8
"""The most words that a masked word may stand for. One that could be more means nothing."""
MOST_TRIED: Final = 16
"""Phrases of one text that are tried on its bare words, before it is read."""
MOST_BARE: Final = 150
"""Words of a text on which phrases are tried so."""
MOST_FOUND: Final = 96
"""Phrases of one text whose surroundings are examined."""
_A_SENTENCE: Final = 12
"""Steps that the beginning of a sentence costs."""
_SHORTEST_MISSPELT: Final = 6
_SHORTEST_SWAPPED: Final = 4
"""Letters of a word that is recognised with two neighbouring letters in the wrong order, "wnat"."""
_HEAD: Final = re.compile(r"\[([a-z_]+)(?: ([123])( others)?)?\]")
_NAMED: Final = re.compile(r"\$([a-z_]+) *=(.*)")
_MISSPELT: Final = "misspelt"
"""The section of words that are often written in another way."""
_ANOTHER_WAY: Final = re.compile(r"([a-z0-9]+) *= *([a-z0-9]+(?: [a-z0-9]+)*(?: *\| *[a-z0-9]+(?: [a-z0-9]+)*)*)")


class _Section(msgspec.Struct, frozen=True):
    """What a phrase is by the section that it stands in."""

    kind: str
    level: int = 0
    is_of_others: bool = False


_Line = tuple[str, tuple[Element, ...], _Section]
"""A phrase as it is written, its elements and its section."""


class Words:
    """The lists of some languages, ready to be asked."""

    def __init__(self) -> None:
        folding.warm_up()
        self._lines: list[_Line] = []
        self._elements: dict[str, Element] = {}
        """Elements by their source text, so that equal ones are the same object."""
        self._known: set[str] = set()
        self._misspelt: dict[str, str] = {}
        self._respelt: dict[str, str] = {}
        """Words that the lists say are another word: "lif" is "life"."""
        self._apart: dict[str, list[tuple[str, ...]]] = {}
        """Words that the lists say are written as several: "my self"."""
        self._alike: dict[tuple[str, int], list[str]] = {}
        """Words by first letter and length."""
        self.signals = Index((), {})
        self.contexts = Index((), {})
        self._ordinary: frozenset[str] = frozenset()

    @property
    def count(self) -> int:
        """Return how many phrases there are."""
        return len(self._lines)

    def add(self, name: str, text: str) -> None:
        """Read one list. Raises BadPhrase, which says `name` and the line."""
        section: _Section | None = None
        names: dict[str, str] = {}
        for number, raw in enumerate(text.splitlines(), start=1):
            line = raw.split("#", 1)[0].strip()
            if not line:
                continue
            if line.startswith("["):
                section = _section(line, f"{name}:{number}")
                continue
            if (named := _NAMED.fullmatch(line)) is not None:
                names[named[1]] = choices_of(named[2], names, f"{name}:{number}")
                continue
            if section is None:
                raise BadPhrase(f"{name}:{number}: a phrase before the first [section]")
            if section.kind == _MISSPELT:
                self._respell(line, f"{name}:{number}")
                continue
            elements = tuple(
                self._elements.setdefault(repr(each), each) for each in elements_of(line, names, f"{name}:{number}")
            )
            self._lines.append((line, elements, section))
            self._learn(elements)
        self._sort()

    def _respell(self, line: str, where: str) -> None:
        """Remember in which other ways a word is written."""
        found = _ANOTHER_WAY.fullmatch(line.lower())
        if found is None:
            raise BadPhrase(f"{where}: a line of [{_MISSPELT}] is a word = other way|another, not {line!r}")
        for other in found[2].split("|"):
            parts = tuple(other.split())
            if len(parts) > 1:
                self._apart.setdefault(found[1], []).append(parts)
            else:
                self._respelt[parts[0]] = found[1]

    def _learn(self, elements: tuple[Element, ...]) -> None:
        """Remember the words of a phrase, and how they are misspelt and masked."""
        found = {word for each in elements for word in each.words}
        found.update(word for each in elements for run in each.all_runs() for word in run)
        for word in found - self._known:
            self._known.add(word)
            self._alike.setdefault((word[0], len(word)), []).append(word)
            if len(word) >= _SHORTEST_MISSPELT:
                for wrong in _misspelt(word):
                    self._misspelt.setdefault(wrong, word)
            elif len(word) >= _SHORTEST_SWAPPED:
                for wrong in _swapped(word):
                    self._misspelt.setdefault(wrong, word)

    def _sort(self) -> None:
        phrases = [
            Phrase(
                line, tuple(map(self._with_apart, elements)), section.kind, section.level, number, section.is_of_others
            )
            for number, (line, elements, section) in enumerate(self._lines)
        ]
        self._misspelt = {wrong: word for wrong, word in self._misspelt.items() if wrong not in self._known}
        self._misspelt.update((wrong, word) for wrong, word in self._respelt.items() if word in self._known)
        self.signals = Index((each for each in phrases if each.kind not in CONTEXTS), self._misspelt)
        self.contexts = Index((each for each in phrases if each.kind in CONTEXTS), self._misspelt)
        self._ordinary = frozenset(word for word in (*self._known, *self._misspelt) if not has_other_forms(word))

    def _with_apart(self, element: Element) -> Element:
        """Return an element with its words also as they are written apart. Equal ones stay the same object."""
        runs = [run for word in sorted(element.words) for run in self._apart.get(word, ())]
        for run in element.all_runs():
            for at, word in enumerate(run):
                runs += [(*run[:at], *parts, *run[at + 1 :]) for parts in self._apart.get(word, ())]
        if not runs:
            return element
        whole = element.with_runs(runs)
        return self._elements.setdefault(repr(whole), whole)

    # ------------------------------------------------------------------------------------------ reading a text

    def screen(self, text: str) -> tuple[Signal, ...]:
        """Return what is found, at most one signal of each category, the most serious first."""
        return self.read(text).signals

    def read(self, text: str) -> Screening:
        """Return what is found, and whether all of the text could be looked at."""
        reading = self.begin(text)
        for _ in reading.parts():
            pass
        return reading.result

    def begin(self, text: str) -> Reading:
        """Return a reading of a text that is done in parts, with other work in between."""
        return Reading(self, text)

    def glance(self, text: str, folded: str) -> Glance | None:
        """Return the words that a text may hold. None if it has to be read to say which these are, or because it has so
        many masked words that this would have to be told."""
        seen = glance(text, folded, self._ordinary)
        if seen is None or not seen.odd:
            return seen
        masked = [form for form in seen.odd if "*" in form]
        if len(masked) > MOST_MASKED:
            return None
        seen.odd.update(word for form in masked for word in self.masked(form))
        return seen

    def meant(self, form: str) -> str | None:
        """Return the word of the lists of which this may be a misspelling."""
        return self._misspelt.get(form)

    def masked(self, form: str) -> list[str]:
        """Return the words of the lists that this may mask, "f**k"."""
        if form in self._known or form[0] == "*" or form.count("*") >= len(form) - 1:
            return []
        found = self._alike.get((form[0], len(form)), [])
        for place, letter in enumerate(form):
            if letter != "*":
                found = [word for word in found if word[place] == letter]
        return found if len(found) <= MOST_MEANT else []


class Reading:
    """One text that is being read, and its remaining steps. `result` is complete when `parts` has ended."""

    def __init__(self, words: Words, text: str) -> None:
        self._words = words
        self._text = text
        self._effort = Effort(MOST_STEPS)
        self._meant: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._best: dict[Category | Concern, Signal] = {}
        self._masked = 0
        self._found = 0

    @property
    def result(self) -> Screening:
        signals = tuple(sorted(self._best.values(), key=lambda each: -each.level))
        return Screening(signals, not self._effort.is_spent, MOST_STEPS - self._effort.left)

    def parts(self) -> Iterator[None]:
        """Read the text; yield after each of many small parts."""
        folded = folding.fold(self._text)
        yield
        at_once = self._words.glance(self._text, folded)
        if at_once is not None:
            possible = self._words.signals.possible(*at_once)
            if not possible:
                return
            yield
            if self._is_worth_trying(at_once, possible) and not (yield from self._may_hold(at_once, possible)):
                return
        yield
        seen: set[tuple[str, bool, bool]] = set()
        for tokens in Reader(self._text).sentences():
            if tokens is None:
                yield
                continue
            first, last = tokens[0], tokens[-1]
            key = (self._text[first.start : last.end], first.is_quoted, last.is_quoted)
            if key in seen:
                # The same sentence again.
                continue
            seen.add(key)
            if not self._effort.take(len(tokens)):
                break
            yield from self._read(tokens)
            yield

    def _is_worth_trying(self, seen: Glance, phrases: list[Phrase]) -> bool:
        return len(phrases) <= MOST_TRIED and len(seen.words) <= MOST_BARE and is_plain(self._text)

    def _may_hold(self, seen: Glance, phrases: list[Phrase]) -> Generator[None, None, bool]:
        """Return whether one of these phrases can be among the words of a plain text, read as one sentence."""
        forms = {word: self._forms_of(word) for word in set(seen.words)}
        yield
        sentence = Sentence([forms[word] for word in seen.words], Effort(MOST_STEPS))
        yield
        for phrase in phrases:
            if sentence.starts(phrase):
                return True
            yield
        return False

    def _read(self, tokens: list[Token]) -> Iterator[None]:
        forms = [self._with_meant(token.forms) for token in tokens]
        yield
        candidates = self._words.signals.candidates(forms)
        if not candidates:
            return
        yield
        self._effort.take(_A_SENTENCE + len(tokens))
        sentence = Sentence(forms, self._effort)
        yield
        found: list[tuple[int, int, Phrase]] = []
        # The most serious first.
        for phrase in candidates:
            for place in self._places(sentence, phrase):
                found.append(place)
                yield
            yield
        if found:
            yield from self._keep(tokens, sentence, sorted(found, key=lambda each: (each[0], each[2].number)))

    def _places(self, sentence: Sentence, phrase: Phrase) -> Iterator[tuple[int, int, Phrase]]:
        for at in bits(sentence.starts(phrase)):
            end = sentence.end(phrase, at)
            if self._found == MOST_FOUND:
                self._effort.is_spent = True
                return
            if end:
                self._found += 1
                yield at, end, phrase

    def _keep(self, tokens: list[Token], sentence: Sentence, found: list[tuple[int, int, Phrase]]) -> Iterator[None]:
        """Keep of a sentence's findings those that the author says, at most one of each category."""
        yield
        clause = clauses(self._text, tokens)
        yield
        places: Places = {name: [] for name in CONTEXTS}
        for phrase in self._words.contexts.candidates(sentence.forms):
            for place in self._words.contexts.found(sentence, phrase):
                places[phrase.kind].append(place)
                yield
            yield
        around = Around(places, sentence, clause)
        signals = []
        for at, end, phrase in found:
            yield
            level = around.level(at, end, phrase, is_quoted=tokens[at].is_quoted)
            if level:
                start, until = tokens[at].start, tokens[end - 1].end
                signals.append(
                    Signal(
                        category=Category(phrase.kind),
                        level=level,
                        phrase=phrase.text,
                        words=self._text[start:until],
                        start=start,
                        end=until,
                    )
                )
        for signal in signals:
            yield
            if _is_within_another(signal, signals):
                continue
            known = self._best.get(signal.category)
            if known is None or known.level < signal.level:
                self._best[signal.category] = signal

    def _forms_of(self, word: str) -> tuple[str, ...]:
        """Return what a word of small letters and digits may stand for."""
        if has_other_forms(word):
            return self._with_meant(forms_of(word))
        meant = self._words.meant(word)
        return (word,) if meant is None else (word, meant)

    def _with_meant(self, forms: tuple[str, ...]) -> tuple[str, ...]:
        """Return the forms with the words that they may be misspellings, "sucide", or maskings, "f**k", of."""
        meant = self._meant.get(forms)
        if meant is None:
            more: list[str] = []
            for form in forms:
                if (word := self._words.meant(form)) is not None:
                    more.append(word)
                elif "*" in form:
                    more += self._unmasked(form)
            meant = self._meant[forms] = (*forms, *more) if more else forms
        return meant

    def _unmasked(self, form: str) -> list[str]:
        if self._masked == MOST_MASKED:
            self._effort.is_spent = True
            return []
        self._masked += 1
        return self._words.masked(form)


def words_of(lists: Mapping[str, str]) -> Words:
    """Return the lists, each by the name that is reported if it is wrong. Raises BadPhrase."""
    words = Words()
    for name, text in lists.items():
        words.add(name, text)
    return words


def _section(line: str, where: str) -> _Section:
    head = _HEAD.fullmatch(line)
    if head is None:
        raise BadPhrase(f"{where}: a section is [category level], [category level others] or [context], not {line!r}")
    name, level, others = head.groups()
    if (name in CONTEXTS or name == _MISSPELT) and level is None:
        return _Section(name)
    if name in set(Category) and level is not None:
        return _Section(name, int(level), others is not None)
    known = ", ".join((*(f"{each} 1-3" for each in Category), *sorted(CONTEXTS), _MISSPELT))
    raise BadPhrase(f"{where}: there is no section {line}; there are: {known}")


def _misspelt(word: str) -> Iterator[str]:
    """Give a word with one letter missing, one doubled, or two in the wrong order. The first and the last stay, except
    in "killin"."""
    if word.endswith("ing"):
        yield word[:-1]
    for at in range(1, len(word) - 1):
        yield word[:at] + word[at + 1 :]
        yield word[:at] + word[at] + word[at:]
    yield from _swapped(word)


def _swapped(word: str) -> Iterator[str]:
    """Give a word with two neighbouring letters in the wrong order. The first and the last stay."""
    for at in range(1, len(word) - 2):
        yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _is_within_another(signal: Signal, found: list[Signal]) -> bool:
    """Return whether a finding lies within a longer phrase of another category: "how to hang yourself" is no insult."""
    return any(
        other.start <= signal.start
        and signal.end <= other.end
        and other.category is not signal.category
        and other.end - other.start > signal.end - signal.start
        for other in found
    )
