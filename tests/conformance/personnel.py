"""The staff of a house, made as an installation makes them: the first by command, everybody else by invitation."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sqlite3
import time
from pathlib import Path
from typing import Any, Final, Protocol

import httpx

from tests.kit.server import ChatServer
from tests.kit.web import WebClient

Json = dict[str, Any]
PASSWORD: Final = "lamp river boots sky"
_YOUNG_SECONDS: Final = 300.0
_LETTERS: Final = [a + b for a, b in itertools.product("bdfgklmnprst", "aeiou")]
_names = iter([f"{a}{b}{c}" for a, b, c in itertools.product(_LETTERS[::7], _LETTERS[::3], _LETTERS[::5])])


class Served(Protocol):
    """What has staff: a server, and where it answers and keeps what it knows."""

    server: ChatServer

    @property
    def http(self) -> str: ...

    @property
    def database(self) -> Path: ...


def new_login() -> str:
    """A login that nobody has."""
    return next(_names)


def add_operator(site: Served, login: str) -> None:
    """As whoever has the machine does."""
    site.server.run("add-operator", login, "--name", login.title(), said=PASSWORD + "\n")
    let_operators_count(site)


def let_operators_count(site: Served) -> None:
    """As if a day had passed since every operator was made: until then only the first one's role counts."""
    with contextlib.closing(sqlite3.connect(site.database, timeout=20)) as database, database:
        database.execute("UPDATE staff SET operator_from = NULL")


class Personnel:
    """Makes staff for a house, without a page: each is a token. The operator is made when first needed."""

    def __init__(self, site: Served) -> None:
        self.site = site
        self._operator: str | None = None
        self._login = ""
        self._signed_in_at = 0.0

    async def hire(self, *roles: str) -> tuple[str, Json]:
        """Somebody new: the token of their sign-in, and their member."""
        async with WebClient(base_url=self.site.http, timeout=20) as http:
            bearer = {"authorization": f"Bearer {await self._operator_token(http)}"}
            path = _good(await http.post("/api/staff/invite", json={"roles": roles}, headers=bearer))["path"]
            login = new_login()
            account = {
                "link": path.partition("#invite=")[2],
                "login": login,
                "name": login.title(),
                "password": PASSWORD,
            }
            made = _good(await http.post("/api/staff/invitation", json=account))
            if "operator" in roles:
                await asyncio.to_thread(let_operators_count, self.site)
            return made["token"], made["member"]

    async def revoke(self, member: str) -> None:
        async with WebClient(base_url=self.site.http, timeout=20) as http:
            bearer = {"authorization": f"Bearer {await self._operator_token(http)}"}
            answer = await http.post("/api/staff/revoke", json={"member": member}, headers=bearer)
            assert answer.status_code == httpx.codes.NO_CONTENT, answer.text

    async def _operator_token(self, http: httpx.AsyncClient) -> str:
        """Of a sign-in that is young enough for what is dangerous, however long the tests before took."""
        if self._operator is None or time.monotonic() - self._signed_in_at > _YOUNG_SECONDS:
            if self._operator is None:
                self._login = new_login()
                await asyncio.to_thread(add_operator, self.site, self._login)
            sign_in = await http.post("/api/staff/sign-in", json={"login": self._login, "password": PASSWORD})
            self._operator, self._signed_in_at = str(_good(sign_in)["token"]), time.monotonic()
        return self._operator


def _good(answer: httpx.Response) -> Json:
    assert answer.is_success, answer.text
    found: Json = answer.json()
    return found
