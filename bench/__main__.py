"""Measures the cost and speed of the server, as ratios to other servers that are started in the same run.

python -m bench [SCENARIO ...] [--quick] [--peers] [--json FILE] [--save]
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench.busy import Watch
from bench.machine import allowed_files, cores, description, on_cores
from bench.measure import Bench
from bench.peers import Peers, obtain
from bench.report import Section, as_text
from bench.saved import Report, commit, save
from bench.scenarios.arrivals import connect, memory
from bench.scenarios.durable import durable
from bench.scenarios.expiry import expiry
from bench.scenarios.fanout import single, throughput
from bench.scenarios.latency import latency
from bench.scenarios.meetings import meetings
from bench.scenarios.queue import queue
from bench.scenarios.room10k import room10k
from bench.scenarios.rooms import rooms
from bench.scenarios.slow import slow
from bench.scenarios.storm import storm
from bench.scenarios.touch import touch
from bench.scenarios.workers import workers
from bench.stream import Unfaithful
from bench.targets import Baselines
from tests.kit.process import PartMissing

SCENARIOS: Final[dict[str, Callable[[Bench], Section]]] = {
    "throughput": throughput,
    "single": single,
    "latency": latency,
    "rooms": rooms,
    "room10k": room10k,
    "workers": workers,
    "connect": connect,
    "memory": memory,
    "store": durable,
    "expiry": expiry,
    "touch": touch,
    "slow": slow,
    "storm": storm,
    "queue": queue,
    "meetings": meetings,
}
_ROWS, _QUICK_ROWS = 1_000_000, 200_000
_FILES = 65_536


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("scenario", nargs="*", metavar="SCENARIO", help=f"all, unless given: {', '.join(SCENARIOS)}")
    parser.add_argument("--quick", action="store_true", help="short and small: less than two minutes in all")
    parser.add_argument("--peers", action="store_true", help="also Bun, ws on Node and Centrifugo, fetched if need be")
    parser.add_argument("--rows", type=int, metavar="N", help=f"old rows for expiry: {_ROWS:,}, or {_QUICK_ROWS:,}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    parser.add_argument("--save", action="store_true", help="keep the run in docs/bench, and renew docs/bench.md")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.scenario if name not in SCENARIOS]
    if unknown:
        parser.error(f"there is no scenario {unknown[0]}; there are {', '.join(SCENARIOS)}")
    if given.save and given.quick:
        parser.error("a quick run is for seeing that all works: only others are saved")
    rows = given.rows or (_QUICK_ROWS if given.quick else _ROWS)
    report = run(given.scenario or list(SCENARIOS), quick=given.quick, has_peers=given.peers, rows=rows)
    if given.json is not None:
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    if given.save:
        print(f"\nsaved as {save(report)}")
    sys.exit(1 if report.failures else 0)


def run(names: Sequence[str], *, quick: bool, has_peers: bool, rows: int) -> Report:
    """Run scenarios one after another and print each when it ends. A failure does not stop the rest."""
    where = cores()
    peers = obtain(where) if has_peers else Peers({}, {}, {})
    baselines = Baselines(where)
    report = Report(
        at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        commit=commit(),
        machine=description(),
        quick=quick,
        baseline=baselines.limit_name,
        peers=peers.versions,
        missing=peers.missing,
    )
    print(f"{report.machine}, commit {report.commit}")
    print(f"relay: {report.baseline}; naive: Starlette's send loop on uvicorn")
    for name, version in peers.versions.items():
        print(f"{name}: {version}")
    for name, why in peers.missing.items():
        print(f"{name}: NOT MEASURED, {why}")
    if not where.are_apart:
        print("Only one core: servers and load share it, and latencies say little.")
    bench = Bench(cores=where, baselines=baselines, quick=quick, peers=[*peers.makers.values()], rows=rows)
    began, whole = time.monotonic(), Watch()
    # Servers inherit this limit. The process that forks servers must have it before the first one starts.
    allowed_files(_FILES)
    # Long-lived objects should not be searched for garbage while latencies are measured.
    gc.freeze()
    try:
        with on_cores(where.load):
            for name in names:
                _run_one(name, bench, report)
    finally:
        baselines.close()
    report.busy = whole.seen()
    print(f"\nIn all {time.monotonic() - began:.0f} s; {report.busy}", flush=True)
    return report


def _run_one(name: str, bench: Bench, report: Report) -> None:
    watch, began = Watch(), time.monotonic()
    try:
        section = SCENARIOS[name](bench)
    except (Unfaithful, PartMissing, TimeoutError, OSError, RuntimeError) as problem:
        report.failures[name] = f"{type(problem).__name__}: {problem}"
        print(f"\n{name}: FAILED, {report.failures[name]}\n  - {watch.seen()}", flush=True)
        return
    section.busy = watch.seen()
    report.sections.append(section)
    print(f"\n{as_text(section)}\n  - took {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
