"""How often a secret may be guessed: a rate for each key, and a wait that grows with each wrong answer in a row.

Pure: the clock arrives as an argument. Both states fit into one row, which the store changes in one transaction, so
that they hold over all workers and restarts.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from chatserver.domain.history import Millis


class TryKind(StrEnum):
    """What is guessed, and by what key it is counted. Persisted."""

    SIGN_IN = "sign_in"
    """Staff passwords, by address."""
    LOGIN = "login"
    """Staff passwords, by login, from any address."""
    LOGIN_FROM = "login_from"
    """Staff passwords, by login and address: used up before the login's own, so that one address cannot use that up."""
    KNOWN_BROWSER = "known_browser"
    """Staff passwords, by login and known browser."""
    CONFIRM = "confirm"
    """Proofs of somebody who is signed in, by that sign-in alone."""
    INVITATION = "invitation"
    """Links that make an account, by address."""
    CODE = "code"
    """Come-back codes and words, by address."""
    NEW_CODE = "new_code"
    """Newly made come-back codes, by address."""
    SECOND_FACTOR = "second_factor"
    """Second-factor codes, by member; from a known browser, and of somebody who is signed in, by that."""


class TryCount(msgspec.Struct, frozen=True):
    """A key for which an attempt counts, and how many attempts it may have in the window. `key` is a keyed hash: never
    an address, a login or a member in clear."""

    key: bytes
    allowance: int


SKEW: Final = 1_000
"""Milliseconds by which the clocks of workers differ, or an attempt waits before it is counted."""


class Rate(msgspec.Struct, frozen=True):
    """An allowance in a window of that many milliseconds, as a token bucket: all of it at once, then one each `window /
    allowance`.

    The state is one time, `full_at`: when nothing of what was counted counts any more (the generic cell rate algorithm,
    ITU-T I.371, annex A).
    """

    allowance: int
    window: int

    @property
    def interval(self) -> int:
        """Return the milliseconds after which one attempt is available again."""
        return max(1, self.window // self.allowance)

    def wait(self, full_at: Millis, now: Millis) -> int:
        """Return the milliseconds until an attempt is allowed; 0 if it is allowed at `now`."""
        # A clock that was ahead once must not lock anybody out for longer than the window.
        held = min(full_at, now + self.window)
        left = held - now - (self.window - self.interval)
        # Of two attempts at once the first may be counted last, as if the clock had gone back.
        return 0 if left <= min(SKEW, self.interval // 10) else left

    def after(self, full_at: Millis, now: Millis) -> Millis:
        """Return the state after one attempt at `now`."""
        return Millis(max(now, min(full_at, now + self.window)) + self.interval)


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """A growing lock: the first `free` wrong answers in a row cause no wait, each further one makes the next wait
    twice as long, from `first` to `longest` milliseconds. After `forgotten` milliseconds without an attempt it
    begins anew."""

    free: int
    first: int
    longest: int
    forgotten: int

    def wait_after(self, failures: int) -> int:
        """Return the milliseconds for which nothing may be tried after that many wrong answers in a row."""
        if failures < self.free:
            return 0
        doublings = min(failures - self.free, 32)
        return min(self.first << doublings, self.longest)


class Begun(msgspec.Struct, frozen=True):
    """Whether an answer may be tried. `wait` is in seconds, 0.0 if it may; `failures` counts the wrong answers in a row
    before this one."""

    wait: float
    failures: int


SECOND_FACTOR: Final = Backoff(free=5, first=60_000, longest=4 * 3_600_000, forgotten=3 * 24 * 3_600_000)
"""A code is one of a million, and three are valid at once: somebody who knows the password has 14 attempts on the first
day and 6 on each day that follows, which is one chance in 150 in a year."""

MOST_KEYS: Final = 20_000
"""Keys of one kind that are counted one by one. Further ones share one allowance, so that a crowd neither fills the
database nor pushes anybody out of it."""
CROWD: Final = b""
"""The key under which the further ones are counted."""
CROWD_FACTOR: Final = 10
"""How many times one key's allowance all of the further ones have together."""
