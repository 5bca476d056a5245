"""Measures the cost and speed of the server, as ratios to two baselines that are started in the same run.

python -m bench [SCENARIO ...] [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from bench.machine import cores, description, on_cores
from bench.measure import Bench
from bench.report import Section, as_text
from bench.scenarios.arrivals import connect, memory
from bench.scenarios.durable import durable
from bench.scenarios.fanout import single, throughput
from bench.scenarios.latency import latency
from bench.scenarios.queue import queue
from bench.scenarios.room10k import room10k
from bench.scenarios.slow import slow
from bench.scenarios.storm import storm
from bench.stream import Unfaithful
from bench.targets import Baselines

SCENARIOS: Final[dict[str, Callable[[Bench], Section]]] = {
    "throughput": throughput,
    "single": single,
    "latency": latency,
    "room10k": room10k,
    "connect": connect,
    "memory": memory,
    "store": durable,
    "slow": slow,
    "storm": storm,
    "queue": queue,
}


class Report(msgspec.Struct, kw_only=True):
    """Everything that one run measured."""

    at: str
    machine: str
    quick: bool
    baseline: str
    sections: list[Section]
    failures: dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("scenario", nargs="*", metavar="SCENARIO", help=f"all, unless given: {', '.join(SCENARIOS)}")
    parser.add_argument("--quick", action="store_true", help="short and small: less than two minutes in all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    given = parser.parse_args()
    unknown = [name for name in given.scenario if name not in SCENARIOS]
    if unknown:
        parser.error(f"there is no scenario {unknown[0]}; there are {', '.join(SCENARIOS)}")
    report = run(given.scenario or list(SCENARIOS), quick=given.quick)
    if given.json is not None:
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    sys.exit(1 if report.failures else 0)


def run(names: list[str], *, quick: bool) -> Report:
    """Run scenarios one after another and print each when it ends. A failure does not stop the rest."""
    where = cores()
    baselines = Baselines(where)
    report = Report(
        at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        machine=description(),
        quick=quick,
        baseline=baselines.limit_name,
        sections=[],
        failures={},
    )
    print(f"{report.machine}\nrelay: {report.baseline}; naive: Starlette's send loop on uvicorn")
    if not where.are_apart:
        print("Only one core: servers and load share it, and latencies say little.")
    bench = Bench(cores=where, baselines=baselines, quick=quick)
    # Long-lived objects should not be searched for garbage while latencies are measured.
    gc.freeze()
    try:
        with on_cores(where.load):
            for name in names:
                began = time.monotonic()
                try:
                    section = SCENARIOS[name](bench)
                except (Unfaithful, TimeoutError, OSError, RuntimeError) as problem:
                    report.failures[name] = f"{type(problem).__name__}: {problem}"
                    print(f"\n{name}: FAILED, {report.failures[name]}", flush=True)
                    continue
                report.sections.append(section)
                print(f"\n{as_text(section)}\n  - took {time.monotonic() - began:.0f} s", flush=True)
    finally:
        baselines.close()
    return report


if __name__ == "__main__":
    main()
