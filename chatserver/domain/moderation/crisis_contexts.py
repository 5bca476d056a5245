"""The words around a phrase, which may mean that the author does not say it of themselves.

Pure. The sections of the lists that are read here hold what cancels a signal; `docs/safety.md` says what each does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from chatserver.domain.moderation.crisis_categories import Category
from chatserver.domain.text.phrases import Phrase, Sentence

CONTEXTS: Final = frozenset({"idiom", "negation", "not_negation", "others", "report", "fiction", "past", "present"})
_NEGATION_REACHES: Final = 5
_OTHERS_REACH: Final = 3

Places = dict[str, list[tuple[int, int]]]
"""Where the phrases of each context stand: from a word up to before another."""


class Around:
    """The words around a phrase in its sentence, which may mean that the author does not say it of themselves."""

    def __init__(self, places: Places, sentence: Sentence, clause: list[int]) -> None:
        self._forms = sentence.forms
        self._clause = clause
        self._is_fiction = bool(places["fiction"])
        self._is_past = bool(places["past"]) and not places["present"]
        self._is_told = bool(places["report"])
        self._idioms = _covered(places["idiom"])
        no_negations = _covered(places["not_negation"])
        self._negations = _by_end((at, end) for at, end in places["negation"] if not no_negations >> at & 1)
        self._denials = 0
        for starts in self._negations.values():
            for start in starts:
                self._denials |= 1 << start
        self._others = _by_end(places["others"])

    def excuses(self, at: int, end: int, phrase: Phrase, *, is_quoted: bool) -> bool:
        """Return whether a phrase between two places is not what the author says of themselves now."""
        if self._is_fiction or self._is_past or (self._is_told and is_quoted) or self._idioms & _span(at, end):
            return True
        if self._is_before(self._negations, at, _NEGATION_REACHES) or self._is_between(at, end, phrase):
            return True
        is_own = phrase.kind == Category.SELF_HARM and phrase.level > 1
        return is_own and self._is_before(self._others, at, _OTHERS_REACH) and not self._says_i(at)

    def _is_before(self, found: Mapping[int, Sequence[int]], at: int, reach: int) -> bool:
        """Return whether one of the findings ends shortly before a place, and began in the same clause."""
        return any(
            self._clause[start] == self._clause[at]
            for end in range(at - reach + 1, at + 1)
            for start in found.get(end, ())
        )

    def _is_between(self, at: int, end: int, phrase: Phrase) -> bool:
        """Return whether a negation stands among the words of any kind: "he never hits me"."""
        if not self._denials & _span(at + 1, end) or not any(element.is_gap for element in phrase.elements):
            return False
        return any(
            not any(element.says(form) for element in phrase.elements for form in self._forms[start])
            for start in range(at + 1, end)
            if self._denials >> start & 1
        )

    def _says_i(self, at: int) -> bool:
        """Return whether the author is the nearest person mentioned."""
        return any("i" in self._forms[place] or "im" in self._forms[place] for place in range(max(0, at - 1), at + 1))


def _span(start: int, end: int) -> int:
    return (1 << max(start, end)) - (1 << start)


def _covered(places: Iterable[tuple[int, int]]) -> int:
    covered = 0
    for start, end in places:
        covered |= _span(start, end)
    return covered


def _by_end(places: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for start, end in places:
        found.setdefault(end, []).append(start)
    return found
