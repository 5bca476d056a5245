"""Two workers with Redis and PostgreSQL: latency and cost in one room of 1,000."""

from __future__ import annotations

from contextlib import ExitStack

from bench.machine import cpu_seconds, family
from bench.measure import Bench, Maker, Run, Stage, compare, percentile
from bench.report import OURS, Section, each, figure, most
from bench.targets import RAISED, RAISED_FOR_SENDERS, Chat
from tests.kit.postgres import PostgresServer
from tests.kit.redis import RedisServer

WORKERS, SENDERS, POSTS_PER_SECOND = 2, 8, 40.0
_MS = 1_000


def workers(bench: Bench) -> Section:
    """Measure all servers in turn, repeatedly. The CPU of ours includes both workers, their supervisor, Redis and
    PostgreSQL; the others are one process each."""
    members = round(bench.pick(1_000, 200))
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        # With these settings it keeps what it has acknowledged, as in production.
        database = stack.enter_context(PostgresServer(["fsync=on", "full_page_writes=on"]))
        parts: dict[str, list[float]] = {"Redis": [], "PostgreSQL": []}

        def ours() -> Chat:
            return bench.ours(
                rooms=1,
                raised={**RAISED, **RAISED_FOR_SENDERS},
                workers=WORKERS,
                redis_url=redis.url,
                database_url=database.fresh_database(),
            )

        def measure(stage: Stage) -> tuple[Run, float]:
            """Return the run, and the CPU of everything that belongs to the server."""
            if stage.target.name != OURS:
                run = stage.open(bench.pick(6, 1), POSTS_PER_SECOND)
                return run, run.cpu
            pids = ([redis.process.pid], family(database.process.pid))
            before = [cpu_seconds(one) for one in pids]
            run = stage.open(bench.pick(6, 1), POSTS_PER_SECOND)
            spent = [cpu_seconds(one) - was for one, was in zip(pids, before, strict=True)]
            for name, seconds in zip(parts, spent, strict=True):
                parts[name].append(seconds / run.deliveries * 1e6)
            return run, run.cpu + sum(spent)

        makers: list[Maker] = [ours, *bench.others]
        rounds = compare(
            bench,
            makers,
            members,
            lambda target, inner, idle: Stage(target, 1, members, SENDERS, inner, idle=idle),
            lambda stage: stage.open(bench.pick(1, 0.5), POSTS_PER_SECOND),
            measure,
        )
    shares = ", ".join(f"{name} {min(held):.3g}-{max(held):.3g}" for name, held in parts.items())
    return Section(
        scenario="workers",
        about=f"one room of {members:,} over {WORKERS} workers, Redis and PostgreSQL, {POSTS_PER_SECOND:g} posts/s",
        figures=[
            figure("p50", "ms", each(rounds, lambda one: percentile(one[0].latencies, 0.5) * _MS)),
            figure("p99", "ms", each(rounds, lambda one: percentile(one[0].latencies, 0.99) * _MS)),
            figure("CPU of everything", "s/M deliveries", each(rounds, lambda one: one[1] / one[0].deliveries * 1e6)),
        ],
        notes=[
            f"of which, in s/M: {shares}",
            f"the workers share {len(bench.cores.others)} core(s); Redis and PostgreSQL run beside the load",
            "raised for it: connections and guests per address, commands and posts per second",
        ],
        loads=most(each(rounds, lambda one: one[0].load_share)),
    )
