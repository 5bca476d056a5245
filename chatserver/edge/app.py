"""Builds the ASGI app of one worker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute

from chatserver import __version__
from chatserver.domain.listening.queue_simulator import Simulation
from chatserver.edge import openapi, routes
from chatserver.edge.addresses import Addresses
from chatserver.edge.admission import Admission
from chatserver.edge.documents import DocumentRoutes
from chatserver.edge.http import IdentityRoutes, StatusRoutes
from chatserver.edge.pace import HttpPace, InnerPort
from chatserver.edge.staff import StaffRoutes
from chatserver.edge.staff_requests import StaffCookies
from chatserver.edge.static import StaticFiles
from chatserver.edge.web_security import Cookies, Origins, SecurityHeaders
from chatserver.edge.websocket import ChatSocket
from chatserver.handlers.dispatcher import CommandDispatcher
from chatserver.handlers.listening.queue_simulator import SimulationRequest
from chatserver.handlers.moderation.enforcement import Enforcement
from chatserver.handlers.operating.health import Health
from chatserver.handlers.people.identity import Identities
from chatserver.handlers.people.staff import StaffAccounts
from chatserver.handlers.people.tries import Tries
from chatserver.protocol import asyncapi

if TYPE_CHECKING:
    from starlette.types import StatefulLifespan, StatelessLifespan

    Lifespan = StatelessLifespan[Starlette] | StatefulLifespan[Starlette]


def build_app(
    *,
    dispatcher: CommandDispatcher,
    identities: Identities,
    accounts: StaffAccounts,
    enforcement: Enforcement,
    statistics: Callable[[], Awaitable[str]],
    simulation: Callable[[SimulationRequest], Awaitable[Simulation | None]],
    health: Health,
    exposition: Callable[[], bytes],
    admission: Admission,
    addresses: Addresses,
    tries: Tries,
    origins: Origins,
    cookies: Cookies,
    staff_cookies: StaffCookies,
    web_root: Path,
    inner_port: int | None = None,
    lifespan: Lifespan | None = None,
) -> Starlette:
    """Return the app of one worker. Its lifespan must yield `{STATE_KEY: admission}`, where the sockets look for it.

    `exposition` returns the metrics in Prometheus' text format, `statistics` the statistics for operators as CSV, and
    `simulation` replays the queue under a policy. If `inner_port` is given, only that port serves the metrics.
    """
    identity = IdentityRoutes(
        identities,
        enforcement,
        origins=origins,
        cookies=cookies,
        addresses=addresses,
        tries=tries,
        limits=admission.limits,
    )
    staff = StaffRoutes(
        accounts,
        identities,
        statistics,
        simulation,
        origins=origins,
        cookies=staff_cookies,
        addresses=addresses,
        tries=tries,
        limits=admission.limits,
    )
    status = StatusRoutes(health, exposition)
    documents = DocumentRoutes(partial(openapi.document, __version__), partial(asyncapi.document, __version__))
    socket = ChatSocket(
        dispatcher,
        admission,
        origins=origins,
        cookies=cookies,
        staff_cookies=staff_cookies.sign_in,
        addresses=addresses,
        tries=tries,
    )
    found = [
        WebSocketRoute("/ws", socket),
        *(call.route(status) for call in routes.STATUS),
        *(call.route(identity) for call in routes.IDENTITY),
        *(call.route(staff) for call in routes.STAFF),
        *(call.route(documents) for call in routes.DOCUMENTS),
    ]
    middleware = [
        Middleware(SecurityHeaders),
        Middleware(InnerPort, port=inner_port),
        Middleware(HttpPace, addresses=addresses),
    ]
    app = Starlette(routes=found, middleware=middleware, lifespan=lifespan)
    # As a normal route it would also answer requests whose method the matching route does not allow.
    app.router.default = StaticFiles(web_root)
    app.router.redirect_slashes = False
    return app
