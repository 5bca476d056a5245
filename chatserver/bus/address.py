"""Where Redis is: the URL an operator writes, read once and checked.

    redis://[user[:password]@]host[:port][/db]                          one server
    unix://[user[:password]@]/path[?db=0]                               one server, by its socket
    redis+sentinel://[user[:password]@]host[:port],.../service[/db]     the master that Sentinel names
    redis+cluster://[user[:password]@]host[:port],...                   a Cluster, with sharded pub/sub

`rediss` instead of `redis` means TLS, with redis-py's `ssl_...` options as query parameters. Sentinels that want their
own password get it from the query parameters `sentinel_username` and `sentinel_password`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from ssl import SSLContext
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from redis.asyncio.connection import SSLConnection, parse_url

_PORT: Final = 6379
_SENTINEL_PORT: Final = 26379
_AUTHORITY: Final = re.compile(r"[^/?#]*")


class AddressKind(Enum):
    """How the server that carries a topic is found."""

    SINGLE = auto()
    SENTINEL = auto()
    CLUSTER = auto()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server: a host and a port, or the `path` of a socket."""

    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Credentials for signing in. Redis's first user is called `default`."""

    username: str = "default"
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The content of a Redis URL. `seeds` are the servers to ask first: the server itself, the sentinels, or cluster
    nodes."""

    kind: AddressKind
    seeds: tuple[Endpoint, ...]
    service: str = ""
    db: int = 0
    """The database's number. Pub/sub ignores databases, so it becomes part of the names of topics."""
    credentials: Credentials = Credentials()
    sentinel_credentials: Credentials = Credentials()
    tls: Mapping[str, Any] | None = field(default=None, repr=False)
    """redis-py's `ssl_...` options, or None for a connection without TLS."""

    def __str__(self) -> str:
        seeds = ",".join(str(seed) for seed in self.seeds)
        return f"{self.kind.name.lower()} {seeds}" + (f" {self.service}" if self.service else "")

    def tls_context(self) -> SSLContext | None:
        """Return the TLS settings, or None. Raises OSError or RedisError if a certificate cannot be read."""
        return None if self.tls is None else SSLConnection(**self.tls).ssl_context.get()


def parse_address(url: str) -> Address:
    """Read a Redis URL. Raises ValueError with one line that names what is wrong and holds no password."""
    scheme, _, rest = url.partition("://")
    transport, _, kind_name = scheme.partition("+")
    kinds = {"": AddressKind.SINGLE, "sentinel": AddressKind.SENTINEL, "cluster": AddressKind.CLUSTER}
    kind = kinds.get(kind_name)
    if kind is None or transport not in ("redis", "rediss", "unix") or (transport == "unix" and kind_name):
        raise ValueError(
            f"a Redis URL starts with redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://, not {scheme}://"
        )
    if transport == "unix":
        return _unix(url)
    # `urlsplit` does not accept several hosts as an authority: newer Pythons refuse text before a bracket.
    authority = _AUTHORITY.match(rest)
    assert authority is not None
    userinfo, _, hosts = authority.group().rpartition("@")
    parts = urlsplit(f"redis://{rest[authority.end() :]}")
    seeds = tuple(
        _endpoint(host, _SENTINEL_PORT if kind is AddressKind.SENTINEL else _PORT) for host in hosts.split(",")
    )
    if kind is AddressKind.SINGLE and len(seeds) > 1:
        raise ValueError("a redis:// URL names one server; for several use redis+sentinel:// or redis+cluster://")
    path = unquote(parts.path).strip("/")
    service = ""
    if kind is AddressKind.SENTINEL:
        service, _, path = path.partition("/")
        if not service:
            raise ValueError(
                "a redis+sentinel:// URL ends with the name of the service: redis+sentinel://host:port/NAME"
            )
    username, colon, password = userinfo.partition(":")
    query, sentinel_credentials = _query(parts.query)
    if query and transport == "redis":
        raise ValueError(f"{min(query)} needs rediss:// (TLS)")
    return Address(
        kind=kind,
        seeds=seeds,
        service=service,
        db=_number(path or "0", "database"),
        credentials=_credentials(unquote(username), unquote(password) if colon else None),
        sentinel_credentials=sentinel_credentials,
        tls=query if transport == "rediss" else None,
    )


def _unix(url: str) -> Address:
    parsed = parse_url(url)
    path = parsed.get("path")
    if not path:
        raise ValueError("a unix:// URL holds the path of a socket: unix:///run/redis/redis.sock")
    return Address(
        kind=AddressKind.SINGLE,
        seeds=(Endpoint("", 0, path),),
        db=parsed.get("db", 0),
        credentials=_credentials(parsed.get("username", ""), parsed.get("password")),
    )


def _endpoint(text: str, default_port: int) -> Endpoint:
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(default_port)
    host = unquote(host.removeprefix("[").removesuffix("]"))
    if not host:
        raise ValueError("a Redis URL names at least one host")
    return Endpoint(host, _number(port, "port"))


def _number(text: str, what: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise ValueError(f"the {what} in a Redis URL is a number, not {text!r}")
    return int(text)


def _credentials(username: str, password: str | None) -> Credentials:
    return Credentials(username=username or "default", password=password)


def _query(text: str) -> tuple[dict[str, Any], Credentials]:
    """Return the `ssl_...` options as redis-py reads them, and the sentinels' own credentials."""
    given = {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
    username = given.pop("sentinel_username", "")
    password = given.pop("sentinel_password", None)
    for name in given:
        if not name.startswith("ssl_"):
            raise ValueError(f"the Redis URL's parameter {name!r} is not known")
    options: dict[str, Any] = dict(parse_url(f"redis://?{urlencode(given)}"))
    return options, _credentials(username, password)
