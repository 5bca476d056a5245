"""Saved runs: one JSON file each in `docs/bench`, and the tables and plots of the document that are made from them.

python -m bench.saved        # write tables and plots anew
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench.busy import Busy
from bench.plots import Line, Point, bars, lines
from bench.report import OURS, Figure, Section, Spread, Verdict, short

_ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = _ROOT / "docs" / "bench"
DOCUMENT: Final = _ROOT / "docs" / "bench.md"
BEGIN: Final = "<!-- From here to the end mark, written by python -m bench.saved -->"
END: Final = "<!-- End of what is written by python -m bench.saved -->"


class Report(msgspec.Struct, kw_only=True):
    """Everything that one run measured. `missing` gives the reason for each requested peer that was not measured."""

    at: str
    commit: str
    machine: str
    quick: bool
    baseline: str
    peers: dict[str, str] = {}
    missing: dict[str, str] = {}
    sections: list[Section] = []
    failures: dict[str, str] = {}
    busy: Busy | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure over several runs: for each server, and for each ratio, the median of the runs' medians, with the
    lowest and the highest repetition of all of them."""

    scenario: str
    name: str
    unit: str
    values: dict[str, Spread]
    ratios: dict[str, Spread]
    mark: str | None
    verdicts: list[Verdict]


def commit() -> str:
    """Return the commit that is measured, with a plus if files are changed, or `unknown`."""
    git = ["git", "-C", str(_ROOT)]
    found = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        return "unknown"
    changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=False)
    return found.stdout.strip() + ("+" if changed.stdout.strip() else "")


def save(report: Report, folder: Path = FOLDER, document: Path = DOCUMENT) -> Path:
    """Save a run, and write tables and plots again. Return its file."""
    folder.mkdir(exist_ok=True)
    file = folder / f"{re.sub('[^0-9TZ]', '', report.at)}-{report.commit.rstrip('+')}.json"
    file.write_bytes(msgspec.json.encode(report) + b"\n")
    renew(folder, document)
    return file


def renew(folder: Path = FOLDER, document: Path = DOCUMENT) -> None:
    """Write the plots, and the text between the two marks of the document. Raises ValueError without the marks."""
    runs = [msgspec.json.decode(file.read_bytes(), type=Report) for file in sorted(folder.glob("*.json"))]
    before, begin, rest = document.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} has not both marks")
    written = "\n\n".join([begin, *_machines(runs, folder), end])
    document.write_text(before + written + after)


def rows(runs: Sequence[Report]) -> list[Row]:
    """Return every figure of these runs, in the order of the newest run."""
    found: dict[tuple[str, str, str], list[Figure]] = {}
    for run in reversed(runs):
        for section in run.sections:
            for one in section.figures:
                found.setdefault((section.scenario, one.name, one.unit), []).append(one)
    return [
        Row(
            scenario=scenario,
            name=name,
            unit=unit,
            values=_over([one.spreads for one in held]),
            ratios=_over([one.ratios for one in held]),
            mark=held[0].mark,
            verdicts=[one.verdict for one in held if one.verdict is not None and one.mark == held[0].mark],
        )
        for (scenario, name, unit), held in found.items()
    ]


def verdict(verdicts: Sequence[Verdict]) -> str:
    """Return the verdict of several runs on one target, which is not decided unless all agree."""
    if not verdicts:
        return ""
    return verdicts[0] if len({*verdicts}) == 1 else Verdict.NOT_DECIDED


def _over(runs: Sequence[Mapping[str, Spread]]) -> dict[str, Spread]:
    servers = dict.fromkeys(server for one in runs for server in one)
    held = {server: [one[server] for one in runs if server in one] for server in servers}
    return {
        server: Spread(
            Spread.of(one.median for one in spreads).median,
            min(one.low for one in spreads),
            max(one.high for one in spreads),
        )
        for server, spreads in held.items()
    }


def _machines(runs: Sequence[Report], folder: Path) -> list[str]:
    """Return the parts of the text. Runs of different machines are not mixed."""
    parts = []
    for number, machine in enumerate(dict.fromkeys(run.machine for run in runs), 1):
        of_it = [run for run in runs if run.machine == machine]
        found = rows(of_it)
        parts += [f"### {machine}", _table_of_runs(of_it)]
        plots = {f"ratios-{number}.svg": _ratios_plot(found), f"rooms-{number}.svg": _rooms_plot(found)}
        for name, drawn in plots.items():
            if drawn is not None:
                title, svg = drawn
                (folder / name).write_text(svg)
                parts.append(f"![{title}](bench/{name})")
        parts += [_table(scenario, found) for scenario in dict.fromkeys(row.scenario for row in found)]
    return parts or ["No run was saved yet."]


def _table_of_runs(runs: Sequence[Report]) -> str:
    head = [
        "| run | commit | beside | other work on the machine | failed | not measured |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join(
        [
            *head,
            *(
                f"| {run.at} | {run.commit} | {', '.join([run.baseline, *run.peers.values()])} | {run.busy or ''} "
                f"| {', '.join(run.failures)} | {'; '.join(f'{name}: {why}' for name, why in run.missing.items())} |"
                for run in runs
            ),
        ]
    )


def _table(scenario: str, found: Sequence[Row]) -> str:
    mine = [row for row in found if row.scenario == scenario]
    servers = [*dict.fromkeys([OURS, *(server for row in mine for server in row.values)])]
    lines_ = [
        f"| `{scenario}` | {' | '.join(servers)} | to reach | |",
        "|" + "---|" * (len(servers) + 3),
    ]
    for row in mine:
        cells = [_cell(row, server) for server in servers]
        lines_.append(f"| {row.name} [{row.unit}] | {' | '.join(cells)} | {row.mark or ''} | {verdict(row.verdicts)} |")
    return "\n".join(lines_)


def _cell(row: Row, server: str) -> str:
    if server not in row.values:
        return ""
    value = str(row.values[server])
    return f"{value}: {row.ratios[server]}x" if server in row.ratios else value


_ROOM_POST: Final = re.compile(r"([\d,]+): post, CPU")


def _rooms_plot(found: Sequence[Row]) -> tuple[str, str] | None:
    drawn: dict[str, list[Point]] = {}
    for row in found:
        if row.scenario == "rooms" and (size := _ROOM_POST.fullmatch(row.name)) is not None:
            for server, spread in row.values.items():
                drawn.setdefault(server, []).append(Point(float(size[1].replace(",", "")), spread))
    if not drawn:
        return None
    title = "CPU for a post by the size of its room, in ms"
    return title, lines(title, "members of the room", [Line(name, points) for name, points in drawn.items()])


def _ratios_plot(found: Sequence[Row]) -> tuple[str, str] | None:
    drawn: dict[str, Spread] = {}
    for scenario in dict.fromkeys(row.scenario for row in found):
        first = next((row for row in found if row.scenario == scenario and row.ratios), None)
        if first is not None:
            drawn |= {f"{scenario}, {first.name} / {server}": ratio for server, ratio in first.ratios.items()}
    if not drawn:
        return None
    title = "Ours as a multiple of each other server"
    return title, bars(title, drawn, {label: f"{short(one.median)}x" for label, one in drawn.items()})


if __name__ == "__main__":
    renew()
