"""Limits by address, without keeping one: what stands here is a keyed hash that nobody can turn back tomorrow."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable
from typing import Final, NewType

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.limits import Bucket, Limits
from chatserver.domain.staff import fold_login

AddressKey = NewType("AddressKey", bytes)

_DAY: Final = 86_400
_HOUR: Final = 3_600.0
_KEY_BYTES: Final = 12
_TABLE_SIZE: Final = 50_000
RETRY_CROWDED_SECONDS: Final = 30.0


class AddressKeys:
    """Turns an address into a key that is the same all day (UTC) on every worker with this secret, and only then.

    An IPv6 address counts as its /64: whoever has one address there has all of them. `now` is the wall clock, in
    seconds.
    """

    def __init__(self, secret: bytes, now: Callable[[], float]) -> None:
        self._secret = secret
        self._now = now
        self._day = -1
        self._day_key = b""

    def key(self, address: str | None) -> AddressKey:
        """The key of an address in text; all that is not an address (a local socket) shares one."""
        day = int(self._now()) // _DAY
        if day != self._day:
            self._day = day
            self._day_key = hashlib.blake2b(
                day.to_bytes(8, "big"), key=self._secret[:64], person=b"chat.address"
            ).digest()
        return AddressKey(hashlib.blake2b(_network(address), key=self._day_key, digest_size=_KEY_BYTES).digest())


class Buckets:
    """A token bucket for each of many keys. The table is bounded: what was not used for longest is forgotten first,
    so a crowd of strangers can loosen a limit but never fill the memory."""

    def __init__(self, rate: float, burst: float, now: Callable[[], float], size: int = _TABLE_SIZE) -> None:
        self._rate = rate
        self._burst = burst
        self._now = now
        self._size = size
        self._buckets: dict[bytes, Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: bytes) -> float:
        """Count one. 0.0, or how many seconds to wait, and nothing was counted."""
        now = self._now()
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            bucket = Bucket(self._rate, self._burst, now)
            while self._buckets and (len(self._buckets) >= self._size or self._oldest().is_full(now)):
                del self._buckets[next(iter(self._buckets))]
        self._buckets[key] = bucket
        return bucket.take(1.0, now)

    def _oldest(self) -> Bucket:
        return self._buckets[next(iter(self._buckets))]


class Addresses:
    """What one address may do on this worker. `monotonic` is in seconds."""

    def __init__(self, keys: AddressKeys, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._keys = keys
        self._limits = limits
        self._sockets: dict[AddressKey, int] = {}
        self._guests = Buckets(limits.guests_per_address_per_hour / _HOUR, limits.guest_burst_per_address, monotonic)
        tries = limits.code_tries_per_address_per_hour
        self._codes = Buckets(tries / _HOUR, tries, monotonic)
        sign_ins = limits.sign_ins_per_address_per_hour
        self._sign_ins = Buckets(sign_ins / _HOUR, sign_ins, monotonic)
        of_login = limits.sign_ins_per_login_per_hour
        self._logins = Buckets(of_login / _HOUR, of_login, monotonic)
        exports = limits.exports_per_address_per_hour
        self._exports = Buckets(exports / _HOUR, exports, monotonic)
        self._appeals = Buckets(exports / _HOUR, exports, monotonic)

    def key(self, client: tuple[str, int] | list[object] | None) -> AddressKey:
        """The key of an ASGI scope's `client`."""
        return self._keys.key(None if client is None else str(client[0]))

    def enter(self, key: AddressKey) -> None:
        """One more WebSocket. Raises BUSY where the address has as many as it may."""
        here = self._sockets.get(key, 0)
        if here >= self._limits.connections_per_address:
            raise Refusal(Reason.BUSY, retry_after=RETRY_CROWDED_SECONDS)
        self._sockets[key] = here + 1

    def leave(self, key: AddressKey) -> None:
        """One WebSocket less. `key` is the one it entered with, whatever day it is now."""
        left = self._sockets[key] - 1
        if left:
            self._sockets[key] = left
        else:
            del self._sockets[key]

    def admit_guest(self, key: AddressKey) -> float:
        """Count a new guest: 0.0, or the seconds to wait."""
        return self._guests.take(key)

    def admit_code(self, key: AddressKey) -> float:
        """Count a try of a come-back code, or of words: 0.0, or the seconds to wait."""
        return self._codes.take(key)

    def admit_sign_in(self, key: AddressKey) -> float:
        """Count a try of a staff password: 0.0, or the seconds to wait."""
        return self._sign_ins.take(key)

    def admit_login(self, login: str) -> float:
        """Count a try for this login, from whatever address, whether it is anybody's or not: 0.0, or the seconds to
        wait."""
        folded = fold_login(login).encode("utf-8", "surrogatepass")
        return self._logins.take(hashlib.blake2b(folded, digest_size=_KEY_BYTES).digest())

    def admit_appeal(self, key: AddressKey) -> float:
        """Count an answer to a moderator's decision: 0.0, or the seconds to wait."""
        return self._appeals.take(key)

    def admit_export(self, key: AddressKey) -> float:
        """Count a copy of somebody's data: 0.0, or the seconds to wait."""
        return self._exports.take(key)


def _network(address: str | None) -> bytes:
    if address is None:
        return b""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return b""
    if isinstance(parsed, ipaddress.IPv6Address):
        return parsed.packed[:8] if parsed.ipv4_mapped is None else parsed.ipv4_mapped.packed
    return parsed.packed
