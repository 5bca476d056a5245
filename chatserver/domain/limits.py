"""Every limit in one table, and the token bucket that counts every rate.

Pure: the clock arrives as an argument. `docs/operating.md` repeats this table for operators; a test compares the two.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes, characters (code points), seconds, or counts, as each name says. The defaults are those of a new
    server."""

    # Frames and commands
    frame_bytes: int = 16_384
    bad_frames: int = 10
    """Unreadable frames on one connection before it is closed."""
    commands_per_second: float = 10.0
    """Per connection, on average; each command has a cost in the table."""
    command_burst: float = 40.0
    member_commands_per_second: float = 20.0
    """Per member over all their connections."""
    member_command_burst: float = 80.0
    posts_per_second: float = 1.0
    """Posts and edits of one member over all rooms: nobody can push a room's history out by posting."""
    post_burst: float = 30.0
    reactions_per_second: float = 0.5
    """Reactions of one member, added or removed; on one post ten a minute."""
    reaction_burst: float = 30.0
    names_per_hour: float = 3.0
    codes_per_minute: float = 1.0
    commands_in_flight: int = 16
    """Per connection; reading stops above it."""
    # Text
    text_length: int = 2_000
    warning_length: int = 80
    name_length: int = 24
    edit_seconds: int = 600
    # Rooms and people
    rooms_per_connection: int = 20
    rooms_per_member: int = 3
    """Themed rooms in which one member has a seat at once, over all connections and workers."""
    newcomer_share: float = 0.25
    """Share of a room's seats for guests younger than an hour from one address."""
    idle_seat_seconds: float = 900.0
    """Seconds that a member may do nothing in a full room before their seat is given to somebody who wants to enter."""
    connections_per_member: int = 8
    mutes_per_member: int = 500
    people_listed: int = 200
    """How many people of a room are named in its list; the count is always of all."""
    # Alerts of moderators
    alerts_per_address_per_minute: int = 12
    """Alerts that new people of one address raise before they are folded into one card."""
    new_people_alerts_per_minute: int = 10
    """New people of all addresses who raise alerts before they are folded into one card."""
    rings_per_minute: int = 6
    """Rings of each kind at a moderator's connection. Further ones are summed up in one."""
    # Connections
    connections_per_worker: int = 20_000
    connections_per_address: int = 100
    tcp_per_address: int = 200
    """TCP connections of one address that are not WebSockets, on one worker."""
    calls_per_address_per_second: float = 10.0
    call_burst_per_address: float = 200.0
    files_per_address_per_second: float = 50.0
    file_burst_per_address: float = 2_000.0
    guests_per_address_per_hour: float = 60.0
    guest_burst_per_address: float = 30.0
    code_tries_per_address_per_hour: float = 20.0
    new_codes_per_address_per_hour: float = 20.0
    exports_per_address_per_hour: float = 20.0
    erasures_per_address_per_hour: float = 60.0
    sign_ins_per_address_per_hour: float = 60.0
    sign_ins_per_login_per_hour: float = 30.0
    """Staff passwords tried for one login, from any address."""
    header_seconds: float = 10.0
    hello_seconds: float = 10.0
    ping_seconds: float = 25.0
    pong_seconds: float = 20.0
    session_ping_seconds: float = 4.0
    """The same as `ping_seconds`, for listeners and for both sides of a session."""
    http_body_bytes: int = 4_096
    # Delivery
    outbox_bytes: int = 128 * 1024
    """Bytes that may wait in memory for one connection before it is moved to catch-up."""
    catch_up_seconds: float = 8.0
    """Seconds that a connection in catch-up may go without taking a byte."""
    ring_publications: int = 256
    """Recent publications of each channel that a worker keeps, to answer returns without the store."""
    recovery_publications: int = 500
    """A return that missed more than this gets a gap and the newest page."""
    drain_seconds: float = 20.0
    """Seconds over which closes are spread at shutdown."""


class Counted(StrEnum):
    """The scope in which a limit is counted."""

    EACH = "each"
    """Separately for each thing that it names: a frame, a connection, a room."""
    WORKER = "worker"
    """Separately for each worker."""
    ALL = "all"
    """Over all workers, which tell each other (`shared_limits`); each by itself while Redis is away."""
    DIVIDED = "all, divided"
    """The same; while Redis is away each worker allows its part."""
    DATABASE = "database"
    """Over all workers and restarts, in the store; while the store is away nobody may try."""


COUNTED: Final[dict[str, Counted]] = {
    **dict.fromkeys(("connections_per_worker", "tcp_per_address"), Counted.WORKER),
    **dict.fromkeys(
        (
            "member_commands_per_second",
            "member_command_burst",
            "posts_per_second",
            "post_burst",
            "reactions_per_second",
            "reaction_burst",
            "names_per_hour",
            "codes_per_minute",
            "connections_per_member",
            "rooms_per_member",
            "newcomer_share",
        ),
        Counted.ALL,
    ),
    **dict.fromkeys(
        (
            "connections_per_address",
            "calls_per_address_per_second",
            "call_burst_per_address",
            "files_per_address_per_second",
            "file_burst_per_address",
            "guests_per_address_per_hour",
            "guest_burst_per_address",
            "exports_per_address_per_hour",
            "erasures_per_address_per_hour",
        ),
        Counted.DIVIDED,
    ),
    **dict.fromkeys(
        (
            "alerts_per_address_per_minute",
            "new_people_alerts_per_minute",
            "code_tries_per_address_per_hour",
            "new_codes_per_address_per_hour",
            "sign_ins_per_address_per_hour",
            "sign_ins_per_login_per_hour",
        ),
        Counted.DATABASE,
    ),
}
"""All other limits are counted for each thing separately."""

_ROUNDING: Final = 1e-9
"""The most that adding fractions may lose: a wait that was promised is long enough."""


class Bucket:
    """A token bucket: `rate` per second on average, `burst` at once, both above zero. Time is any monotonic clock in
    seconds. A cost above `burst` takes a whole bucket, so that it is expensive and not impossible."""

    __slots__ = ("burst", "level", "rate", "seen")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self.level = burst
        self.seen = now

    def refill(self, now: float) -> None:
        """Add the tokens that have accrued since the last call."""
        if now > self.seen:
            self.level = min(self.burst, self.level + (now - self.seen) * self.rate)
            self.seen = now

    def wait(self, cost: float, now: float) -> float:
        """Return 0.0 if `cost` is available, or the seconds until it would be. Takes nothing."""
        self.refill(now)
        cost = min(cost, self.burst)
        return 0.0 if self.level >= cost - _ROUNDING else (cost - self.level) / self.rate

    def take(self, cost: float, now: float) -> float:
        """Take `cost` and return 0.0, or take nothing and return the seconds until it would be available."""
        self.refill(now)
        cost = min(cost, self.burst)
        if self.level >= cost - _ROUNDING:
            self.level = max(0.0, self.level - cost)
            return 0.0
        return (cost - self.level) / self.rate

    def owe(self, cost: float, now: float) -> None:
        """Charge a cost that was found out only afterwards. At most half of the burst is owed: nobody waits long for a
        cost that they did not know."""
        self.refill(now)
        self.level = max(self.level - cost, min(self.level, -self.burst / 2))

    def is_full(self, now: float) -> bool:
        """Return whether forgetting this bucket would change nothing."""
        return self.level + (now - self.seen) * self.rate >= self.burst
