"""The composition root: chooses the backends, builds the worker and its app, and shuts them down again.

Everything else is given what it works with; only this file knows which bus and which store are used.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette

from chatserver import __version__, wordlists
from chatserver.bus.contract import Bus
from chatserver.bus.memory import Exchange, MemoryBus
from chatserver.bus.redis import RedisBus
from chatserver.config import Settings, effective
from chatserver.domain.errors import Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import NodeId
from chatserver.domain.people.names import warm_up
from chatserver.domain.rooms.aliases import Aliases
from chatserver.domain.rooms.rooms import RoomRules
from chatserver.edge.addresses import Addresses, AddressKeys, trusting
from chatserver.edge.admission import STATE_KEY, Admission
from chatserver.edge.app import build_app
from chatserver.edge.staff_requests import StaffCookies
from chatserver.edge.web_security import Cookies, Origins
from chatserver.handlers.high_water import KEEP_SECONDS, HighWaterKeeper
from chatserver.handlers.listening.queue_simulator import simulation
from chatserver.handlers.moderation.statistics import statistics
from chatserver.handlers.people.identity import Identities, new_member_id
from chatserver.handlers.people.staff import DEVICE_AGE, StaffAccounts
from chatserver.handlers.people.tries import Tries
from chatserver.metrics import Metrics
from chatserver.protocol.internode import NODE_ID_LENGTH
from chatserver.seeds import seed_rooms
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.records import StoreUnavailable
from chatserver.store.store import Store
from chatserver.text_model import load_curve, model_in_use
from chatserver.webroot import web_root
from chatserver.worker import Worker, WorkerOptions

STORE_TIMEOUT_SECONDS = 5.0

log = logging.getLogger("chatserver.server")


def create_app() -> Starlette:
    """Return the ASGI app of one worker, from the effective configuration. uvicorn calls this in every worker."""
    return Server(effective()).app


class Server:
    """A worker with its HTTP and WebSocket side, from its start to the end of its drain. It can be started once."""

    def __init__(self, settings: Settings) -> None:
        metrics = Metrics()
        store = make_store(settings)
        accounts = make_accounts(settings, store)
        identities = Identities(
            store,
            token_key=settings.secret("identity tokens"),
            code_pepper=settings.secret("come-back codes"),
            name_length=settings.limits.name_length,
            now=_now,
            draw=secrets.randbelow,
        )
        model = model_in_use(settings.data_dir) if settings.screening.second_look else None
        self.worker = Worker(
            id=NodeId(secrets.token_hex(NODE_ID_LENGTH // 2)),
            store=store,
            bus=_bus(settings),
            identities=identities,
            accounts=accounts,
            aliases=Aliases(settings.secret("aliases")),
            words=wordlists.load(settings.words_dir),
            challenge_key=settings.secret("challenges"),
            metrics=metrics,
            now=_now,
            monotonic=time.monotonic,
            options=worker_options(settings),
            model=model,
            curve=load_curve(model),
        )
        self.worker.node.stop = _stop
        keys = AddressKeys(settings.secret("address keys"), time.time, settings.networks_shared)
        is_trusted = trusting(settings.trusted_proxies)
        self._admission = Admission(
            settings.limits, lambda address: None if is_trusted(address) else keys.source(address)
        )
        self._admission.on_drain(self._drain)
        self._high_water = HighWaterKeeper(store, settings.data_dir)
        secure = {"auto": None, "always": True, "never": False}[settings.secure_cookies]
        self.app = build_app(
            dispatcher=self.worker.dispatcher,
            identities=identities,
            accounts=accounts,
            enforcement=self.worker.moderation.enforcement,
            statistics=lambda: statistics(store, _now(), settings.store_retention, keep=settings.listening_rules.keep),
            simulation=lambda asked: simulation(
                store, _now(), settings.listening_rules, asked.policy(settings.listening_rules), days=asked.days
            ),
            health=self.worker.health.health,
            exposition=metrics.exposition,
            admission=self._admission,
            addresses=Addresses(keys, settings.limits, time.monotonic, self.worker.node.sharing),
            inner_port=settings.metrics_port,
            tries=make_tries(settings, store),
            origins=Origins(settings.public_origins),
            cookies=Cookies("chat_identity", max_age=settings.store_retention.member_age // 1000, secure=secure),
            staff_cookies=StaffCookies(
                sign_in_seconds=settings.sign_in_age // 1000, device_seconds=DEVICE_AGE // 1000, secure=secure
            ),
            web_root=web_root(),
            lifespan=self._lifespan,
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[dict[str, Any]]:
        worker, node = self.worker, self.worker.node
        await node.store.open()
        try:
            await node.store.add_rooms(seed_rooms())
            await worker.prepare()
            await worker.attach()
            worker.run()
            worker.go_on(self._count_turned_away(), "turned away")
            worker.go_on(self._keep_high_water(), "keep high water")
            # Otherwise the first guest would wait for it, and everybody else with them.
            await asyncio.to_thread(warm_up)
            _calm_collector()
            log.info("worker_started", extra={"node": node.id, "rooms": len(node.rooms)})
            yield {STATE_KEY: self._admission}
        finally:
            await worker.stop()
            with contextlib.suppress(StoreUnavailable, Refusal):
                await self._high_water.keep()
            await node.store.close()
            log.info("worker_stopped", extra={"node": node.id})

    def _drain(self) -> None:
        self.worker.node.is_draining = True

    async def _count_turned_away(self) -> None:
        """Copy the admission's counters into the metrics, because the edge and the metrics do not know each other."""
        metrics = self.worker.node.metrics
        while True:
            await asyncio.sleep(1.0)
            metrics.refused.set(self._admission.refused)
            metrics.went_silent.set(self._admission.went_silent)

    async def _keep_high_water(self) -> None:
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            with contextlib.suppress(StoreUnavailable, Refusal):
                await self._high_water.keep()


def _calm_collector() -> None:
    """Collect cyclic garbage seldom, and never among objects that stay: connections leave no cycles behind, and
    searching thousands of objects repeatedly was a fifth of the cost of a new connection."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def _stop() -> None:
    """End this worker as its supervisor would: sockets are told to reconnect, and another worker is started.

    A worker that runs alone has no supervisor, and handles SIGHUP by serving anew. Elsewhere SIGHUP is ignored, or
    would end the process at once.
    """
    serves_anew = callable(signal.getsignal(signal.SIGHUP))
    signal.raise_signal(signal.SIGHUP if serves_anew else signal.SIGTERM)


def _now() -> Millis:
    return Millis(time.time_ns() // 1_000_000)


def _bus(settings: Settings) -> Bus:
    if settings.redis_url is None:
        return MemoryBus(Exchange())
    return RedisBus(settings.redis_url, prefix=settings.redis_namespace)


def worker_options(settings: Settings) -> WorkerOptions:
    """Return the options that the configuration gives to a worker."""
    limits = settings.limits
    return WorkerOptions(
        limits=limits,
        room_rules=RoomRules(
            contact_policy=settings.listening.contact_details,
            room_contact_policy=settings.rooms.contact_details,
            text_length=limits.text_length,
            warning_length=limits.warning_length,
            edit_window=limits.edit_seconds * 1000,
        ),
        retention=settings.store_retention,
        listening_rules=settings.listening_rules,
        coverage_rules=settings.coverage_rules,
        thresholds=settings.thresholds,
        loads=settings.screening.loads,
        is_second_look_wanted=settings.screening.second_look,
        hours=settings.listening.hours,
        timezone=settings.listening.timezone,
        languages=settings.listening.languages,
        exchange=settings.exchange.enabled,
        safety_contact=settings.safety_contact,
        workers=settings.workers,
        name=f"{socket.gethostname()}:{os.getpid()}",
        version=__version__,
    )


def make_tries(settings: Settings, store: Store) -> Tries:
    """Return the counter of tries of secrets in a store, the same for every worker."""
    return Tries(store, settings.secret("tries"), settings.limits, _now)


def make_accounts(settings: Settings, store: Store) -> StaffAccounts:
    """Return the staff accounts in a store."""
    return StaffAccounts(
        store,
        tries=make_tries(settings, store),
        new_id=lambda: new_member_id(secrets.randbelow),
        now=_now,
        name_length=settings.limits.name_length,
        sign_in_age=settings.sign_in_age,
        invitation_age=settings.invitation_age,
        device_key=settings.secret("device cookies"),
    )


def make_store(settings: Settings) -> Store:
    """Return the configured store, not opened yet."""
    key = settings.secret("sealed copies")
    scheme, _, rest = settings.database_url.partition("://")
    if scheme == "sqlite":
        return SqliteStore(rest.removeprefix("/"), timeout=STORE_TIMEOUT_SECONDS, sealing_key=key)
    # asyncpg is an optional dependency, which SQLite does not need.
    from chatserver.store.drivers.postgres import PostgresStore  # noqa: PLC0415

    return PostgresStore(
        settings.database_url,
        timeout=STORE_TIMEOUT_SECONDS,
        sealing_key=key,
        connections=settings.database_connections,
    )
