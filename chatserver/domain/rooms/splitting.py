"""How a room that is too full to be heard in is split into several of human size.

Pure and deterministic: the same people and ties give the same plan, in whatever order they are passed.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import MemberId

HUMAN_SIZE: Final = 12
"""The default number of people in a room after a split: each can be heard, and nobody is alone."""
LEAST: Final = 4
"""The least number of people in a room that is split."""
MOST_PARTS: Final = 20
MOST_TRIES: Final = 60
"""The most people of a split for whom another place is tried because they would meet somebody they are apart from."""


class Tie(msgspec.Struct, frozen=True):
    """Somebody answered, or reacted to, somebody else. The direction does not matter."""

    one: MemberId
    other: MemberId


def parts_for(people: int, parts: int | None) -> int:
    """Return into how many rooms to split. Raises TOO_FEW if there would be rooms with a single person in them."""
    wanted = max(2, math.ceil(people / HUMAN_SIZE)) if parts is None else parts
    if people < max(LEAST, wanted * 2):
        raise Refusal(Reason.TOO_FEW, details={"here": people})
    return min(wanted, MOST_PARTS)


def plan(
    people: Iterable[MemberId],
    ties: Iterable[Tie],
    newcomers: Iterable[MemberId],
    parts: int | None = None,
    apart: Iterable[tuple[MemberId, MemberId]] = (),
) -> tuple[tuple[MemberId, ...], ...]:
    """Return the groups of a split; the one with most ties, which stays in the room, comes first.

    Nobody is left out or named twice, and no two groups differ by more than one person. People with ties are with those
    they have most of them with, as far as there is room; newcomers, who know nobody yet, are spread evenly.

    Two who are to be `apart`, because one hides the other, are in different groups, whatever ties they have: ties
    between them do not count, and nobody is put with somebody they are apart from while another group has room. If the
    people whom everybody hides outnumber the groups, as few of them meet as can be found by exchanging two at a time.
    """
    everybody = sorted(set(people))
    count = parts_for(len(everybody), parts)
    foes = _foes(set(everybody), apart)
    weights = _weights(set(everybody), ties, foes)
    new = set(newcomers)
    # The size of each group; sizes differ by one at most.
    least, spare = divmod(len(everybody), count)
    space = [least + (part < spare) for part in range(count)]
    groups: list[list[MemberId]] = [[] for _ in range(count)]
    for circle in _companions(everybody, weights):
        known = [who for who in circle if who not in new or weights[who]]
        _seat(known, groups, space, weights, foes)
    seated = {who for group in groups for who in group}
    for who in everybody:
        if who not in seated:
            # A newcomer goes to the group with the fewest newcomers.
            open_ = [part for part in range(count) if space[part] > 0]
            part = min(
                open_,
                key=lambda each: (
                    _clashes(who, groups[each], foes),
                    sum(other in new for other in groups[each]),
                    -space[each],
                    each,
                ),
            )
            groups[part].append(who)
            space[part] -= 1
    _part_foes(groups, weights, foes)
    return tuple(tuple(sorted(group)) for group in sorted(groups, key=lambda group: (-_warmth(group, weights), group)))


Weights = Mapping[MemberId, Counter[MemberId]]
Foes = Mapping[MemberId, frozenset[MemberId]]


def _foes(people: set[MemberId], apart: Iterable[tuple[MemberId, MemberId]]) -> Foes:
    found: defaultdict[MemberId, set[MemberId]] = defaultdict(set)
    for one, other in apart:
        if one != other and one in people and other in people:
            found[one].add(other)
            found[other].add(one)
    return {who: frozenset(others) for who, others in found.items()}


def _clashes(who: MemberId, group: Iterable[MemberId], foes: Foes) -> int:
    """Return how many of a group somebody should not be with."""
    if (others := foes.get(who)) is None:
        return 0
    return sum(each in others for each in group)


def _part_foes(groups: list[list[MemberId]], weights: Weights, foes: Foes) -> None:
    """Exchange two people of different groups if fewer then meet whom they should not, at the least loss of ties. Used
    only if placing one after the other was not enough. The number of tries is bounded, so that a person who hides
    everybody cannot make a split slow."""
    tries = MOST_TRIES
    for who in sorted(foes):
        here = next(part for part, group in enumerate(groups) if who in group)
        if not _clashes(who, groups[here], foes):
            continue
        exchange = min(_exchanges(who, here, groups, weights, foes), default=None)
        if exchange is not None:
            _, _, there, other = exchange
            groups[here][groups[here].index(who)] = other
            groups[there][groups[there].index(other)] = who
        if (tries := tries - 1) == 0:
            return


def _exchanges(
    who: MemberId, here: int, groups: list[list[MemberId]], weights: Weights, foes: Foes
) -> Iterator[tuple[int, int, int, MemberId]]:
    """Yield the exchanges of one person after which fewer such people meet: by how many (negative), the ties that are
    lost, and with whom."""
    theirs = [each for each in groups[here] if each != who]
    for there, others in enumerate(groups):
        for other in others if there != here else ():
            mine = [each for each in others if each != other]
            change = _clashes(who, mine, foes) - _clashes(who, theirs, foes)
            change += _clashes(other, theirs, foes) - _clashes(other, mine, foes)
            if change < 0:
                lost = _ties(who, theirs, weights) - _ties(who, mine, weights)
                yield change, lost + _ties(other, mine, weights) - _ties(other, theirs, weights), there, other


def _ties(who: MemberId, group: Iterable[MemberId], weights: Weights) -> int:
    if who not in weights:
        return 0
    own = weights[who]
    return sum(own[each] for each in group)


def _weights(people: set[MemberId], ties: Iterable[Tie], foes: Foes) -> Weights:
    found: defaultdict[MemberId, Counter[MemberId]] = defaultdict(Counter)
    for tie in ties:
        if tie.other in foes.get(tie.one, ()):
            continue
        if tie.one != tie.other and tie.one in people and tie.other in people:
            found[tie.one][tie.other] += 1
            found[tie.other][tie.one] += 1
    return found


def _companions(people: list[MemberId], weights: Weights) -> list[list[MemberId]]:
    """Return the connected groups of people with ties, the largest first; in each group everybody follows the one among
    those before with whom they have most ties."""
    left, circles = dict.fromkeys(people), []
    while left:
        first = min(left, key=lambda who: (-weights[who].total() if who in weights else 0, who))
        circle, near = [], Counter({first: 1})
        while near:
            who = min(near, key=lambda each: (-near[each], each))
            del near[who], left[who]
            circle.append(who)
            for other, weight in weights[who].items() if who in weights else ():
                if other in left:
                    near[other] += weight
        circles.append(circle)
    return sorted(circles, key=lambda circle: (-len(circle), circle))


def _seat(circle: list[MemberId], groups: list[list[MemberId]], space: list[int], weights: Weights, foes: Foes) -> None:
    """Place a connected group: together if there is room for all; else each with the people they have most ties to.
    Nobody is placed with somebody they should not meet, as long as there is room elsewhere."""
    inside = set(circle)
    is_whole = not any(inside & foes.get(who, frozenset()) for who in circle)
    whole = [part for part in range(len(groups)) if is_whole and space[part] >= len(circle)]
    for who in circle:
        open_ = [part for part in range(len(groups)) if space[part] > 0]
        choice = whole or open_
        ties = weights[who] if who in weights else Counter[MemberId]()
        part = min(
            choice,
            key=lambda each: (
                _clashes(who, groups[each], foes),
                -sum(ties[other] for other in groups[each]),
                -space[each],
                each,
            ),
        )
        groups[part].append(who)
        space[part] -= 1
        if whole:
            whole = [part]


def _warmth(group: Iterable[MemberId], weights: Weights) -> int:
    inside = set(group)
    return sum(weight for who in inside if who in weights for other, weight in weights[who].items() if other in inside)
