"""One seed: python -m tests.simulation SEED [--trace]. Many: python -m tests.simulation --seeds N [--from K]."""

from __future__ import annotations

import argparse
import gc
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterable

from tests.simulation.simulation import simulate


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", type=int, nargs="?", help="run this seed, and print what happened in it")
    parser.add_argument("--trace", action="store_true", help="every line of it")
    parser.add_argument("--seeds", type=int, metavar="N", help="run this many seeds, one after another")
    parser.add_argument("--from", type=int, metavar="K", dest="first", default=0, help="beginning with this one")
    parser.add_argument("--digest", action="store_true", help="print only a hash of everything that happened")
    given = parser.parse_args()
    if given.seeds is not None:
        seeds = range(given.first, given.first + given.seeds)
        if given.digest:
            print(digest(simulate(seed).trace for seed in seeds))
            return 0
        return run_range(seeds)
    if given.seed is None:
        parser.error("a seed, or --seeds")
    outcome = simulate(given.seed)
    if given.trace:
        print(outcome.trace)
    print(dict(sorted(outcome.counts.items())))
    for complaint in outcome.complaints:
        print("PROBLEM", complaint)
    return 1 if outcome.complaints else 0


def run_range(seeds: range) -> int:
    """Run all seeds, and print which failed and what happened."""
    began = time.process_time()
    counts: Counter[str] = Counter()
    virtual, failed = 0.0, 0
    # Imported objects stay, and need not be searched for garbage.
    gc.freeze()
    for seed in seeds:
        outcome = simulate(seed)
        counts.update(outcome.counts)
        virtual += outcome.seconds
        if outcome.complaints:
            failed += 1
            print(f".venv/bin/python -m tests.simulation {seed} --trace", flush=True)
            for complaint in outcome.complaints[:5]:
                print(f"    {complaint}", flush=True)
    took = time.process_time() - began
    print(f"{len(seeds)} seeds from {seeds.start}, {failed} failed; {virtual:.0f} virtual seconds")
    print(f"{took:.1f} s of CPU, {len(seeds) / took:.0f} seeds a second")
    print(dict(sorted(counts.items())))
    return 1 if failed else 0


def digest(traces: Iterable[str]) -> str:
    """Return one hash of everything that happened in some seeds."""
    found = hashlib.sha256()
    for trace in traces:
        found.update(trace.encode())
    return found.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
