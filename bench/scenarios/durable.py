"""The stores alone: durable posts per second, and the cost of one."""

from __future__ import annotations

import os

from bench import store as stores
from bench.machine import on_cores
from bench.measure import Bench
from bench.report import Section, figure


def durable(bench: Bench) -> Section:
    """Let 16 authors in 4 rooms, each with one post under way, write directly to the store."""
    load = stores.Load(posts=round(bench.pick(20_000, 4_000)), authors=16, rooms=4)
    figures = []
    notes = ["the databases run on whatever core is free"]
    for name in stores.STORES:
        with on_cores(range(os.cpu_count() or 1)):
            found = stores.run(name, load)
        figures += [
            figure(f"{name}: acks", "1/s", {"ours": [found.acks_per_second]}),
            figure(f"{name}: CPU of ours", "us/post", {"ours": [found.cpu]}),
            figure(f"{name}: p99", "ms", {"ours": [found.latency_ms_99]}),
        ]
        if found.server_cpu is not None:
            figures.append(figure(f"{name}: CPU of its own server", "us/post", {"ours": [found.server_cpu]}))
    return Section(scenario="store", about="durable posts, 16 authors in 4 rooms", figures=figures, notes=notes)
