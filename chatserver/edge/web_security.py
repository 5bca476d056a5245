"""Which browser pages may call this server, and what a browser may do with our pages: origins, cookies and headers."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Collection, Iterable
from enum import Enum
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.requests import cookie_parser

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HOST = r"(?P<host>[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
_ORIGIN: Final = re.compile(rf"(?P<scheme>https?)://{_HOST}")
_AUTHORITY: Final = re.compile(_HOST)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_SECURE_SCHEMES: Final = frozenset({"https", "wss"})

_TOLD_SECONDS: Final = 60.0
"""Seconds between two log lines about refused origins: strangers can cause as many refusals as they like."""
_LONGEST_HOST: Final = 253
_HINT: Final = "a proxy must pass Host on as the browser sent it; or name this origin in public_origins"

_log = logging.getLogger("chatserver.edge")

Place = tuple[str, str, int]
"""An origin's scheme, host and port."""


def is_secure(scope: Scope) -> bool:
    """Return whether the request came over TLS, as far as this server or a trusted proxy in front of it knows."""
    return scope.get("scheme") in _SECURE_SCHEMES


class Standing(Enum):
    """What a request's origin says about who sent it."""

    OURS = "ours"
    """A page of this service: its cookie counts."""
    ABSENT = "absent"
    """Not a browser page, which would send an Origin: a client with a token of its own. Cookies do not count."""
    FOREIGN = "foreign"
    """A page of another site. It is refused."""


class Origins:
    """Judges the Origin header (RFC 6454) of upgrades and of requests that change something.

    A page is ours if it was loaded from the host that the request is for, over the same scheme or a safer one, or from
    a configured origin.
    """

    def __init__(self, allowed: Iterable[str] = (), now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._told_at = float("-inf")
        self._untold = 0
        places = [(origin, _parse_origin(origin)) for origin in allowed]
        for origin, place in places:
            if place is None:
                raise ValueError(f"{origin!r} is not an origin such as https://chat.example.org")
        self._allowed: Collection[Place] = frozenset(place for _, place in places if place is not None)

    def judge(self, scope: Scope) -> Standing:
        """Return what the Origin of a request or an upgrade says about its sender."""
        headers = Headers(scope=scope)
        origins, hosts = headers.getlist("origin"), headers.getlist("host")
        if not origins:
            return Standing.ABSENT
        place = _parse_origin(origins[0]) if len(origins) == 1 else None
        if place is None:
            return Standing.FOREIGN
        if place in self._allowed:
            return Standing.OURS
        here = _parse_host(hosts[0], place[0]) if len(hosts) == 1 else None
        is_safe = place[0] == "https" or not is_secure(scope)
        if here == place[1:] and is_safe:
            return Standing.OURS
        self._tell(headers.get("sec-fetch-site"), origins[0], hosts[0] if here is not None else None)
        return Standing.FOREIGN

    def _tell(self, site: str | None, origin: str, host: str | None) -> None:
        """Log the two values of a comparison that failed: if a proxy rewrites Host, every page is refused, and only
        this line says why.

        The origin is named only if `Sec-Fetch-Site` says that the page is of the same site, so that it is our own. The
        origin of any other page is not logged, because it tells where somebody was. Old browsers, and plain HTTP, send
        no `Sec-Fetch-Site`.
        """
        if site not in {"same-origin", None}:
            return
        self._untold += 1
        now = self._now()
        if now - self._told_at < _TOLD_SECONDS or len(origin) > _LONGEST_HOST or len(host or "") > _LONGEST_HOST:
            return
        refused, self._untold, self._told_at = self._untold, 0, now
        told = {
            "origin": origin.lower() if site == "same-origin" else "another",
            "host": "unreadable" if host is None else host.lower(),
        }
        _log.warning("origin_refused", extra={**told, "refused": refused, "hint": _HINT})

    def judge_read(self, scope: Scope) -> Standing:
        """Judge a plain GET, with which browsers send no Origin: by `Sec-Fetch-Site`. Browsers too old to send that do
        not send the cookie from foreign pages, because it is SameSite."""
        standing = self.judge(scope)
        if standing is not Standing.ABSENT:
            return standing
        site = Headers(scope=scope).get("sec-fetch-site", "none")
        return Standing.OURS if site in {"same-origin", "none"} else Standing.FOREIGN

    def place(self, scope: Scope, *, reads: bool = False) -> tuple[str, str] | None:
        """Return the origin of a page of ours as its browser writes it, and its host without a port, for making and
        checking passkeys. None if it is not a page of ours. If origins are configured it must be one of them, because a
        passkey stays bound to its host.

        With `reads` the request is a plain GET, with which browsers send no Origin; the origin is then made from
        Host."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None and reads and self.judge_read(scope) is Standing.OURS:
            origin = f"{'https' if is_secure(scope) else 'http'}://{headers.get('host', '')}"
        elif self.judge(scope) is not Standing.OURS:
            return None
        place = None if origin is None else _parse_origin(origin)
        if place is None or origin is None or (self._allowed and place not in self._allowed):
            return None
        return origin, place[1]


class Cookies:
    """One cookie, such as the one with the identity's token. `max_age` is in seconds. `secure` None means that the
    cookie is Secure if the request came over TLS."""

    def __init__(self, name: str, *, max_age: int, secure: bool | None = None) -> None:
        self._name = name
        self._max_age = max_age
        self._secure = secure

    def name(self, scope: Scope) -> str:
        """Return the cookie's name. Over TLS it has the prefix `__Host-`, so that only this host can set it."""
        return f"__Host-{self._name}" if self._is_secure(scope) else self._name

    def token(self, scope: Scope) -> str | None:
        """Return the token in a request's cookies.

        HTTP/2 clients may send each cookie in a field of its own, and not every proxy joins them (RFC 9113, 8.2.3).
        """
        header = "; ".join(Headers(scope=scope).getlist("cookie"))
        return cookie_parser(header).get(self.name(scope)) or None

    def keep(self, scope: Scope, token: str) -> str:
        """Return the Set-Cookie value that stores a token."""
        return self._header(scope, token, self._max_age)

    def drop(self, scope: Scope) -> str:
        """Return the Set-Cookie value that removes the cookie."""
        return self._header(scope, "", 0)

    def _header(self, scope: Scope, value: str, max_age: int) -> str:
        secure = "; Secure" if self._is_secure(scope) else ""
        return f"{self.name(scope)}={value}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Strict{secure}"

    def _is_secure(self, scope: Scope) -> bool:
        return is_secure(scope) if self._secure is None else self._secure


class SecurityHeaders:
    """Adds the security headers to every HTTP response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *security_headers(scope)]}
            await send(message)

        await self._app(scope, receive, send_guarded if scope["type"] == "http" else send)


_FIXED: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"accelerometer=(), camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), usb=()",
    ),
)
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000")


def security_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return the headers for an answer to this request."""
    headers = [(b"content-security-policy", _policy(scope)), *_FIXED]
    if is_secure(scope):
        headers.append(_HSTS)
    return headers


def _policy(scope: Scope) -> bytes:
    """Return the Content-Security-Policy. Older Safaris do not count WebSockets as 'self', so their address is
    named."""
    host = Headers(scope=scope).get("host", "").lower()
    socket = ""
    if _AUTHORITY.fullmatch(host) is not None:
        socket = f" wss://{host}" if is_secure(scope) else f" ws://{host} wss://{host}"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'{socket}; manifest-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ).encode("ascii")


def _parse_origin(origin: str) -> Place | None:
    match = _ORIGIN.fullmatch(origin.lower())
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else _DEFAULT_PORTS[match["scheme"]]
    return match["scheme"], match["host"], port


def _parse_host(host: str, scheme: str) -> tuple[str, int] | None:
    match = _AUTHORITY.fullmatch(host.lower())
    if match is None:
        return None
    return match["host"], int(match["port"]) if match["port"] else _DEFAULT_PORTS[scheme]
