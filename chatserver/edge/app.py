"""The ASGI app, put together from its parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute

from chatserver.edge.addresses import Addresses
from chatserver.edge.gate import Gate
from chatserver.edge.guard import Cookies, Origins, SecurityHeaders
from chatserver.edge.http import IdentityRoutes, StatusRoutes, answering
from chatserver.edge.staff import StaffRoutes
from chatserver.edge.static import StaticFiles
from chatserver.edge.websocket import ChatSocket
from chatserver.handlers.desk import Desk
from chatserver.handlers.health import Health
from chatserver.handlers.identity import Identities
from chatserver.handlers.staff import StaffAccounts

if TYPE_CHECKING:
    from starlette.types import StatefulLifespan, StatelessLifespan

    Lifespan = StatelessLifespan[Starlette] | StatefulLifespan[Starlette]


def build_app(
    *,
    desk: Desk,
    identities: Identities,
    accounts: StaffAccounts,
    health: Health,
    exposition: Callable[[], bytes],
    gate: Gate,
    addresses: Addresses,
    origins: Origins,
    cookies: Cookies,
    staff_cookies: Cookies,
    web_root: Path,
    lifespan: Lifespan | None = None,
) -> Starlette:
    """The app of one worker. Its lifespan must yield `{STATE_KEY: gate}`, so that the sockets find the gate too.

    `exposition` gives the metrics in Prometheus' text format.
    """
    identity = IdentityRoutes(identities, origins=origins, cookies=cookies, addresses=addresses, limits=gate.limits)
    staff = StaffRoutes(
        accounts, identities, origins=origins, cookies=staff_cookies, addresses=addresses, limits=gate.limits
    )
    status = StatusRoutes(health, exposition)
    socket = ChatSocket(desk, gate, origins=origins, cookies=cookies, staff_cookies=staff_cookies, addresses=addresses)
    routes = [
        WebSocketRoute("/ws", socket),
        Route("/healthz", answering(status.alive), methods=["GET"]),
        Route("/readyz", answering(status.ready), methods=["GET"]),
        Route("/metrics", answering(status.metrics), methods=["GET"]),
        Route("/api/identity", answering(identity.arrive), methods=["POST"]),
        Route("/api/identity/restore", answering(identity.restore), methods=["POST"]),
        Route("/api/identity/export", answering(identity.export), methods=["GET"]),
        Route("/api/identity/erase", answering(identity.erase), methods=["POST"]),
        Route("/api/identity/forget", answering(identity.forget), methods=["POST"]),
        Route("/api/staff/sign-in", answering(staff.sign_in), methods=["POST"]),
        Route("/api/staff/sign-out", answering(staff.sign_out), methods=["POST"]),
        Route("/api/staff/invitation", answering(staff.accept), methods=["POST"]),
        Route("/api/staff/me", answering(staff.me), methods=["GET"]),
        Route("/api/staff/confirm", answering(staff.confirm), methods=["POST"]),
        Route("/api/staff/password", answering(staff.change_password), methods=["POST"]),
        Route("/api/staff/totp", answering(staff.begin_totp), methods=["POST"]),
        Route("/api/staff/totp/on", answering(staff.set_totp), methods=["POST"]),
        Route("/api/staff/totp/off", answering(staff.remove_totp), methods=["POST"]),
        Route("/api/staff/export", answering(staff.export), methods=["GET"]),
        Route("/api/staff/erase", answering(staff.erase), methods=["POST"]),
        Route("/api/staff/people", answering(staff.people), methods=["GET"]),
        Route("/api/staff/invite", answering(staff.invite), methods=["POST"]),
        Route("/api/staff/roles", answering(staff.set_roles), methods=["POST"]),
        Route("/api/staff/revoke", answering(staff.revoke), methods=["POST"]),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(SecurityHeaders)], lifespan=lifespan)
    # As a route of its own it would take what another route refuses for its method.
    app.router.default = StaticFiles(web_root)
    app.router.redirect_slashes = False
    return app
