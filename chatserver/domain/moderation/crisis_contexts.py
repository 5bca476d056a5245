"""The words around a phrase, which may mean that the author does not say it of themselves now.

Pure. A context holds for its clause, and lowers a signal by one level or, where it stands directly at the phrase, by
more; the reasons and the table are in `docs/decisions/0190`. `docs/safety.md` says what each section of the lists does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from chatserver.domain.moderation.crisis_categories import CARED_FOR, URGENT, Category
from chatserver.domain.text.phrases import Phrase, Sentence

CONTEXTS: Final = frozenset(
    {"idiom", "joke", "negation", "not_negation", "others", "general", "report", "fiction", "past", "present", "over"}
)
_NEGATION_REACHES: Final = 5
_DIRECTLY: Final = 3
"""A negation that ends at most two words before a phrase denies the phrase itself."""
_OTHERS_REACH: Final = 3
_JOKE_REACHES: Final = 3
"""Words from the end of a phrase up to the end of a joke about it."""
_OPENING: Final = 2
"""The first words of a sentence. A past that stands in them holds for the next clause, too: "ten years ago, I"."""
_AUTHOR: Final = frozenset({"i", "im", "ive", "id", "ill"})
_SAYING: Final = frozenset({"think", "thinking", "believe", "that", "say", "said", "saying", "mean", "means", "like"})
"""A denial of these reaches the author's words after them: "I don't think I want to die"."""

Places = dict[str, list[tuple[int, int]]]
"""Where the phrases of each context stand: from a word up to before another."""


class Around:
    """The words around a phrase in its sentence, which may mean that the author does not say it of themselves."""

    def __init__(self, places: Places, sentence: Sentence, clause: list[int]) -> None:
        """`clause` is the number of the clause that each word of the sentence is in."""
        self._forms = sentence.forms
        self._clause = clause
        self._idioms = places["idiom"]
        self._jokes = _by_end(places["joke"])
        self._is_told = bool(places["report"])
        self._fiction = {clause[at] for start, end in places["fiction"] for at in range(start, end)}
        self._past = self._past_clauses(places)
        self._is_over = bool(places["over"])
        no_negations = _covered(places["not_negation"])
        self._negations = _by_end((at, end) for at, end in places["negation"] if not no_negations >> at & 1)
        self._denials = _covered((start, start + 1) for starts in self._negations.values() for start in starts)
        self._others = _by_end(places["others"])
        self._general = _by_end(places["general"])

    def level(self, at: int, end: int, phrase: Phrase, *, is_quoted: bool) -> int:
        """Return the level that the words around a phrase between two places leave it. 0: it is no signal."""
        if any(start <= at and end <= until for start, until in self._idioms):
            # What is said is the longer phrase: "dying of laughter".
            return 0
        level = phrase.level
        if phrase.kind == Category.ABUSE and self._is_told_of_then(at, level):
            level -= 1
        is_denied = self._is_denied(at, phrase) or self._is_between(at, end, phrase)
        is_other = any(start < end and at < until for start, until in self._idioms) or self._is_general(at, phrase)
        is_lowered = (
            self._is_negated(at)
            or self._is_past(at, phrase)
            or self._is_fiction(at, phrase)
            or (self._is_told and is_quoted)
            or self._is_of_others(at, phrase)
        )
        if Category(phrase.kind) not in CARED_FOR:
            # An approach or insult that is told of is none.
            return 0 if is_denied or is_other or is_lowered else level
        if is_denied:
            return 1 if level == URGENT else 0
        if is_other:
            return level - 1 if level == URGENT else 0
        if is_lowered or (level < URGENT and self._is_joke(at, end)):
            return level - 1
        return level

    # ------------------------------------------------------------------------------------------------ denials

    def _is_denied(self, at: int, phrase: Phrase) -> bool:
        """Return whether a negation stands directly before a phrase: "not suicidal", "never wanted to die"."""
        return self._is_before(self._negations, at, _DIRECTLY) and not self._begins_anew(at)

    def _is_negated(self, at: int) -> bool:
        """Return whether a negation stands some words before a phrase."""
        return self._is_before(self._negations, at, _NEGATION_REACHES) and not self._begins_anew(at)

    def _begins_anew(self, at: int) -> bool:
        """Return whether the author's "I" stands between a negation and a phrase, as in "I can't sleep I want to die".

        Where something is said or thought it does not: "I don't think I want to die"."""
        for place in range(at, max(0, at - _NEGATION_REACHES), -1):
            if self._denials >> place & 1:
                return False
            if not _AUTHOR.isdisjoint(self._forms[place]):
                return self._denials >> place - 1 & 1 == 0 and _SAYING.isdisjoint(self._forms[place - 1])
        return False

    def _is_between(self, at: int, end: int, phrase: Phrase) -> bool:
        """Return whether a negation stands among the words of any kind: "he never hits me"."""
        if not self._denials & _span(at + 1, end) or not any(element.is_gap for element in phrase.elements):
            return False
        return any(
            not any(element.says(form) for element in phrase.elements for form in self._forms[start])
            for start in range(at + 1, end)
            if self._denials >> start & 1
        )

    # ------------------------------------------------------------------------------------------------ the others

    def _is_past(self, at: int, phrase: Phrase) -> bool:
        return self._clause[at] in self._past and phrase.kind != Category.ABUSE

    def _is_told_of_then(self, at: int, level: int) -> bool:
        """Return whether abuse was in the past. People tell of it in the past tense, and most of them after a long
        time: so it is not urgent, but still told to a human, unless they say that it is over."""
        return self._is_over or (level == URGENT and self._clause[at] in self._past)

    def _past_clauses(self, places: Places) -> set[int]:
        past = set()
        for start, end in places["past"]:
            past.add(self._clause[start])
            if start < _OPENING and end < len(self._clause) and self._clause[end] == self._clause[start] + 1:
                past.add(self._clause[end])
        return past.difference(self._clause[start] for start, _ in places["present"])

    def _is_fiction(self, at: int, phrase: Phrase) -> bool:
        # What is told of others in a story may stand in any of its clauses.
        return self._clause[at] in self._fiction or (phrase.is_of_others and bool(self._fiction))

    def _is_joke(self, at: int, end: int) -> bool:
        return any(
            self._clause[start] == self._clause[end - 1]
            for until in range(end + 1, end + _JOKE_REACHES)
            for start in self._jokes.get(until, ())
        )

    def _is_of_others(self, at: int, phrase: Phrase) -> bool:
        is_own = phrase.kind == Category.SELF_HARM and phrase.level > 1 and not phrase.is_of_others
        return is_own and self._is_before(self._others, at, _OTHERS_REACH) and not self._says_i(at)

    def _is_general(self, at: int, phrase: Phrase) -> bool:
        """Return whether a phrase is said to somebody, or of people in general: "if you feel suicidal"."""
        is_own = phrase.kind == Category.SELF_HARM and phrase.level > 1 and not phrase.is_of_others
        return is_own and self._is_before(self._general, at, _OTHERS_REACH) and not self._says_i(at)

    def _is_before(self, found: Mapping[int, Sequence[int]], at: int, reach: int) -> bool:
        """Return whether one of the findings ends shortly before a place, and began in the same clause."""
        return any(
            self._clause[start] == self._clause[at]
            for end in range(at - reach + 1, at + 1)
            for start in found.get(end, ())
        )

    def _says_i(self, at: int) -> bool:
        """Return whether the author is the nearest person mentioned."""
        return any(not _AUTHOR.isdisjoint(self._forms[place]) for place in range(max(0, at - 1), at + 1))


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
