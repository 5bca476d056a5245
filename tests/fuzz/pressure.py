"""What each attack costs a real server, and what those who talk there meanwhile notice of it.

python -m tests.fuzz.pressure [--peers 200] [--nginx] [ATTACK ...]

With `--nginx` the attacks go through nginx as `deploy/nginx.conf` sets it up, but for TLS; `nginx` must be on PATH.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import psutil

from tests.fuzz import attacks
from tests.fuzz.attacks import Attack, Target
from tests.fuzz.bystanders import Bystanders, bystanders, is_complaint
from tests.fuzz.nginx import Nginx
from tests.kit.server import ChatServer
from tests.kit.waiting import eventually

ENDS: Final[dict[Attack, set[str]]] = {
    attacks.silence: {"408"},
    attacks.slow_heads: {"408"},
    attacks.slow_bodies: {"408"},
    attacks.no_hello: {"closed 4200"},
    attacks.slow_frames: {"held"},
    attacks.bombs: {"closed 1002", "400", "413"},
    attacks.commands: {"closed 4201"},
    attacks.pings: {"closed 4201"},
    attacks.connections: {"101", "503"},
    attacks.requests: {"201", "429"},
    attacks.files: {"200"},
}
"""How each attack's connections may end, or its requests be answered."""
BEHIND_NGINX: Final[dict[Attack, set[str]]] = {
    # nginx says nothing to whoever is late with a head, and holds bodies until they are whole.
    attacks.silence: {"dropped"},
    attacks.slow_heads: {"dropped"},
    attacks.slow_bodies: {"408", "dropped"},
    attacks.bombs: {"closed 1002", "400", "413"},
}
CONFIG: Final[dict[str, Any]] = {"trusted_proxies": ["127.0.0.1"]}


@dataclass(slots=True)
class Figures:
    """What one attack came to."""

    target: Target
    seconds: float = 0.0
    cpu: float = 0.0
    """The part of one core that the server used."""
    grown: int = 0
    """Bytes of resident memory at the worst moment beyond those at the start."""
    people: Bystanders = field(default_factory=Bystanders)
    complaints: list[str] = field(default_factory=list)


async def press(
    server: ChatServer, attack: Attack, peers: int, target: Target, pace: float, ends: set[str] | None = None
) -> Figures:
    """Let so many attack while two talk. All connections must be gone at the end."""
    figures = Figures(target)
    process = psutil.Process(server.process.pid)
    lines = len(server.log())
    async with bystanders(server.ws_url, pace) as figures.people:
        sockets, memory, cpu = len(process.net_connections()), process.memory_info().rss, _cpu(process)
        began = time.monotonic()
        watching = asyncio.create_task(_watch(process, memory, figures))
        try:
            await attack(target, peers)
        finally:
            watching.cancel()
        figures.seconds = time.monotonic() - began
        figures.cpu = (_cpu(process) - cpu) / figures.seconds
        try:
            await eventually(lambda: len(process.net_connections()) <= sockets, 15)
        except TimeoutError:
            figures.complaints.append(f"{len(process.net_connections()) - sockets} connections are left")
    allowed = ENDS[attack] if ends is None else ends
    figures.complaints += figures.people.complaints
    figures.complaints += [f"{count} ended with {end}" for end, count in target.ends.items() if end not in allowed]
    figures.complaints += [f"in the log: {line}" for line in server.log()[lines:] if is_complaint(line)]
    return figures


async def _watch(process: psutil.Process, start: int, figures: Figures) -> None:
    while True:
        figures.grown = max(figures.grown, process.memory_info().rss - start)
        await asyncio.sleep(0.05)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@contextlib.contextmanager
def _door(server: ChatServer, is_behind: bool) -> Iterator[int]:
    """The port where the attack goes."""
    if not is_behind:
        yield server.port
        return
    with Nginx(server.port) as proxy:
        yield proxy.port


def main() -> int:
    """Print a row for each attack; 1 where there is something to complain of."""
    names = {attack.__name__: attack for attack in ENDS}
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.pressure")
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=", ".join(names))
    parser.add_argument("--peers", type=int, default=200)
    parser.add_argument("--nginx", action="store_true")
    given = parser.parse_args()
    print("| attack | connections | how they ended | longest held | server's CPU | memory | bystanders' slowest ack |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    failed = False
    for name in given.attacks or names:
        attack = names[name]
        with ChatServer(config=CONFIG) as server, _door(server, given.nginx) as port:
            # By hand it runs on Linux, where all of 127.0.0.0/8 is here.
            sources = (lambda number: f"127.0.1.{number % 250 + 1}") if given.nginx else None
            target = Target(port, patience=20.0, sources=sources)
            ends = BEHIND_NGINX.get(attack) if given.nginx else None
            figures = asyncio.run(press(server, attack, given.peers, target, 0.5, ends))
        ended = ", ".join(f"{count:,} {end}" for end, count in sorted(target.ends.items()))
        longest = f"{target.longest:.1f} s" if target.longest else "-"
        print(
            f"| {name} | {given.peers} | {ended} | {longest} | {figures.cpu:.0%} | {figures.grown / 2**20:+.1f} MiB"
            f" | {figures.people.slowest_ack * 1000:,.0f} ms |",
            flush=True,
        )
        for complaint in figures.complaints:
            failed = True
            print(complaint)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
