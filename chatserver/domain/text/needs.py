"""Proof that a phrase cannot be in a text, from the text's words alone.

Pure. Each phrase needs a word, or two neighbouring words, of each of some sets. A word's mask is an integer with a bit
for each set that the word is in, so that joining the masks of a text's words tells at once, for all phrases, which of
them lack nothing. Only those have to be looked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import Final

import msgspec

_LAYERS: Final = 5
"""Needs of one phrase that are compared, the rarest first. Few phrases have more."""

Run = tuple[str, ...]


class Need(msgspec.Struct, frozen=True):
    """One of these stands in every text that contains a phrase: a word, a word that begins so, or some words in a
    row."""

    words: frozenset[str]
    beginnings: tuple[str, ...]
    runs: tuple[Run, ...]


class Needs:
    """The needs of many phrases. A phrase is known by its place among them."""

    def __init__(
        self, phrases: Sequence[Sequence[Need]], common: Mapping[str, int], misspelt: Mapping[str, str]
    ) -> None:
        """`common` says how usual each word is: of the needs and of the runs' pairs the rarest are compared. `misspelt`
        says of wrong words which right one they may mean."""
        self._count = len(phrases)
        self._masks: dict[str | tuple[str, str], int] = {}
        self._in_runs: dict[str, int] = {}
        """For a word that is not written plainly: its own bits, and those of every run that it is in."""
        self._begun: list[tuple[str, int]] = []
        self._full = (1 << self._count) - 1
        self._fill = 0
        for place, needs in enumerate(phrases):
            rarest = sorted(needs, key=lambda need: _frequency(need, common))[:_LAYERS]
            for layer in range(_LAYERS):
                bit = 1 << layer * self._count + place
                if layer < len(rarest):
                    self._add(rarest[layer], bit, common)
                else:
                    self._fill |= bit
        self._heads = frozenset(beginning[:3] for beginning, _ in self._begun)
        for word in common:
            begun = self._of_beginning(word)
            self._masks[word] = self._masks.get(word, 0) | begun
            self._in_runs[word] = self._in_runs.get(word, 0) | begun
        for wrong, word in misspelt.items():
            # Its neighbours are not looked at either.
            mask, begun = (
                self._in_runs.get(word, 0) | self._in_runs.get(wrong, 0),
                self._of_beginning(wrong) | self._of_beginning(word),
            )
            # Where nothing is added, the same integer serves all misspellings of a word.
            self._masks[wrong] = self._in_runs[wrong] = mask | begun if begun else mask

    def _add(self, need: Need, bit: int, common: Mapping[str, int]) -> None:
        for word in need.words:
            self._masks[word] = self._masks.get(word, 0) | bit
            self._in_runs[word] = self._in_runs.get(word, 0) | bit
        for run in need.runs:
            pair = min(pairwise(run), key=lambda pair: (common[pair[0]] + common[pair[1]], pair))
            self._masks[pair] = self._masks.get(pair, 0) | bit
            for word in run:
                self._in_runs[word] = self._in_runs.get(word, 0) | bit
        self._begun += [(beginning, bit) for beginning in need.beginnings]

    def lacking_nothing(self, words: Sequence[str], odd: Collection[str] = ()) -> int:
        """Return, as bits, the phrases that may be in a text with these words in this order, and with the `odd` ones
        anywhere: forms of words that are disguised, whose neighbours are not looked at."""
        distinct = set(words)
        masks = self._masks
        found = reduce(or_, filter(None, map(masks.get, distinct)), self._fill)
        found = reduce(or_, filter(None, map(masks.get, pairwise(words))), found)
        others = distinct.difference(masks)
        if odd:
            others.update(odd)
            for form in odd:
                found |= self._in_runs.get(form, 0)
        for word in others:
            if word[:3] in self._heads:
                found |= self._of_beginning(word)
        count = self._count
        whole = found & (found >> count)
        return whole & (whole >> 2 * count) & (found >> 4 * count) & self._full

    def _of_beginning(self, word: str) -> int:
        if word[:3] not in self._heads:
            return 0
        return reduce(or_, (bit for beginning, bit in self._begun if word.startswith(beginning)), 0)


def _frequency(need: Need, common: Mapping[str, int]) -> int:
    runs = sum(min(common[word] for word in run) for run in need.runs)
    return sum(common[word] for word in need.words) + runs


def bits(number: int) -> Iterator[int]:
    """Yield the places of the bits that are set, from the lowest."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
