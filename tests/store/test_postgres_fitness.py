"""Databases that cannot be used: the start says so in one line, whatever is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chatserver.store.drivers import postgres_fitness
from chatserver.store.drivers.migrate import migrate
from chatserver.store.store import Unfit
from tests.kit import forks
from tests.kit.postgres import PostgresServer
from tests.store.kit import postgres_database


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _encoded(server: PostgresServer, encoding: str) -> str:
    name = f"{_name(server.fresh_database())}_{encoding.lower()}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
    return server.url(name)


def _read_only(server: PostgresServer) -> str:
    url = server.fresh_database()
    server.execute(f"ALTER DATABASE {_name(url)} SET default_transaction_read_only = on")
    return url


def _stranger(server: PostgresServer, url: str, rights: str = "") -> str:
    name = f"{_name(url)}_stranger"
    server.execute(f"CREATE ROLE {name} LOGIN {rights}")
    return url.replace("chat@", f"{name}@")


def _without_create(server: PostgresServer) -> str:
    url = server.fresh_database()
    server.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC", _name(url))
    return _stranger(server, url)


def _without_schema(server: PostgresServer) -> str:
    url = server.fresh_database()
    server.execute("DROP SCHEMA public", _name(url))
    return _stranger(server, url)


def _without_rights(server: PostgresServer) -> str:
    url = postgres_database(server).url
    name = _stranger(server, url)
    server.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {_name(url)}_stranger", _name(url))
    return name


def _full(server: PostgresServer) -> str:
    return _stranger(server, server.fresh_database(), "CONNECTION LIMIT 0")


def _missing(server: PostgresServer) -> str:
    return server.url("no_such_database")


def _nobody_there(server: PostgresServer) -> str:
    return "postgresql://chat@127.0.0.1:1/chat"


ODD: dict[str, tuple[Callable[[PostgresServer], str], str]] = {
    "SQL_ASCII": (lambda server: _encoded(server, "SQL_ASCII"), "its encoding is SQL_ASCII"),
    "LATIN1": (lambda server: _encoded(server, "LATIN1"), "its encoding is LATIN1"),
    "read-only": (_read_only, "it is read-only"),
    "no CREATE": (_without_create, "may make no tables in the schema public"),
    "no schema": (_without_schema, "has no schema there"),
    "no rights": (_without_rights, "may not read and write the table"),
    "no connections": (_full, "too many connections for role"),
    "no database": (_missing, "does not exist"),
    "nobody there": (_nobody_there, "Connect"),
    "a URL that is none": (lambda server: "postgresql://chat@[::1/chat", "IPv6"),
}


@pytest.fixture(params=ODD)
def odd(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> tuple[str, str]:
    make, words = ODD[request.param]
    return make(postgres_server), words


def test_odd_database_is_named_for_what_it_is(odd: tuple[str, str]) -> None:
    url, words = odd
    with pytest.raises(Unfit, match=words) as caught:
        migrate(url)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", [_read_only, _missing, _full])
def test_start_ends_with_one_line(
    postgres_server: PostgresServer, tmp_path: Path, url: Callable[[PostgresServer], str]
) -> None:
    options = ["--port", "0", "--data-dir", str(tmp_path), "--database-url", url(postgres_server)]
    done = forks.run(["chatserver", "serve", *options])
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("chatserver: cannot use the database postgresql://")


def test_old_server_is_named_with_its_version(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_fitness, "OLDEST", 99)
    with pytest.raises(Unfit, match=r"it is PostgreSQL \d+.*; 99 or newer is needed"):
        migrate(postgres_server.fresh_database())


def test_more_connections_than_there_are_is_said_at_the_start(postgres_server: PostgresServer) -> None:
    url = postgres_server.fresh_database()
    most = int(postgres_server.execute("SHOW max_connections")) - int(
        postgres_server.execute("SHOW superuser_reserved_connections")
    )
    migrate(url, most)
    with pytest.raises(Unfit, match=rf"the server gives {most} connections, and the workers may want {most + 1}"):
        migrate(url, most + 1)
    postgres_server.execute(f"ALTER DATABASE {_name(url)} CONNECTION LIMIT 20")
    with pytest.raises(Unfit, match="the database gives 20 connections"):
        migrate(url, 24)


def test_role_that_may_use_everything_and_make_nothing_is_enough_once_the_tables_are_there(
    postgres_server: PostgresServer,
) -> None:
    url = postgres_database(postgres_server).url
    stranger = _stranger(postgres_server, url)
    name = f"{_name(url)}_stranger"
    postgres_server.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC", _name(url))
    postgres_server.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}", _name(url))
    migrate(stranger)
