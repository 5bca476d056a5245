"""Staff of a served cluster, over HTTP and over sockets."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import httpx

from tests.conformance.clusters import Cluster
from tests.conformance.peer import Peer
from tests.conformance.personnel import PASSWORD, add_operator, let_operators_count, new_login
from tests.conformance.traffic import Traffic
from tests.kit.web import WebClient

Json = dict[str, Any]


class Office:
    """A house's staff, each behind a page of their own."""

    def __init__(self, site: Cluster, stack: contextlib.AsyncExitStack, traffic: Traffic) -> None:
        self.site = site
        self._stack = stack
        self._traffic = traffic

    async def page(self, site: Cluster | None = None) -> httpx.AsyncClient:
        http = (site or self.site).http
        return await self._stack.enter_async_context(WebClient(base_url=http, headers={"origin": http}, timeout=20))

    async def operator(self) -> tuple[httpx.AsyncClient, Json]:
        login = new_login()
        await asyncio.to_thread(add_operator, self.site, login)
        page = await self.page()
        answer = await page.post("/api/staff/sign-in", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return page, answer.json()

    async def colleague(self, operator: httpx.AsyncClient, *roles: str) -> tuple[httpx.AsyncClient, Json]:
        link = await self.link(operator, *roles)
        page = await self.page()
        answer = await page.post("/api/staff/invitation", json=self.account(link))
        assert answer.status_code == 201, answer.text
        if "operator" in roles:
            await asyncio.to_thread(let_operators_count, self.site)
            return page, (await page.get("/api/staff/me")).json()
        return page, answer.json()

    async def link(self, operator: httpx.AsyncClient, *roles: str) -> str:
        answer = await operator.post("/api/staff/invite", json={"roles": roles})
        assert answer.status_code == 201, answer.text
        path, _, link = answer.json()["path"].partition("#invite=")
        assert path == "/listen.html"
        return str(link)

    @staticmethod
    def account(link: str, **changed: str) -> Json:
        login = new_login()
        return {"link": link, "login": login, "name": login.title(), "password": PASSWORD, **changed}

    async def console(self, page: httpx.AsyncClient, site: Cluster | None = None) -> Peer:
        """The page's own connection, which has said hello as staff."""
        cookies = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
        site = site or self.site
        peer = await self._stack.enter_async_context(
            await Peer.connect(site.ws, self._traffic, origin=site.http, additional_headers={"cookie": cookies})
        )
        await peer.hello(staff=True)
        return peer
