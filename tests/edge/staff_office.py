"""The HTTP calls of staff, as a page and as another client make them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from chatserver.domain.people.staff import Role
from chatserver.server import Server
from tests.edge.serving import Served
from tests.kit.web import WebClient

PASSWORD = "lamp river boots sky"


Json = dict[str, Any]


class Office:
    """A server with an operator called anna, and its browsers."""

    def __init__(self, served: Served, server: Server, stack: contextlib.AsyncExitStack) -> None:
        self.served = served
        self.server = server
        self._stack = stack

    async def browser(self, **headers: str) -> httpx.AsyncClient:
        own = headers or {"origin": self.served.http, "sec-fetch-site": "same-origin"}
        return await self._stack.enter_async_context(WebClient(base_url=self.served.http, headers=own))

    async def signed_in(self, login: str = "anna") -> httpx.AsyncClient:
        browser = await self.browser()
        answer = await browser.post("/api/staff/sign-in", json={"login": login, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return browser

    async def colleague(self, login: str, *roles: Role) -> httpx.AsyncClient:
        link = await self.server.worker.people.accounts.make_invitation(roles, None)
        browser = await self.browser()
        body = {"link": link.secret, "login": login, "name": login, "password": PASSWORD}
        answer = await browser.post("/api/staff/invitation", json=body)
        assert answer.status_code == 201, answer.text
        return browser

    async def agree(self, login: str) -> None:
        """Another operator agrees to a new one, where it is one."""
        store, now = self.server.worker.node.store, self.server.worker.node.now()
        people = {each.login: each for each in await store.all_staff()}
        if people[login].operator_from is not None:
            await store.agree_operator(people[login].member, people["anna"].member, now)

    async def socket(self, browser: httpx.AsyncClient, *, origin: str | None = None) -> ClientConnection:
        """The browser's page is connected, and has said nothing yet."""
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        return await self._stack.enter_async_context(
            connect(
                self.served.url,
                subprotocols=[Subprotocol("chat.v1.json")],
                origin=Origin(origin or self.served.http),
                additional_headers={"cookie": cookies},
            )
        )

    async def console(self, browser: httpx.AsyncClient) -> ClientConnection:
        """The browser's page, which has said hello as staff."""
        socket = await self.socket(browser)
        assert "ok" in await ask(socket, "hello", staff=True)
        return socket


async def ask(socket: ClientConnection, cmd: str, **fields: Any) -> Json:
    await socket.send(json.dumps({"cmd": cmd, "id": cmd, **fields}))
    while True:
        answer: Json = json.loads(await asyncio.wait_for(socket.recv(), 5))
        if answer.get("re") == cmd:
            return answer


async def end_of(socket: ClientConnection, within: float = 20.0) -> int | None:
    async with asyncio.timeout(within):
        with contextlib.suppress(ConnectionClosed):
            async for _ in socket:
                pass
    return socket.close_code


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])
