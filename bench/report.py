"""Figures, their ratios to other servers, the verdicts on targets, and their formatting."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import zip_longest
from typing import Final, TypeAlias, TypeVar

import msgspec

from bench.busy import Busy

OURS: Final = "ours"
ENOUGH_ROUNDS: Final = 3
"""With fewer repetitions the spread is unknown, and nothing is decided."""
BOTTLENECK: Final = 0.95
"""The share of the time above which the load may have kept a server waiting."""

_SERVERS_IN_A_ROW: Final = 3

Round: TypeAlias = Mapping[str, float]
"""One value of each server in one repetition, measured one after another."""

T = TypeVar("T")


class Verdict(StrEnum):
    """The common result of all repetitions for a target."""

    REACHED = "reached"
    MISSED = "MISSED"
    NOT_DECIDED = "not decided"


class Spread(msgspec.Struct, frozen=True):
    """The median of some repetitions, and the lowest and highest value."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Raises ValueError where there are none."""
        held = [*values]
        if not held:
            raise ValueError("no values")
        return cls(statistics.median(held), min(held), max(held))

    def __str__(self) -> str:
        if self.low == self.high:
            return short(self.median)
        return f"{short(self.median)} ({short(self.low)}-{short(self.high)})"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """The target of a figure. All bounds that are given must hold."""

    most: float | None = None
    least: float | None = None
    to_relay: float | None = None
    """The largest allowed multiple of the relay's figure."""
    from_naive: float | None = None
    """The smallest allowed factor by which it is below the naive loop's figure."""

    def __str__(self) -> str:
        parts = []
        if self.most is not None:
            parts.append(f"<= {self.most:g}")
        if self.least is not None:
            parts.append(f">= {self.least:g}")
        if self.to_relay is not None:
            parts.append(f"<= {self.to_relay:g}x relay")
        if self.from_naive is not None:
            parts.append(f">= {self.from_naive:g}x less than naive")
        return ", ".join(parts)

    def verdict(self, rounds: Sequence[Round]) -> Verdict:
        """Return what all repetitions agree on, for each part of the target. A part whose server was not measured, or
        that has too few repetitions, is not decided."""
        ours = [one[OURS] for one in rounds if OURS in one]
        given = []
        if (bound := self.most) is not None:
            given.append(_verdict([value <= bound for value in ours]))
        if (bound := self.least) is not None:
            given.append(_verdict([value >= bound for value in ours]))
        if (bound := self.to_relay) is not None:
            given.append(_verdict([ratio <= bound for ratio in ratios(rounds, "relay")]))
        if (bound := self.from_naive) is not None:
            given.append(_verdict([ratio * bound <= 1 for ratio in ratios(rounds, "naive")]))
        if Verdict.MISSED in given:
            return Verdict.MISSED
        return Verdict.NOT_DECIDED if Verdict.NOT_DECIDED in given else Verdict.REACHED


def _verdict(held: Sequence[bool]) -> Verdict:
    if len(held) < ENOUGH_ROUNDS or (any(held) and not all(held)):
        return Verdict.NOT_DECIDED
    return Verdict.REACHED if all(held) else Verdict.MISSED


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure, for each server that has it. Each ratio divides our value by theirs of the same repetition."""

    name: str
    unit: str
    rounds: list[dict[str, float]]
    mark: str | None = None
    verdict: Verdict | None = None

    @property
    def servers(self) -> list[str]:
        return [*dict.fromkeys(server for one in self.rounds for server in one)]

    @property
    def spreads(self) -> dict[str, Spread]:
        return {server: Spread.of(one[server] for one in self.rounds if server in one) for server in self.servers}

    @property
    def ratios(self) -> dict[str, Spread]:
        found = {server: ratios(self.rounds, server) for server in self.servers if server != OURS}
        return {server: Spread.of(values) for server, values in found.items() if values}


class Section(msgspec.Struct, kw_only=True):
    """The results of one scenario. `loads` holds, by server, the largest share of the time that the load worked or
    waited for its core: near 1.0, the load limits rates and times. `busy` is what else the machine did."""

    scenario: str
    about: str
    figures: list[Figure]
    notes: list[str] = []
    loads: dict[str, float] = {}
    busy: Busy | None = None


def ratios(rounds: Sequence[Round], other: str) -> list[float]:
    """Return our value divided by theirs, for each repetition that has both."""
    return [one[OURS] / one[other] for one in rounds if OURS in one and one.get(other)]


def rounds_of(values: Mapping[str, Sequence[float]]) -> list[dict[str, float]]:
    """Return repetitions from lists by server; values at the same index belong to the same repetition."""
    return [
        {server: value for server, value in zip(values, row, strict=True) if value is not None}
        for row in zip_longest(*values.values())
    ]


def each(rounds: Iterable[Mapping[str, T]], value: Callable[[T], float]) -> list[dict[str, float]]:
    """Return one value of each measurement."""
    return [{server: value(held) for server, held in one.items()} for one in rounds]


def most(rounds: Iterable[Round]) -> dict[str, float]:
    """Return the highest value of each server."""
    found: dict[str, float] = {}
    for one in rounds:
        for server, value in one.items():
            found[server] = max(value, found.get(server, value))
    return found


def figure(
    name: str, unit: str, values: Mapping[str, Sequence[float]] | Sequence[Round], mark: Mark | None = None
) -> Figure:
    """Return a figure from its repetitions, or from lists by server (see `rounds_of`)."""
    rounds: list[dict[str, float]]
    rounds = rounds_of(values) if isinstance(values, Mapping) else [{**one} for one in values]
    return Figure(
        name=name,
        unit=unit,
        rounds=[{server: float(f"{value:.4g}") for server, value in one.items()} for one in rounds],
        mark=None if mark is None else str(mark),
        verdict=None if mark is None or not any(OURS in one for one in rounds) else mark.verdict(rounds),
    )


def as_text(section: Section) -> str:
    """Return a section as a table for people: a column for each server, then the ratios; below if there are many."""
    figures = section.figures
    servers = [*dict.fromkeys([OURS, *(server for one in figures for server in one.spreads)])]
    compared = [server for server in servers if any(server in one.ratios for one in figures)]
    values = [[_label(one), *(str(one.spreads.get(server, "-")) for server in servers)] for one in figures]
    times = [[_times(one.ratios.get(server)) for server in compared] for one in figures]
    ends = [[one.mark or "", one.verdict or ""] for one in figures]
    head, slashes = ["", *servers], [f"/{server}" for server in compared]
    lines = [f"{section.scenario}: {section.about}"]
    if len(servers) <= _SERVERS_IN_A_ROW:
        joined = [[*one, *two, *three] for one, two, three in zip(values, times, ends, strict=True)]
        lines += _table([*head, *slashes, "to reach", ""], joined)
    else:
        lines += _table([*head, "to reach", ""], [[*one, *end] for one, end in zip(values, ends, strict=True)])
        lines += _table(
            ["", *slashes], [[_label(one), *two] for one, two in zip(figures, times, strict=True) if one.ratios]
        )
    lines += [f"  - {note}" for note in section.notes]
    if section.loads:
        shares = ", ".join(f"{server} {share:.0%}" for server, share in section.loads.items())
        lines.append(f"  - share of the time that the load worked, or waited for its core, at most: {shares}")
        limited = [server for server, share in section.loads.items() if share >= BOTTLENECK]
        if limited:
            lines.append(f"  - THE LOAD WAS THE BOTTLENECK against {', '.join(limited)}: rates and times are its own")
    if section.busy is not None:
        lines.append(f"  - {section.busy}")
    return "\n".join(lines)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return lines with the first column aligned left and the others right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return [
        "  "
        + "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in (head, *rows)
    ]


def _label(one: Figure) -> str:
    return f"{one.name} [{one.unit}]"


def _times(ratio: Spread | None) -> str:
    if ratio is None:
        return "-"
    if ratio.low == ratio.high:
        return f"{short(ratio.median)}x"
    return f"{short(ratio.median)}x ({short(ratio.low)}-{short(ratio.high)})"


def short(value: float) -> str:
    """Return a value with three digits, or all before the point."""
    return f"{value:.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
