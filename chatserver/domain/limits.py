"""Every limit in one table, and the one way a rate is counted.

Pure: the clock arrives as an argument. `docs/operating.md` repeats this table for operators; a test compares the two.
"""

from __future__ import annotations

from typing import Final

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes, characters (code points), seconds, or counts, as each name says. The defaults are what a server starts
    with."""

    # Frames and commands
    frame_bytes: int = 16_384
    bad_frames: int = 10
    """Unreadable frames on one connection before it is closed."""
    commands_per_second: float = 10.0
    """Per connection, on average; each command has a cost in the table."""
    command_burst: float = 40.0
    member_commands_per_second: float = 20.0
    """Per member over all their connections on one worker."""
    member_command_burst: float = 80.0
    posts_per_second: float = 1.0
    """Posts of one member over all rooms on one worker: nobody can talk a room's history out of it."""
    post_burst: float = 30.0
    commands_in_flight: int = 16
    """Per connection; reading stops above it."""
    # Text
    text_length: int = 2_000
    warning_length: int = 80
    name_length: int = 24
    edit_seconds: int = 600
    # Rooms and people
    rooms_per_connection: int = 20
    connections_per_member: int = 8
    mutes_per_member: int = 500
    people_listed: int = 200
    """How many people of a room are named in its roster; the count is always of all."""
    # Connections
    connections_per_worker: int = 20_000
    connections_per_address: int = 100
    guests_per_address_per_hour: float = 60.0
    guest_burst_per_address: float = 30.0
    code_tries_per_address_per_hour: float = 20.0
    exports_per_address_per_hour: float = 20.0
    sign_ins_per_address_per_hour: float = 60.0
    sign_ins_per_login_per_hour: float = 30.0
    """Staff passwords tried for one login, from wherever, on one worker."""
    header_seconds: float = 10.0
    hello_seconds: float = 10.0
    ping_seconds: float = 25.0
    pong_seconds: float = 20.0
    http_body_bytes: int = 4_096
    # Delivery
    outbox_bytes: int = 128 * 1024
    """What one connection may have waiting in memory before it is moved to catch-up."""
    catch_up_seconds: float = 8.0
    """How long a connection in catch-up may go without taking a byte."""
    ring_publications: int = 256
    """Recent publications of each channel that a worker keeps to answer returns without the store."""
    recovery_publications: int = 500
    """A return that missed more than this gets a gap and the newest page."""
    drain_seconds: float = 20.0
    """Over how long closes are spread at shutdown."""


_ROUNDING: Final = 1e-9
"""What adding up fractions may lose: a wait that was promised is long enough."""


class Bucket:
    """A token bucket: `rate` per second on average, `burst` at once, both above zero. Time is any monotonic clock in
    seconds. A cost above `burst` takes a whole bucket, so that it is dear and not impossible."""

    __slots__ = ("burst", "level", "rate", "seen")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self.level = burst
        self.seen = now

    def take(self, cost: float, now: float) -> float:
        """Take `cost` and return 0.0, or take nothing and return how many seconds until it would be there."""
        if now > self.seen:
            self.level = min(self.burst, self.level + (now - self.seen) * self.rate)
            self.seen = now
        cost = min(cost, self.burst)
        if self.level >= cost - _ROUNDING:
            self.level = max(0.0, self.level - cost)
            return 0.0
        return (cost - self.level) / self.rate

    def is_full(self, now: float) -> bool:
        """Whether forgetting this bucket would change nothing."""
        return self.level + (now - self.seen) * self.rate >= self.burst
