"""One in a hundred stops reading: the effect on the others, and the cost for the server until they are disconnected."""

from __future__ import annotations

from contextlib import ExitStack

from bench.load import now
from bench.machine import open_files, queued, resident_quickly
from bench.measure import Bench, Run, Stage, percentile
from bench.report import ENOUGH_ROUNDS, OURS, Mark, Section, figure
from bench.targets import LONG, RAISED, RAISED_FOR_SENDERS, Chat
from tests.kit.process import wait_until

_POSTS_PER_SECOND = 50.0
_SENDERS = 10
_BURST_BYTES = 3 * 1024 * 1024
"""More bytes than the kernel takes for a socket whose peer reads nothing."""
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.25
_MS = 1_000


def slow(bench: Bench) -> Section:
    """Measure calm and stalled periods in turn, on one server, with long posts, so that the kernel's buffers fill up
    soon."""
    members = round(bench.pick(500, 200))
    stalled = members // 100
    repetitions, watches = (0, 1) if bench.quick else (ENOUGH_ROUNDS, ENOUGH_ROUNDS)
    watched: list[_Trial] = []
    calm: list[Run] = []
    beside: list[Run] = []
    with ExitStack() as stack:
        target = bench.ours(rooms=1, raised={**RAISED, **RAISED_FOR_SENDERS}, times=LONG)
        stage = Stage(stack.enter_context(target), 1, members + stalled * (repetitions + watches), _SENDERS, stack)
        # Fill the ring of recent posts first, so that it does not grow during the measurement.
        stage.closed(_PATIENCE_SECONDS, until=lambda elapsed: len(stage.crowd.streams[0].sent) > 300)
        for _ in range(repetitions):
            calm.append(stage.open(10.0, _POSTS_PER_SECOND))
            beside.append(_Trial(stage, target, stalled).run())
        if bench.quick:
            calm.append(stage.open(3.0, _POSTS_PER_SECOND))
        # Reading metrics disturbs the others, so times and memory are measured in trials of their own.
        for _ in range(watches):
            watched.append(_Trial(stage, target, stalled, asks_metrics=True))
            run = watched[-1].run()
            if bench.quick:
                beside.append(run)
    with_stalled, without = ([percentile(run.latencies, 0.99) * _MS for run in runs] for runs in (beside, calm))
    ratios = [one / other for one, other in zip(with_stalled, without, strict=True)]
    freed = [seconds for trial in watched for seconds in trial.freed_after()]
    return Section(
        scenario="slow",
        about=f"{stalled} of {members} members stop reading, {_POSTS_PER_SECOND:g} long posts/s",
        figures=[
            figure("others' p99 beside them", "ms", {"ours": with_stalled}),
            figure("others' p99 without them", "ms", {"ours": without}),
            figure("p99 beside / without", "x", {"ours": ratios}, Mark(most=1.1)),
            figure(
                "memory at most", "KB/stalled client", {"ours": [trial.memory_kb for trial in watched]}, Mark(most=256)
            ),
            figure(
                "in the kernel for it at most",
                "KB/stalled client",
                {"ours": [trial.most_queued / 1_024 for trial in watched]},
            ),
            figure("freed after the bound", "s", {"ours": freed}, Mark(most=10)),
        ],
        notes=[
            "a socket's bound is reached when the kernel's buffers and limits.outbox_bytes are full; seen to 1 s",
            "raised for it: connections and guests per address, commands and posts per second",
        ],
        loads={OURS: max(run.load_share for run in (*calm, *beside))},
    )


class _Trial:
    """Members who stop reading, watched until the server has closed their sockets."""

    def __init__(self, stage: Stage, target: Chat, count: int, *, asks_metrics: bool = False) -> None:
        self._stage = stage
        self._target = target
        self._count = count
        self._pids = target.pids
        self._asks_metrics = asks_metrics
        self._files = open_files(self._pids)
        self._calm = self._most = 0
        self._looked_at = 0.0
        self.most_queued = 0
        """The most bytes that the kernel held for one of them."""
        self._behind_at: list[float] = []
        self._freed_at: list[float] = []

    def run(self) -> Run:
        """Stall them, fill the kernel's buffers with a burst, and go on at the usual pace until the last socket is
        closed. Return the run of this last part. Raises TimeoutError if it takes too long."""
        stage = self._stage
        if self._asks_metrics:
            wait_until(lambda: self._behind() == 0, "the gauge of those behind to be zero")
        for member in [member for member in stage.crowd.members if member.sender is None][: self._count]:
            stage.crowd.deafen(member)
        stage.closed(_PATIENCE_SECONDS, until=self._is_filled)
        run = stage.open(_PATIENCE_SECONDS, _POSTS_PER_SECOND, until=self._is_over)
        if len(self._freed_at) < self._count:
            raise TimeoutError(f"{len(self._freed_at)} of {self._count} stalled clients were let go in time")
        return run

    @property
    def memory_kb(self) -> float:
        """Return the server's largest memory above that before the first was behind, divided by their number."""
        return (self._most - self._calm) / self._count / 1_024

    def freed_after(self) -> list[float]:
        """Return the seconds from falling behind until the socket was closed, pairing both in order of time."""
        return [freed - behind for behind, freed in zip(self._behind_at, self._freed_at, strict=True)]

    def _behind(self) -> int:
        return round(self._target.metrics()["chat_connections_behind"])

    def _is_filled(self, elapsed: float) -> bool:
        self._look()
        return len(self._stage.crowd.streams[0].data) > _BURST_BYTES or bool(self._behind_at)

    def _is_over(self, elapsed: float) -> bool:
        self._look()
        return len(self._freed_at) >= self._count

    def _look(self) -> None:
        at = now()
        if at - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = at
        held = resident_quickly(self._pids)
        if self._asks_metrics:
            # The gauge may be a second old, and still count connections that were closed since.
            behind = min(self._behind() + len(self._freed_at), self._count)
            self._behind_at += [at] * (behind - len(self._behind_at))
            self.most_queued = max(self.most_queued, *queued(self._target.dialect.port))
        if not self._behind_at:
            self._calm = held
        self._most = max(self._most, held)
        gone = self._files - open_files(self._pids)
        self._freed_at += [at] * (gone - len(self._freed_at))
