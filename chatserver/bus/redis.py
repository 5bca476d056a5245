"""The bus over Redis: one server, the master that Sentinel names, or a Cluster with sharded pub/sub.

There is one connection for each server that carries topics (`link.py`). A single task finds out which servers these
are, makes the missing links, and waits until one is lost or the servers have changed.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from redis.exceptions import RedisError

from chatserver.bus.address import Address, AddressKind, Endpoint, parse_address
from chatserver.bus.contract import OnAttached, OnMessage, Topic
from chatserver.bus.discovery import NotFound, Slots, Topology, discover, is_covered, slot_of
from chatserver.bus.link import Link, LinkError, LinkSettings

START_SECONDS: Final = 1.5
SUBSCRIBE_SECONDS: Final = 0.8
ATTACH_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 0.9
BACKOFF_SECONDS: Final = (0.05, 1.0)
REDISCOVER_SECONDS: Final = 3.0
"""Seconds after which sentinels or cluster nodes are asked again while all is well: a master that was cut off from them
may still talk to this worker."""
REMIND_SECONDS: Final = 30.0
"""Seconds between two lines in the log while detached."""

logger = logging.getLogger("chatserver.bus")


class RedisBus:
    """An implementation of `chatserver.bus.contract.Bus`. Needs Redis 6 (a Cluster: 7) or newer, or Valkey.

    `prefix` keeps installations that share a Redis apart. `buffer_messages` and `buffer_bytes` bound what is published
    and not yet taken by each server. `round_trip_seconds` is for metrics.
    Raises ValueError, from the constructor, for a URL that cannot be read or TLS settings that cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "chat",
        buffer_messages: int = 20_000,
        buffer_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        self._address: Address = parse_address(url)
        try:
            tls = self._address.tls_context()
        except (OSError, RedisError, TypeError) as error:
            raise ValueError(f"the Redis URL's TLS settings cannot be used: {error}") from None
        self._settings = LinkSettings(
            credentials=self._address.credentials,
            tls=tls,
            prefix=f"{prefix}:{self._address.db}",
            is_sharded=self._address.kind is AddressKind.CLUSTER,
            must_be_master=self._address.kind is AddressKind.SENTINEL,
            buffer_messages=buffer_messages,
            buffer_bytes=buffer_bytes,
        )
        self._instance = secrets.token_hex(8)
        self._topics: dict[Topic, None] = {}
        self._links: dict[tuple[Endpoint, Slots], Link] = {}
        self._starts: list[int] = []
        self._owners: list[tuple[int, Link]] = []
        self._wanted: Topology = ()
        self._is_covered = False
        self._is_attached = False
        self._dropped = 0
        self._reason = "not reached yet"
        self._reminded_at = 0.0
        self._on_message: OnMessage | None = None
        self._on_attached: OnAttached | None = None
        self._changed = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def is_attached(self) -> bool:
        """See the contract. In a Cluster: whether every shard is attached."""
        return self._is_attached

    @property
    def is_alone(self) -> bool:
        """See the contract. Who else listens to a topic only Redis knows."""
        return False

    @property
    def dropped(self) -> int:
        """See the contract. Payloads that a server accepted and did not answer before it was lost count as lost."""
        return self._dropped + sum(link.dropped for link in self._links.values())

    @property
    def round_trip_seconds(self) -> float | None:
        """Return how long the last probe took to come back, from the slowest server; None while detached."""
        times = [link.round_trip_seconds for link in self._links.values()]
        return max((t for t in times if t is not None), default=None) if self._is_attached else None

    async def start(self, on_message: OnMessage, on_attached: OnAttached) -> None:
        """See the contract. Usually `on_attached(True)` has been called when this returns."""
        self._on_message, self._on_attached = on_message, on_attached
        self._reminded_at = asyncio.get_running_loop().time()
        self._keeper = asyncio.create_task(self._keep(), name="bus keeper")
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not self._is_attached and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await self._wait_changed(left)
        if not self._is_attached:
            logger.warning("bus not attached yet: %s: %s", self._address, self._reason)

    async def subscribe(self, topics: Collection[Topic]) -> None:
        """See the contract."""
        self._topics.update(dict.fromkeys(topics))
        for link, group in self._by_link(topics):
            link.subscribe(group)
        await self._sync({link for link, _ in self._by_link(topics) if link.is_attached}, SUBSCRIBE_SECONDS)

    async def unsubscribe(self, topics: Collection[Topic]) -> None:
        """See the contract. Does not wait."""
        for topic in topics:
            self._topics.pop(topic, None)
        for link, group in self._by_link(topics):
            link.unsubscribe(group)

    def publish(self, messages: Sequence[tuple[Topic, bytes]]) -> None:
        """See the contract. What is published in one turn of the loop leaves in one write to each server."""
        for topic, payload in messages:
            link = self._link_of(topic)
            if link is None:
                self._dropped += 1
            else:
                link.publish(topic, payload)

    async def close(self) -> None:
        """See the contract. `on_attached` is not called for it."""
        self._on_attached = None
        await self._sync({link for link in self._links.values() if link.is_attached}, CLOSE_SECONDS)
        self._is_attached = False
        self._on_message = None
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        for link in tuple(self._links.values()):
            link.end("the bus is closed")

    # Called by links (`LinkListener`).

    def heard(self, topic: Topic, payload: bytes) -> None:
        """A message arrived."""
        if self._on_message is not None:
            try:
                self._on_message(topic, payload)
            except Exception:
                logger.exception("a bus message could not be handled")

    def attached(self, link: Link) -> None:
        """Note that a link's first probe came back."""
        self._assess()

    def lost(self, link: Link, reason: str) -> None:
        """Note that a link has ended."""
        self._reason = f"{link.endpoint}: {reason}"
        for key, held in tuple(self._links.items()):
            if held is link:
                del self._links[key]
                self._dropped += link.dropped
        self._place()
        self._assess()

    # The keeper.

    async def _keep(self) -> None:
        least, most = BACKOFF_SECONDS
        failures = 0
        while True:
            try:
                await self._take(await discover(self._address, {endpoint for endpoint, _ in self._links}))
            except NotFound as error:
                self._reason = str(error)
            except Exception:
                # Whatever the failure is, the bus must reconnect; it is logged once for each time it was attached.
                logger.log(logging.ERROR if failures == 0 else logging.DEBUG, "bus keeper failed", exc_info=True)
            if self._is_attached:
                failures = 0
                await self._wait_changed(REDISCOVER_SECONDS if self._address.kind is not AddressKind.SINGLE else None)
            else:
                failures += 1
                self._remind()
                await asyncio.sleep(random.uniform(least, min(most, least * 2 ** min(failures, 10))))

    async def _take(self, topology: Topology) -> None:
        """End the links that `topology` does not contain, make the missing ones, and wait until all are attached or one
        failed."""
        self._wanted = topology
        self._is_covered = self._address.kind is not AddressKind.CLUSTER or is_covered(topology)
        for key, link in tuple(self._links.items()):
            if key not in topology:
                link.end("other servers carry the topics now")
        new = [
            Link(endpoint, self._settings, self, self._probe_topic(slots))
            for endpoint, slots in topology
            if (endpoint, slots) not in self._links
        ]
        made = iter(new)
        self._links.update({key: next(made) for key in topology if key not in self._links})
        self._place()
        for link, group in self._by_link(self._topics):
            link.subscribe(group)
        for outcome in await asyncio.gather(*(link.connect() for link in new), return_exceptions=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, LinkError):
                raise outcome
        deadline = asyncio.get_running_loop().time() + ATTACH_SECONDS
        while any(not link.is_attached for link in self._links.values()):
            await self._wait_changed(deadline - asyncio.get_running_loop().time())
            if asyncio.get_running_loop().time() >= deadline:
                for link in tuple(self._links.values()):
                    if not link.is_attached:
                        link.end("the first probe did not come back")

    def _probe_topic(self, slots: Slots) -> Topic:
        """Return a topic of this instance alone that the server with these slots carries."""
        number = 0
        while True:
            topic = f"probe:{self._instance}:{number}"
            if not slots or any(first <= self._slot_of(topic) <= last for first, last in slots):
                return topic
            number += 1

    def _place(self) -> None:
        """Note which link carries which slots."""
        ranges = sorted(
            ((first, last, link) for (_, slots), link in self._links.items() for first, last in slots),
            key=lambda owned: owned[0],
        )
        self._starts = [first for first, _, _ in ranges]
        self._owners = [(last, link) for _, last, link in ranges]

    def _assess(self) -> None:
        """Find out whether the bus is attached now, and report it if that changed."""
        self._changed.set()
        is_attached = (
            self._is_covered
            and bool(self._wanted)
            and all(key in self._links and self._links[key].is_attached for key in self._wanted)
        )
        if is_attached is self._is_attached or self._on_attached is None:
            return
        self._is_attached = is_attached
        if is_attached:
            logger.info("bus attached: %s", self._address)
        else:
            logger.warning("bus detached: %s", self._reason)
            self._reminded_at = asyncio.get_running_loop().time()
        try:
            self._on_attached(is_attached)
        except Exception:
            logger.exception("the bus's change could not be handled")

    def _remind(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._reminded_at >= REMIND_SECONDS:
            self._reminded_at = now
            logger.warning("bus still detached: %s", self._reason)

    # Helpers.

    def _slot_of(self, topic: Topic) -> int:
        return slot_of(f"{self._settings.prefix}:{topic}".encode())

    def _link_of(self, topic: Topic) -> Link | None:
        if not self._settings.is_sharded:
            return next(iter(self._links.values()), None)
        slot = self._slot_of(topic)
        at = bisect_right(self._starts, slot) - 1
        if at < 0 or slot > self._owners[at][0]:
            return None
        return self._owners[at][1]

    def _by_link(self, topics: Iterable[Topic]) -> list[tuple[Link, list[Topic]]]:
        groups: dict[Link, list[Topic]] = {}
        for topic in topics:
            link = self._link_of(topic)
            if link is not None:
                groups.setdefault(link, []).append(topic)
        return list(groups.items())

    async def _sync(self, links: Collection[Link], seconds: float) -> None:
        """Wait for these links' servers. A link that does not answer in time is ended, so that a new one is made."""
        if links:
            settled = await asyncio.gather(*(link.sync(seconds) for link in links))
            for link, is_settled in zip(links, settled, strict=True):
                if not is_settled:
                    link.end("it did not answer in time")

    async def _wait_changed(self, seconds: float | None) -> None:
        """Wait until a link is attached or lost, or the time has passed."""
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            pass
