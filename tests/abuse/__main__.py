"""Play the attacks of `docs/abuse.md` and print a row of its table for each.

python -m tests.abuse [--list] [--repeat N] [ATTACK ...]

Without names all are played whose defence is there. The exit code is 1 where a bound did not hold. Times are of this
machine, and only worth comparing within one run; with `--repeat` the lowest and the highest of each follow at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence

from tests.abuse.attack import Attack
from tests.abuse.catalogue import ATTACKS
from tests.abuse.playing import Stage
from tests.kit.redis import RedisServer


@contextlib.contextmanager
def _redis(is_needed: bool) -> Iterator[str | None]:
    if not is_needed:
        yield None
        return
    with RedisServer() as server:
        yield server.url


def _play(chosen: Sequence[Attack], repeat: int) -> bool:
    """Play each as often as asked, print what came of it, and return whether every bound held."""
    figures: dict[str, list[float]] = collections.defaultdict(list)
    is_held = True
    print("| attack | cost to the attackers | what others notice | bound | held | seconds |")
    print("|---|---|---|---|---|---|")
    with _redis(any(attack.workers > 1 for attack in chosen)) as redis_url:
        for _ in range(repeat):
            # The figures of one round and the next are of different servers: each begins as the first did.
            with Stage(redis_url, is_timed=True) as stage:
                for attack in chosen:
                    began = time.monotonic()
                    outcome = asyncio.run(stage.play(attack))
                    took = time.monotonic() - began
                    held = "no" if outcome.faults else "yes"
                    row = (attack.name, outcome.cost, outcome.noticed, attack.bound, held, f"{took:.1f}")
                    print("| " + " | ".join(row) + " |", flush=True)
                    for fault in outcome.faults[:20]:
                        is_held = False
                        print(f"  {attack.name}: {fault}", flush=True)
                    for what, value in outcome.figures.items():
                        figures[f"{attack.name}: {what}"].append(value)
    _print_spread(figures)
    return is_held


def _print_spread(figures: dict[str, list[float]]) -> None:
    if not figures:
        return
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"\nLowest to highest of {max(map(len, figures.values()))} rounds; load of the machine at the end {load}:")
    for what, values in figures.items():
        print(f"  {what}: {min(values):.1f} to {max(values):.1f}")


def main() -> int:
    """Play what was asked for, or all."""
    names = {attack.name: attack for attack in ATTACKS}
    parser = argparse.ArgumentParser(prog="python -m tests.abuse")
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=", ".join(names))
    parser.add_argument("--list", action="store_true", help="print the names and bounds, and play nothing")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="play everything N times")
    given = parser.parse_args()
    if unknown := [name for name in given.attacks if name not in names]:
        parser.error(f"there is no attack called {unknown[0]}; --list names them")
    chosen = [names[name] for name in given.attacks] or [*ATTACKS]
    if given.list:
        for attack in chosen:
            print(f"{attack.name}: {attack.bound}")
        return 0
    return 0 if _play(chosen, given.repeat) else 1


if __name__ == "__main__":
    sys.exit(main())
