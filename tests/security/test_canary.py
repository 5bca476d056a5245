"""A canary: words that nobody else has, in everything that a person gives a server; then a search of all that it has.

Two workers with Redis on each database, everything logged. Words go through what works and through what fails: bad
frames, refused upgrades, a store and a Redis that hang, a worker that dies, a database whose own errors quote them.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]
import pytest
from websockets.exceptions import InvalidStatus

from chatserver.domain.people.names import name_key
from tests.edge.serving import raw_client, upgrade_head
from tests.kit import web
from tests.kit.client import MSGPACK, ChatClient, Refused
from tests.kit.postgres import PostgresServer
from tests.kit.process import obtain
from tests.kit.redis import RedisServer
from tests.kit.server import ChatServer
from tests.kit.web import WebClient
from tests.security.traces import Watch, Words

TEXT: Final = "quokkazebrine"
NAME: Final = "Vexolt Drumbaq"
ADDRESSES: Final = ("203.0.113.177", "2001:db8:c0de::77")
JSON_TYPE: Final = "application/json"
AGENT: Final = "tamarugalpeludo"
"""What browsers and strangers send beside: user agents, referrers, paths, queries, foreign cookies."""
FRAME: Final = "ornitorrincofeliz"
"""What is in messages that are no commands, and in commands that are refused."""
QUOTED: Final = "quote this:"
"""How a post begins that the database refuses in words that hold the post's."""
PERMITTED: Final = {
    "log.text": {"text"},
    "log.warning": {"text"},
    "log.name": {"name"},
    "members.name": {"name"},
    "members.name_key": {"name"},
    "mutes.name": {"name"},
}
"""All that `docs/privacy.md` names."""
WORKERS: Final = 2


@dataclass
class Deployment:
    server: ChatServer
    redis: RedisServer
    postgres: PostgresServer | None
    secrets: dict[str, list[str]] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.server.directory / "data" / "chat.db"

    @contextlib.asynccontextmanager
    async def store_hangs(self) -> AsyncIterator[None]:
        """The database answers nobody."""
        if self.postgres is not None:
            self.postgres.freeze()
            yield
            self.postgres.thaw()
            return
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None, timeout=10)) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            yield

    async def store_quotes(self) -> None:
        """From now on the database refuses every post with an error that quotes it."""
        if self.postgres is not None:
            database = self.server_database()
            self.postgres.execute(f"ALTER TABLE log ADD CHECK (coalesce(text, '') NOT LIKE '{QUOTED}%')", database)
            return
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None, timeout=10)) as db:
            db.execute(
                f"CREATE TRIGGER quoting BEFORE INSERT ON log WHEN NEW.text LIKE '{QUOTED}%'"
                f" BEGIN SELECT json_extract('{{}}', NEW.text); END"
            )

    def server_database(self) -> str:
        assert self.postgres is not None
        return self.postgres.execute("SELECT datname FROM pg_database WHERE datname LIKE 'chat%'").splitlines()[-1]


@pytest.fixture(params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(obtain(lambda: RedisServer(options=["--loglevel", "debug"])))
        postgres = stack.enter_context(obtain(PostgresServer)) if request.param == "postgres" else None
        config: dict[str, Any] = {"log_level": "debug", "trusted_proxies": ["127.0.0.1"]}
        url = None if postgres is None else postgres.fresh_database()
        server = stack.enter_context(ChatServer(WORKERS, redis.url, url, config=config))
        yield Deployment(server, redis, postgres)


def behind(address: str) -> dict[str, str]:
    """What a proxy and a browser send along."""
    return {"X-Forwarded-For": address, "User-Agent": AGENT, "Referer": f"https://{AGENT}.example/{AGENT}"}


async def live(site: Deployment) -> None:
    """Everything that works, with words in it."""
    server = site.server
    async with (
        WebClient(base_url=server.url, headers=behind(ADDRESSES[1])) as web,
        ChatClient(server.ws_url, headers=behind(ADDRESSES[0])) as ann,
        ChatClient(server.ws_url, headers=behind(ADDRESSES[1]), subprotocol=MSGPACK) as ben,
        contextlib.AsyncExitStack() as crowd,
    ):
        # More of them, so that both workers have somebody to tell.
        for _ in range(6):
            one = await crowd.enter_async_context(ChatClient(server.ws_url))
            await one.ask("join", room="sleep", agreement=1)
        await ann.ask("rename", name=NAME)
        code = (await ann.ask("code"))["code"]
        for client in (ann, ben):
            await client.ask("join", room="sleep", agreement=1)
        first = await ann.ask("post", room="sleep", text=f"{TEXT} one", warning=f"about {TEXT}")
        answer = await ben.ask("post", room="sleep", text=f"{TEXT} too", warning=TEXT, reply_to=first["offset"])
        await ann.ask("edit", room="sleep", offset=first["offset"], text=f"{TEXT} mended")
        await ann.ask("react", room="sleep", offset=answer["offset"], reaction="hug", on=True)
        await ben.ask("mute", member=ann.id_in("sleep"), on=True)
        await ann.exchange("typing", room="sleep")
        await ann.ask("history", room="sleep", before=first["offset"] + 5)
        restored = await web.post("/api/identity/restore", json={"code": code})
        assert restored.status_code == 200
        exported = await web.get("/api/identity/export")
        assert TEXT in exported.text
        assert NAME in exported.text
        cookie = restored.headers["set-cookie"].partition(";")[0]
        async with ChatClient(server.ws_url, cookie=cookie, origin=server.url, headers=behind(ADDRESSES[0])):
            pass
        tokens = [ann.token or "", ben.token or "", cookie.partition("=")[2]]
        words = code.split()
        site.secrets = {
            "token": [*tokens, *(token.split(".")[2] for token in tokens), *(t.split(".")[1] for t in tokens)],
            "code": [code, *(" ".join(words[at : at + 3]) for at in range(4)), "-".join(words)],
        }
        # Both workers have said all of it to each other.
        for one in (ann, ben):
            await one.until(lambda one=one: len(one.facts("room:sleep")) >= 2)  # type: ignore[misc]


async def go_wrong(site: Deployment) -> None:
    """Everything that is refused, with words in it."""
    server = site.server
    async with ChatClient(server.ws_url, headers=behind(ADDRESSES[0])) as eve:
        await eve.ask("join", room="sleep", agreement=1)
        for command, fields in (
            ("post", {"room": FRAME, "text": FRAME}),
            ("post", {"room": "sleep", "text": FRAME * 200}),
            ("post", {"room": "sleep", "text": {FRAME: FRAME}}),
            ("post", {"room": "sleep", "text": FRAME, FRAME: FRAME, "reply_to": 10**6}),
            ("edit", {"room": "sleep", "offset": 1, "text": FRAME}),
            ("join", {"room": FRAME}),
            ("rename", {"name": f"Moderator {FRAME}"}),
            ("rename", {"name": NAME}),
            ("mute", {"member": FRAME, "on": 7}),
            ("hello", {"token": FRAME}),
            (FRAME, {"room": FRAME}),
        ):
            assert "error" in await eve.exchange(command, **fields), (command, fields)
    for subprotocol, data in (
        ("chat.v1.json", f"{{{FRAME}"),
        ("chat.v1.json", f'["{FRAME}"]'),
        ("chat.v1.json", f'{{"cmd":"post","id":"\\ud800{FRAME}"}}'),
        ("chat.v1.json", "[" * 500 + FRAME),
        ("chat.v1.json", FRAME.encode()),
        ("chat.v1.json", FRAME * 2_000),
        (MSGPACK, FRAME),
        (MSGPACK, b"\xc1" + FRAME.encode()),
        (MSGPACK, msgpack.packb({FRAME: [FRAME, {FRAME: 1}]})),
        (
            MSGPACK,
            msgpack.packb({"cmd": "post", "id": FRAME, "room": FRAME, "text": msgpack.ExtType(5, FRAME.encode())}),
        ),
    ):
        async with ChatClient(server.ws_url, subprotocol=subprotocol) as eve:
            await eve.send_raw(data)
            await eve.until(lambda eve=eve: bool(eve.pushes) or eve.close_code is not None)  # type: ignore[misc]
    await knock(site)


async def knock(site: Deployment) -> None:
    """Upgrades and requests that are turned away."""
    server, token = site.server, site.secrets["token"][0]
    for refused in (
        ChatClient(server.ws_url, origin=f"https://{AGENT}.example"),
        ChatClient(server.ws_url, token=token[:-2] + FRAME),
    ):
        with pytest.raises((InvalidStatus, Refused)):
            async with refused:
                pass
    heads = (
        upgrade_head(f"/{AGENT}", {"Cookie": f"chat_identity={token}"}),
        upgrade_head(f"/ws?token={token}&{AGENT}", {"Origin": f"https://{AGENT}.example"}),
        upgrade_head("/ws", {"Sec-WebSocket-Protocol": AGENT, "X-Forwarded-For": ADDRESSES[0]}),
        upgrade_head("/ws", {"Sec-WebSocket-Version": AGENT, "X-Forwarded-For": AGENT}),
        upgrade_head("/ws", {"Sec-WebSocket-Key": AGENT, "Referer": AGENT}),
        upgrade_head("/ws", {"Sec-WebSocket-Extensions": f"{AGENT}; {AGENT}=\x01"}),
        upgrade_head("/ws", {"Host": AGENT, "Authorization": f"Bearer {token}", "X-Forwarded-For": ADDRESSES[1]}),
        f"GET /{AGENT}?{token} HTTP/1.1\r\nHost: {AGENT}\r\n\r\n".encode(),
        f"{AGENT} /{AGENT} HTTP/9.9\r\n{AGENT}\r\n\r\n".encode(),
        f"POST /api/identity/{AGENT} HTTP/1.1\r\nHost: x\r\nContent-Length: {AGENT}\r\n\r\n{AGENT}".encode(),
        f"GET / HTTP/1.1\r\nHost: x\r\n{AGENT}: {'x' * 70_000}\r\n\r\n".encode(),
        f"\x16\x03\x01{AGENT}\r\n\r\n".encode(),
    )
    for head in heads:
        async with raw_client(server.port) as raw:
            await raw.send(head)
            raw.sock.shutdown(1)
            # A handshake that is no handshake is quoted to whoever sent it, and to nobody else.
            assert not (await raw.read_all()).startswith(b"HTTP/1.1 5")
    async with WebClient(base_url=server.url, headers=behind(ADDRESSES[1])) as web:
        for path in (f"/{AGENT}", f"/js/{AGENT}.js", f"/js/..%2f{AGENT}", f"/?{AGENT}={token}", f"/api/{AGENT}"):
            for method in ("GET", "POST", "OPTIONS"):
                assert (await web.request(method, path)).status_code in {200, 404, 405}
        for content, kind in (
            (f'{{"code":"{FRAME}"}}', "application/json"),
            (FRAME, "application/json"),
            (FRAME, FRAME),
        ):
            answer = await web.post("/api/identity/restore", content=content, headers={"content-type": kind})
            assert answer.status_code in {400, 404, 415}
            assert FRAME not in answer.text
        foreign = {"origin": f"https://{AGENT}.example", "authorization": f"Bearer {token}"}
        assert (await web.post("/api/identity/erase", headers=foreign)).status_code == 403


async def break_down(site: Deployment) -> None:
    """Parts that hang or die while words are on their way through them."""
    server = site.server
    async with (
        ChatClient(server.ws_url, headers=behind(ADDRESSES[0])) as ann,
        WebClient(base_url=server.url, headers=behind(ADDRESSES[0]), timeout=20) as web,
    ):
        await ann.ask("join", room="sleep", agreement=1)
        async with site.store_hangs():
            answers = await asyncio.gather(
                ann.exchange("post", room="sleep", text=TEXT, timeout=20),
                ann.exchange("rename", name="Somebody Else", timeout=20),
                web.post("/api/identity"),
            )
        assert [answer["error"]["code"] for answer in answers[:2]] == ["storage_unavailable"] * 2
        assert answers[2].status_code == 503
        site.redis.freeze()
        await back(ann)
        site.redis.thaw()
        await site.store_quotes()
        quoted = await ann.exchange("post", room="sleep", text=f"{QUOTED} {FRAME}")
        assert quoted["error"]["code"] in {"internal", "storage_unavailable"}
        assert FRAME not in str(quoted)
    server.kill_worker(server.worker_pids()[0])
    server.wait_for_workers()


async def back(client: ChatClient) -> None:
    """Post until the store is back."""
    async with asyncio.timeout(20):
        while "error" in await client.exchange("post", room="sleep", text=f"{TEXT} again"):  # noqa: ASYNC110 - only another try can tell
            await asyncio.sleep(0.1)


def scrape(site: Deployment) -> str:
    """The metrics and checks of both workers: each new connection meets one of them."""
    return "".join(web.get(site.server.url + path).text for path in ("/metrics", "/statusz") * 10)


def is_announcement(line: bytes) -> bool:
    return re.search(rb'"S?PUBLISH"', line, re.IGNORECASE) is not None


@pytest.mark.timeout(180)
async def test_what_people_give_is_found_nowhere_but_where_the_documents_say(site: Deployment) -> None:
    with Watch(site.redis) as watch:
        await live(site)
        await go_wrong(site)
        said = await asyncio.to_thread(scrape, site)
        postgres_log = b"" if site.postgres is None else site.postgres.process.log.read_bytes()
        await break_down(site)
        said += await asyncio.to_thread(scrape, site)
        told = watch.lines()
    words = Words(
        {
            "text": [TEXT],
            "name": [NAME, name_key(NAME)],
            "address": ADDRESSES,
            "agent": [AGENT],
            "frame": [FRAME],
            **site.secrets,
        }
    )

    # Redis carries posts and names from worker to worker, and keeps nothing.
    carried = [line for line in told if words.in_bytes(line)]
    assert carried, "the canary was on the bus, or this test searched nothing"
    assert all(is_announcement(line) for line in carried)
    assert set().union(*map(words.in_bytes, carried)) == {"text", "name"}
    assert site.redis.command("KEYS", "*") == []
    assert words.in_bytes(repr([site.redis.command(*ask) for ask in ASKED_OF_REDIS]).encode()) == set()
    site.redis.command("SAVE")
    assert (site.redis.directory / "dump.rdb").exists()
    assert words.in_files(site.redis.directory) == {}

    # Tables.
    if site.postgres is None:
        assert words.in_sqlite(site.file) == PERMITTED
    else:
        database = site.server_database()
        site.postgres.execute("ANALYZE", database)
        assert await words.in_postgres(site.postgres.url(database)) == PERMITTED
        assert words.in_bytes(postgres_log) == set()

    # What the server says, and every file that it has.
    site.server.stop()
    assert any("unavailable" in str(line) for line in site.server.log()), "the store's hanging was told"
    assert words.in_bytes(said.encode()) == set()
    found = words.in_files(site.server.directory)
    assert all(re.fullmatch(r"data/chat\.db(-wal|-shm)?", path) for path in found), found
    assert set().union(*found.values()) == ({"text", "name"} if site.postgres is None else set())


ASKED_OF_REDIS: Final = (("SLOWLOG", "GET", "-1"), ("CLIENT", "LIST"), ("PUBSUB", "CHANNELS"), ("INFO", "all"))
