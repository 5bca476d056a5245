"""What one scenario found, and the table of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from tests.reliability.history import Verdict
from tests.reliability.workload import Measured

_SOME: Final = 12


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with the bound that it is to keep, in the unit that its name says. `at_worst` is the bound of a short
    run on a machine that does other things as well: there the highest percentile is a single value."""

    name: str
    value: float
    most: float
    at_worst: float

    @property
    def is_kept(self) -> bool:
        return self.value <= self.most

    def __str__(self) -> str:
        return f"{self.name} {self.value:.3g} (at most {self.most:g}{'' if self.is_kept else ': MISSED'})"


class Row(msgspec.Struct, kw_only=True):
    """One line of the table. Times in seconds."""

    scenario: str
    fault: str
    times: int
    """How often the fault was done."""
    asked: float
    achieved: float
    acked: int
    lost: int
    duplicated: int
    reordered: int
    unexpected: int
    longest_outage: float
    ack_p99: float
    reconnect_p99: float | None
    stood_still: float
    """How long the crowd itself was kept from running, by a machine with too much to do."""
    marks: list[Mark]
    notes: list[str] = []
    complaints: list[str] = []
    """What `lost` and the others count, and what else must not be. The first few of each kind."""

    @property
    def is_clean(self) -> bool:
        return not self.complaints

    def missed(self, *, at_worst: bool = False) -> list[str]:
        """Marks that were not kept. `at_worst` forgives what the crowd itself had to wait for the machine."""
        return [
            str(mark)
            for mark in self.marks
            if mark.value > (mark.at_worst + self.stood_still if at_worst else mark.most)
        ]


def row(
    scenario: str,
    fault: str,
    times: int,
    measured: Measured,
    verdict: Verdict,
    *,
    stood_still: float = 0.0,
    marks: Sequence[Mark] = (),
    notes: Sequence[str] = (),
    complaints: Sequence[str] = (),
) -> Row:
    """The row of a scenario. `complaints` are those of the scenario itself, beside the verdict's."""
    return Row(
        scenario=scenario,
        fault=fault,
        times=times,
        asked=measured.asked,
        achieved=measured.achieved,
        acked=measured.acked,
        lost=len(verdict.lost),
        duplicated=len(verdict.duplicated),
        reordered=len(verdict.reordered),
        unexpected=len(verdict.unexpected) + len(complaints),
        longest_outage=measured.longest_outage,
        ack_p99=p99(measured.acks),
        reconnect_p99=p99(measured.outages) if measured.outages else None,
        stood_still=stood_still,
        marks=[*marks],
        notes=[*notes],
        complaints=[*complaints[:_SOME], *verdict.some(_SOME)],
    )


def p99(values: Sequence[float]) -> float:
    """The value that 99 of 100 do not exceed; the highest of fewer than a hundred."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] if ordered else 0.0


_HEAD = (
    "fault",
    "times",
    "posts/s asked",
    "achieved",
    "acked",
    "lost",
    "dupl.",
    "reord.",
    "unexp.",
    "longest outage",
    "ack p99",
    "reconnect p99",
    "command",
)


def as_table(rows: Sequence[Row], *, is_long: bool) -> str:
    """All rows as a Markdown table, the bounds and notes below it."""
    option = " --long" if is_long else ""
    lines = [[*_HEAD], ["---"] * len(_HEAD)]
    lines += [
        [
            one.fault,
            str(one.times),
            f"{one.asked:g}",
            f"{one.achieved:.1f}",
            f"{one.acked:,}",
            *(str(count) for count in (one.lost, one.duplicated, one.reordered, one.unexpected)),
            f"{one.longest_outage:.2f} s",
            f"{one.ack_p99 * 1000:,.0f} ms",
            "-" if one.reconnect_p99 is None else f"{one.reconnect_p99:.2f} s",
            f"`scripts/faults {one.scenario}{option}`",
        ]
        for one in rows
    ]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"{table}\n\n" + "\n".join(details(one) for one in rows)


def details(one: Row) -> str:
    """The bounds and notes of one row, in one line."""
    still = [f"the crowd itself stood still for {one.stood_still:.1f} s"] if one.stood_still else []
    parts = [*map(str, one.marks), *one.notes, *still, *(f"COMPLAINT: {text}" for text in one.complaints)]
    return f"- {one.scenario}: " + "; ".join(parts)
