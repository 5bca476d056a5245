"""What a seed determines: how big its world is, how narrow its bounds are, and what goes wrong in it when."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from chatserver.bus.memory import Faults
from chatserver.domain.limits import Limits
from chatserver.store.records import Retention

HOUR = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong at a moment. `target` chooses a worker or a client; `seconds` is how long it lasts."""

    at: float
    kind: str
    target: int
    seconds: float
    detail: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """How the store behaves: probabilities for each batch, and seconds for delays."""

    fail_before: float = 0.0
    fail_after: float = 0.0
    late: float = 0.0
    late_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """Bounds of the product, which are narrow here so that few posts reach them."""

    read_limit: int
    early_limit: int
    page: int
    pending_deltas: int
    linger_seconds: float
    busy: float
    """The probability that writing takes so long that the next flush waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a seed determines, except chances along the way, which are drawn from the same seed."""

    seed: int
    workers: int
    clients: int
    seconds: float
    pause: float
    """Average seconds between two actions of a client."""
    skews: tuple[int, ...]
    limits: Limits
    retention: Retention
    expire_seconds: float
    bus: Faults
    bus_seconds: float
    """The longest delay in seconds of a message that the bus holds back."""
    disk: Disk
    knobs: Knobs
    faults: tuple[Fault, ...]


_KINDS = (
    "kill", "kill", "kill", "drain", "bus down", "bus cut", "bus deaf", "store down", "store hangs", "store fails",
    "cut", "cut", "cut", "half open", "stall", "stall", "stall", "slow", "restore", "gone", "gone",
)  # fmt: skip


def draw(seed: int) -> Plan:
    """Return the plan of a seed."""
    random = Random(f"plan {seed}")
    workers, clients = random.choice((2, 2, 3, 3)), random.choice((2, 3, 3, 4))
    seconds = random.uniform(1.2, 3.5)
    is_small_log = random.random() < 0.25
    is_skewed = not is_small_log and random.random() < 0.4
    outbox = random.choice((800, 2_500, 128 * 1024))
    recovery = random.choice((6, 15, 500))
    return Plan(
        seed=seed,
        workers=workers,
        clients=clients,
        seconds=seconds,
        pause=random.choice((0.4, 0.8, 1.5)),
        skews=tuple(random.randint(-HOUR, HOUR) if is_skewed else 0 for _ in range(workers)),
        limits=Limits(
            commands_per_second=1_000,
            command_burst=1_000,
            member_commands_per_second=1_000,
            member_command_burst=1_000,
            rooms_per_member=100,
            posts_per_second=1_000,
            post_burst=1_000,
            reactions_per_second=1_000,
            reaction_burst=1_000,
            names_per_hour=3_600_000,
            outbox_bytes=outbox,
            catch_up_seconds=random.choice((1.0, 8.0)),
            ring_publications=random.choice((2, 8, 256)),
            recovery_publications=recovery,
        ),
        retention=Retention(posts_per_room=6, dedupe_window=1_500) if is_small_log else Retention(),
        expire_seconds=0.7 if is_small_log else 60.0,
        bus=_bus(random),
        bus_seconds=random.choice((0.02, 0.1, 1.5)),
        disk=_disk(random),
        knobs=Knobs(
            read_limit=random.choice((2, 5, 500)),
            early_limit=random.choice((2, 1_024)),
            page=random.choice((3, 50)),
            pending_deltas=random.choice((2, 256)),
            linger_seconds=random.choice((0.5, 60.0)),
            busy=random.choice((0.0, 0.0, 0.2)),
        ),
        faults=_faults(random, seconds),
    )


def _bus(random: Random) -> Faults:
    if random.random() < 0.3:
        return Faults()
    worst = random.choice((0.1, 0.5))
    return Faults(
        lose=random.choice((0.0, worst)), repeat=random.choice((0.0, worst)), delay=random.choice((0.0, worst))
    )


def _disk(random: Random) -> Disk:
    if random.random() < 0.4:
        return Disk()
    return Disk(
        fail_before=random.choice((0.0, 0.1)),
        fail_after=random.choice((0.0, 0.1)),
        late=random.choice((0.0, 0.1)),
        late_seconds=random.choice((0.1, 2.0)),
    )


def _faults(random: Random, seconds: float) -> tuple[Fault, ...]:
    kinds = random.sample(_KINDS, random.randint(1, 5))
    faults = [
        Fault(
            at=random.uniform(0.2, seconds),
            kind=random.choice(kinds),
            target=random.randrange(60),
            seconds=random.choice((0.05, 0.4, 2.0)) * random.uniform(0.5, 1.5),
            detail=random.randrange(8),
        )
        for _ in range(random.randint(1, 8))
    ]
    return tuple(sorted(faults, key=lambda fault: fault.at))
