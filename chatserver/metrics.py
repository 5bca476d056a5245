"""This worker's metrics, for Prometheus. No label contains a person, a name, a text or an address.

With several workers, `PROMETHEUS_MULTIPROC_DIR` is set before the first import (by the command line), and a scrape of
any worker covers all.
"""

from __future__ import annotations

import os
from collections import Counter as Counts
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from chatserver.shared_numbers import DIRECTORY_VARIABLE, reserve_room

_LATENCY: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

SMALL: Final = 20
"""People of whom a sum is told only together with others: more than any meeting has."""
_ANSWER: Final = tuple(60.0 * minutes for minutes in (1, 2, 5, 10, 20, 30, 60, 120, 240, 720, 1_440))
"""Buckets for people's reactions: a call should be answered within five minutes, a report within an hour."""


class Metrics:
    """One worker's instruments. Made once, by the server, and passed to everything else."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        reserve_room()
        registry = self._registry = CollectorRegistry()
        self.connections = Gauge(
            "chat_connections", "Open connections.", registry=registry, multiprocess_mode="livesum"
        )
        self.members = Gauge(
            "chat_room_members", "Members in a room, over all workers.", ["room"], registry=registry,
            multiprocess_mode="livemostrecent",
        )  # fmt: skip
        self.posts = Counter("chat_posts_total", "Posts committed.", registry=registry)
        self.signals = Counter(
            "chat_signals_total",
            "Signals in the words of posts, by category and level; level 2 and above are reported to moderators.",
            ["category", "level"],
            registry=registry,
        )
        self.unread = Counter(
            "chat_unread_texts_total",
            "Texts made so that they could not be screened to their end; each was reported to moderators.",
            registry=registry,
        )
        self.second_looks = Counter(
            "chat_second_looks_total",
            "Posts that the linear model looked at after they were saved: looked (all), raised (told to moderators),"
            " put_off (too many waited; looked at later), again (read from the store, because a worker may have missed"
            " them).",
            ["outcome"],
            registry=registry,
        )
        self.commands = Counter(
            "chat_commands_total", "Commands by name and outcome.", ["cmd", "outcome"], registry=registry
        )
        self.command_seconds = Histogram(
            "chat_command_seconds",
            "From a command's arrival to its reply.",
            ["cmd"],
            registry=registry,
            buckets=_LATENCY,
        )
        self.deliveries = Counter("chat_deliveries_total", "Publications written to connections.", registry=registry)
        self.delivered_bytes = Counter(
            "chat_delivered_bytes_total", "Bytes of publications written.", registry=registry
        )
        self.commit_seconds = Histogram(
            "chat_commit_seconds",
            "From handing a change to the store until it is durable.",
            registry=registry,
            buckets=_LATENCY,
        )
        self.delivery_seconds = Histogram(
            "chat_delivery_seconds",
            "From a post's commit time to its first write here.",
            registry=registry,
            buckets=_LATENCY,
        )
        self.outbox_bytes = Gauge(
            "chat_outbox_bytes", "Bytes waiting for slow connections.", registry=registry, multiprocess_mode="livesum"
        )
        self.behind = Gauge(
            "chat_connections_behind", "Connections in catch-up.", registry=registry, multiprocess_mode="livesum"
        )
        self.healed = Counter(
            "chat_holes_healed_total",
            "Publications taken from the store because the bus had not brought them.",
            ["why"],
            registry=registry,
        )
        self.recoveries = Counter(
            "chat_recoveries_total", "Reconnections by how they were served.", ["how"], registry=registry
        )
        self.evictions = Counter("chat_evictions_total", "Connections closed by us.", ["why"], registry=registry)
        self.refused = Gauge(
            "chat_upgrades_refused",
            "Sockets turned away since the start.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.went_silent = Gauge(
            "chat_went_silent",
            "Sockets dropped since the start because nothing was heard from them.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.bus_attached = Gauge(
            "chat_bus_attached", "Workers whose bus carries messages.", registry=registry, multiprocess_mode="livesum"
        )
        self.bus_lag_seconds = Gauge(
            "chat_bus_lag_seconds", "The last round trip of a probe.", registry=registry, multiprocess_mode="livemax"
        )
        self.bus_dropped = Gauge(
            "chat_bus_dropped",
            "Payloads that workers could not send over the bus.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.store_reads = Counter("chat_store_reads_total", "Reads of the log by purpose.", ["why"], registry=registry)
        self.store_failures = Counter(
            "chat_store_failures_total", "Times the store could not answer.", registry=registry
        )
        self.store_silent = Gauge(
            "chat_store_silent",
            "Workers whose store does not answer, and that refuse what needs it.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.expired = Counter(
            "chat_channels_expired_total", "Channels that lost expired publications.", registry=registry
        )

        self.loop_lag_seconds = Gauge(
            "chat_loop_lag_seconds",
            "The longest delay of a worker's event loop within the last second.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.resident_bytes = Gauge(
            "chat_resident_bytes", "Memory of the workers.", registry=registry, multiprocess_mode="livesum"
        )
        self.cpu_seconds = Counter("chat_cpu_seconds_total", "Time on the processor.", registry=registry)
        self.workers = Gauge(
            "chat_workers", "Workers that report their load.", registry=registry, multiprocess_mode="livemostrecent"
        )
        self.capacity = Gauge(
            "chat_room_capacity",
            "Capacity of a room; 0 if it is closed.",
            ["room"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.attention = Gauge(
            "chat_attention",
            "Things that need attention, by kind, as on the operators' page.",
            ["kind"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )

        self.reports_open = Gauge(
            "chat_reports_open",
            "Reports that are not closed, by reason.",
            ["reason"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.reports_overdue = Gauge(
            "chat_reports_overdue",
            "Reports that should have been answered by now.",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.reports_stranded = Gauge(
            "chat_reports_stranded",
            "Open reports about people who work here that nobody who works here may handle.",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.reports_folded = Gauge(
            "chat_reports_folded",
            "Open reports that came in a flood and are folded into cards.",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.report_floods = Gauge(
            "chat_report_floods",
            "Open cards that hold a flood of reports.",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.rings = Counter(
            "chat_rings_total",
            "Rings for this worker's moderators, by kind: sent, or merged into one that was sent.",
            ["kind", "outcome"],
            registry=registry,
        )
        self.report_claim_seconds = Histogram(
            "chat_report_claim_seconds", "From a report until somebody takes it.", registry=registry, buckets=_ANSWER
        )
        self.report_close_seconds = Histogram(
            "chat_report_close_seconds", "From a report until it is closed.", registry=registry, buckets=_ANSWER
        )
        self.measures_taken = Counter("chat_measures_total", "Measures taken, by kind.", ["kind"], registry=registry)
        self.measures_active = Gauge(
            "chat_measures_active",
            "Measures in force, by kind.",
            ["kind"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.appeals = Gauge(
            "chat_appeals_waiting",
            "Measures in force that have an answer.",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.unread_debriefs = Gauge(
            "chat_debriefs_unread",
            "Listeners' notes that no supervisor has read.",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.audit_entries = Gauge(
            "chat_audit_entries", "Entries of the audit log.", registry=registry, multiprocess_mode="livemostrecent"
        )
        self.audit_whole = Gauge(
            "chat_audit_whole",
            "1 if the last check of the audit log found it whole, else 0.",
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.audit_checked_at = Gauge(
            "chat_audit_checked_timestamp_seconds",
            "When the audit log was last checked.",
            registry=registry,
            multiprocess_mode="livemax",
        )

        self.floor_waiting = Gauge(
            "chat_floor_waiting",
            "People who wait for a listener.",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.floor_oldest_wait_seconds = Gauge(
            "chat_floor_oldest_wait_seconds",
            "The longest present wait for a listener.",
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.floor_proposals = Gauge(
            "chat_floor_proposals", "Proposals out.", registry=registry, multiprocess_mode="livemostrecent"
        )
        self.floor_sessions = Gauge(
            "chat_floor_sessions", "Live sessions.", registry=registry, multiprocess_mode="livemostrecent"
        )
        self.floor_listeners = Gauge(
            "chat_floor_listeners",
            "Listeners by state.",
            ["state"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.floor_idle_while_waiting_seconds = Gauge(
            "chat_floor_idle_while_waiting_seconds",
            "How long a listener has been free while a seeker waits whom they could take. Above 1 is a defect.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.floor_broken = Gauge(
            "chat_floor_broken",
            "Guarantees of one-to-one listening that do not hold now, by guarantee. Above 0 is a defect.",
            ["promise"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.listening_version = Gauge(
            "chat_floor_version", "The floor's version here.", registry=registry, multiprocess_mode="livemax"
        )

        self.floor_referred = Counter(
            "chat_floor_referred_total",
            "Sessions with somebody who went first because the host of a meeting offered it: at most one in ten.",
            registry=registry,
        )
        self.meetings = Gauge(
            "chat_meetings",
            "Meetings of support groups that are ahead or live, by form and state.",
            ["form", "state"],
            registry=registry,
            multiprocess_mode="livemostrecent",
        )
        self.meeting_late_seconds = Histogram(
            "chat_meeting_late_seconds",
            "From when a step of a meeting was due until it was committed, with who may write from then on.",
            registry=registry,
            buckets=_LATENCY,
        )
        self.meeting_turns = Counter(
            "chat_meeting_turns_total", "Turns in meetings that ended, by what ended them.", ["end"], registry=registry
        )
        self.meetings_ended = Counter(
            "chat_meetings_ended_total",
            "Meetings that ended, by form and reason.",
            ["form", "ending"],
            registry=registry,
        )
        self._meeting_seats = Counter(
            "chat_meeting_seats_total",
            "Seats in meetings that ended: offered, used, and of people who had a turn. Added once they are of more"
            " people than one meeting has.",
            ["form", "what"],
            registry=registry,
        )
        self._seats_kept: dict[str, Counts[str]] = {}

        self._answered: dict[tuple[str, str], tuple[Counter, Histogram]] = {}
        """The instruments of each command and outcome: prometheus_client looks for them for longer than it counts."""

    def meeting_seats(self, form: str, **counts: int) -> None:
        """Count the seats of a meeting that ended. They are held back until they are of so many people that nothing is
        told of one meeting."""
        kept = self._seats_kept.setdefault(form, Counts())
        kept.update(counts)
        if kept["used"] >= SMALL and kept["meetings"] >= 1:
            for what in counts:
                self._meeting_seats.labels(form, what).inc(kept[what])
            kept.clear()
        else:
            kept["meetings"] += 1

    def answered(self, command: str, outcome: str, seconds: float) -> None:
        """Count a command that was answered after so many seconds. `outcome` is "ok" or a reason to refuse."""
        found = self._answered.get((command, outcome))
        if found is None:
            found = self.commands.labels(command, outcome), self.command_seconds.labels(command)
            self._answered[(command, outcome)] = found
        counter, histogram = found
        counter.inc()
        histogram.observe(seconds)

    @staticmethod
    def total(counter: Counter) -> int:
        """Return the count of one counter of this worker, over all its labels."""
        return sum(
            round(sample.value) for metric in counter.collect() for sample in metric.samples if "_total" in sample.name
        )

    def exposition(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        directory = os.environ.get(DIRECTORY_VARIABLE)
        if directory is None:
            return generate_latest(self._registry)
        _forget_dead_workers(directory)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, directory)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def _forget_dead_workers(directory: str) -> None:
    """Remove the gauges of workers that were killed, which would otherwise stay for ever."""
    pids = {int(name.rsplit("_", 1)[1][:-3]) for name in os.listdir(directory) if name.startswith("gauge_")}
    for pid in pids:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, directory)  # type: ignore[no-untyped-call]
        except PermissionError:
            continue
