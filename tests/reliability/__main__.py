"""What breaks, how often, and what of it anybody notices: a table, from real servers that are really killed.

python -m tests.reliability [SCENARIO ...] [--long] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
import traceback
from pathlib import Path

import msgspec

from tests.kit.postgres import PostgresServer
from tests.kit.redis import RedisServer
from tests.reliability.catalogue import SCENARIOS, run
from tests.reliability.cluster import Parts
from tests.reliability.report import Row, as_table


class Report(msgspec.Struct, kw_only=True):
    """Everything that one call found."""

    at: str
    is_long: bool
    rows: list[Row]
    failures: dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/faults", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("scenario", nargs="*", metavar="SCENARIO", help=f"all, unless given: {', '.join(SCENARIOS)}")
    parser.add_argument("--long", action="store_true", help="as often and as long as docs/reliability.md says")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there")
    given = parser.parse_args()
    unknown = [name for name in given.scenario if name not in SCENARIOS]
    if unknown:
        parser.error(f"there is no scenario {unknown[0]}; there are {', '.join(SCENARIOS)}")
    report = Report(at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), is_long=given.long, rows=[], failures={})
    for name in given.scenario or SCENARIOS:
        began = time.monotonic()
        try:
            report.rows.append(asyncio.run(_alone(name, is_long=given.long)))
        except Exception as error:  # noqa: BLE001 (what fails does not stop the rest)
            traceback.print_exc()
            report.failures[name] = f"{type(error).__name__}: {error}"
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(as_table(report.rows, is_long=given.long))
    for name, problem in report.failures.items():
        print(f"- {name} did not end: {problem}")
    if given.json is not None:
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    is_well = all(row.is_clean and not row.missed() for row in report.rows) and not report.failures
    sys.exit(0 if is_well else 1)


async def _alone(name: str, *, is_long: bool) -> Row:
    """Run one scenario with servers of its own."""
    with contextlib.ExitStack() as stack:
        parts = Parts(stack.enter_context(RedisServer()), stack.enter_context(PostgresServer()), stack)
        return await run(name, parts, lambda make: stack.enter_context(make()), is_long=is_long)


if __name__ == "__main__":
    main()
