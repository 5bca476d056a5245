"""Figures, their ratios to the baselines, and their formatting."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

import msgspec

NAMES: Final = ("ours", "relay", "naive")


class Spread(msgspec.Struct, frozen=True):
    """The median of some repetitions, and the lowest and highest value."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        if self.low == self.high:
            return _short(self.median)
        return f"{_short(self.median)} ({_short(self.low)}-{_short(self.high)})"


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure, for each server that has it. Ratios are medians over repetitions, each of figures measured one after
    the other. `reached` says whether the target was met, if there is one."""

    name: str
    unit: str
    ours: Spread | None = None
    relay: Spread | None = None
    naive: Spread | None = None
    to_relay: float | None = None
    to_naive: float | None = None
    mark: str | None = None
    reached: bool | None = None


class Section(msgspec.Struct, kw_only=True):
    """The results of one scenario. `load` is the largest share of its core that the load used against our server: near
    1.0, the load limits rates and times."""

    scenario: str
    about: str
    figures: list[Figure]
    notes: list[str] = []
    load: float | None = None


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

    def is_reached(self, value: float, to_relay: float | None, to_naive: float | None) -> bool:
        return (
            (self.most is None or value <= self.most)
            and (self.least is None or value >= self.least)
            and (self.to_relay is None or (to_relay is not None and to_relay <= self.to_relay))
            and (self.from_naive is None or (to_naive is not None and 1 / to_naive >= self.from_naive))
        )


def figure(name: str, unit: str, values: dict[str, list[float]], mark: Mark | None = None) -> Figure:
    """Return a figure from its repetitions by server; values at the same index belong to the same repetition."""
    ours = values.get("ours", [])
    ratios: dict[str, float | None] = {
        other: statistics.median(a / b for a, b in zip(ours, values[other], strict=True))
        if ours and len(values.get(other, ())) == len(ours) and all(values[other])
        else None
        for other in ("relay", "naive")
    }
    spreads = {server: Spread.of(held) for server, held in values.items() if held}
    to_relay, to_naive = ratios["relay"], ratios["naive"]
    return Figure(
        name=name,
        unit=unit,
        **spreads,
        to_relay=to_relay,
        to_naive=to_naive,
        mark=None if mark is None else str(mark),
        reached=None if mark is None or not ours else mark.is_reached(spreads["ours"].median, to_relay, to_naive),
    )


def as_text(section: Section) -> str:
    """Return a section as a table for people."""
    head = ["", "ours", "relay", "naive", "/relay", "/naive", "to reach", ""]
    rows = [head, *(_row(one) for one in section.figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [f"{section.scenario}: {section.about}"]
    for row in rows:
        cells = [
            row[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(row[1:6], widths[1:6], strict=True)),
        ]
        lines.append("  " + "  ".join([*cells, row[6].ljust(widths[6]), row[7]]).rstrip())
    lines += [f"  - {note}" for note in section.notes]
    if section.load is not None:
        lines.append(f"  - the load took {section.load:.0%} of its core at most, against ours")
    return "\n".join(lines)


def _row(one: Figure) -> list[str]:
    return [
        f"{one.name} [{one.unit}]",
        *("-" if spread is None else str(spread) for spread in (one.ours, one.relay, one.naive)),
        *("-" if ratio is None else f"{ratio:.3g}x" for ratio in (one.to_relay, one.to_naive)),
        one.mark or "",
        {True: "reached", False: "MISSED", None: ""}[one.reached],
    ]


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
