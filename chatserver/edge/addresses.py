"""Limits by address. No address is kept, only keyed hashes of it whose key changes every day."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable, Sequence
from typing import Final, NewType

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.limits import Limits
from chatserver.domain.shared_limits import Shared, SharedBuckets, SharedCounts, Sharing
from chatserver.domain.sources import WIDENING, Prefixes, Source

AddressKey = NewType("AddressKey", bytes)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DAY: Final = 86_400
_HOUR: Final = 3_600.0
_KEY_BYTES: Final = 12
RETRY_CROWDED_SECONDS: Final = 30.0


class AddressKeys:
    """Turns an address into keys that are the same for one day (UTC) on every worker with this secret.

    An IPv6 address counts as its /64, because one customer usually has all addresses in it. `now` returns the wall
    clock in seconds. `shared` lists networks in which many people share one address, each with the factor by which its
    limits are multiplied; if several networks contain an address, the smallest counts.
    """

    def __init__(self, secret: bytes, now: Callable[[], float], shared: Sequence[tuple[str, int]] = ()) -> None:
        self._secret = secret
        self._now = now
        self._day = -1
        self._day_key = b""
        self._key_before = b""
        networks = [(ipaddress.ip_network(network), factor) for network, factor in shared]
        self._shared = sorted(networks, key=lambda each: each[0].prefixlen, reverse=True)

    def key(self, address: str | None) -> AddressKey:
        """Return the key of an address in text. Everything that is not an address (a local socket) shares one key."""
        return AddressKey(self.source(address).key)

    def source(self, address: str | None) -> Source:
        """Return the source that limits count an address in text by. Everything that is not an address (a local
        socket) is the same source."""
        self._turn()
        parsed = _parsed(address)
        networks = _networks(parsed)
        today = tuple(_keyed(network, self._day_key) for network in networks)
        yesterday = tuple(_keyed(network, self._key_before) for network in networks)
        return Source(Prefixes(today, yesterday), self._share(parsed))

    def _turn(self) -> None:
        day = int(self._now()) // _DAY
        if day != self._day:
            self._day = day
            self._day_key = self._key_of(day)
            self._key_before = self._key_of(max(day - 1, 0))

    def _key_of(self, day: int) -> bytes:
        return hashlib.blake2b(day.to_bytes(8, "big"), key=self._secret[:64], person=b"chat.address").digest()

    def _share(self, parsed: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> int:
        if parsed is not None:
            for network, factor in self._shared:
                if parsed.version == network.version and parsed in network:
                    return factor
        return 1


class Addresses:
    """Enforces what one address may do, counted over all workers that `sharing` hears of. `monotonic` is in seconds."""

    def __init__(
        self, keys: AddressKeys, limits: Limits, monotonic: Callable[[], float], sharing: Sharing | None = None
    ) -> None:
        sharing = sharing or Sharing()
        self._keys = keys
        self._monotonic = monotonic
        self._sockets = SharedCounts(sharing, Shared.SOCKETS, limits.connections_per_address)
        guests = limits.guests_per_address_per_hour / _HOUR
        self._guests = SharedBuckets(sharing, Shared.GUESTS, guests, limits.guest_burst_per_address, monotonic)
        exports = limits.exports_per_address_per_hour
        self._exports = SharedBuckets(sharing, Shared.EXPORTS, exports / _HOUR, exports, monotonic)
        calls = limits.calls_per_address_per_second
        self._calls = SharedBuckets(sharing, Shared.CALLS, calls, limits.call_burst_per_address, monotonic)
        files = limits.files_per_address_per_second
        self._files = SharedBuckets(sharing, Shared.FILES, files, limits.file_burst_per_address, monotonic)
        erasures = limits.erasures_per_address_per_hour
        self._erasures = SharedBuckets(sharing, Shared.ERASURES, erasures / _HOUR, erasures, monotonic)
        self._appeals = SharedBuckets(sharing, Shared.APPEALS, exports / _HOUR, exports, monotonic)

    def source(self, client: tuple[str, int] | list[object] | None) -> Source:
        """Return the source of an ASGI scope's `client`."""
        return self._keys.source(address_of(client))

    def source_of(self, address: str | None) -> Source:
        """Return the source of an address in text, by today's keys."""
        return self._keys.source(address)

    def key(self, client: tuple[str, int] | list[object] | None) -> AddressKey:
        """Return the narrowest key of an ASGI scope's `client`."""
        return AddressKey(self.source(client).key)

    def enter(self, source: Source) -> None:
        """Count one more WebSocket. Raises BUSY if the address, or a network around it, has as many as it may."""
        now = self._monotonic()
        pairs = [*zip(source.prefixes.today, WIDENING, strict=False)]
        if any(self._sockets.is_full(key, now, scale * source.share) for key, scale in pairs):
            raise Refusal(Reason.BUSY, retry_after=RETRY_CROWDED_SECONDS)
        for key, _ in pairs:
            self._sockets.enter(key)

    def leave(self, source: Source) -> None:
        """Count one WebSocket less. `source` is the one that `enter` was called with, even if the day has changed."""
        for key in source.prefixes.today:
            self._sockets.leave(key)

    def admit_guest(self, source: Source) -> float:
        """Count a new guest. Return 0.0, or the seconds to wait."""
        return self._guests.take(source)

    def admit_call(self, source: Source) -> float:
        """Count an HTTP call. Return 0.0, or the seconds to wait."""
        return self._calls.take(source)

    def admit_file(self, source: Source) -> float:
        """Count a file of the page. Return 0.0, or the seconds to wait."""
        return self._files.take(source)

    def admit_appeal(self, source: Source) -> float:
        """Count an answer to a moderator's decision. Return 0.0, or the seconds to wait."""
        return self._appeals.take(source)

    def admit_erasure(self, source: Source) -> float:
        """Count a request to be erased. Return 0.0, or the seconds to wait."""
        return self._erasures.take(source)

    def admit_export(self, source: Source) -> float:
        """Count an export of somebody's data. Return 0.0, or the seconds to wait."""
        return self._exports.take(source)


def address_of(client: tuple[str, int] | list[object] | None) -> str | None:
    """Return the address in an ASGI scope's `client`."""
    return None if client is None else str(client[0])


def trusting(proxies: Sequence[str]) -> Callable[[str], bool]:
    """Return a function that tells whether an address in text belongs to a trusted proxy. `proxies` are addresses,
    networks, or "*" for all."""
    networks = [ipaddress.ip_network(each) for each in proxies if each != "*"]

    def is_trusted(address: str) -> bool:
        parsed = _parsed(address)
        return "*" in proxies or (parsed is not None and any(parsed in network for network in networks))

    return is_trusted


def _parsed(address: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if address is None:
        return None
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def _networks(parsed: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> tuple[bytes, ...]:
    """Return the networks that an address is counted by, narrowest first, as their leading bytes."""
    if parsed is None:
        return (b"",)
    packed = parsed.packed
    return (packed,) if parsed.version == 4 else (packed[:8], packed[:7], packed[:6])


def _keyed(network: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(network, key=key, digest_size=_KEY_BYTES).digest()
