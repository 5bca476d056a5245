"""Attacks on what only its owner should know: codes, passwords, second factors, tokens."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from tests.abuse.attack import Attack, Outcome
from tests.abuse.scene import Scene, together
from tests.conformance.personnel import add_operator, new_login
from tests.kit.client import ChatClient, Refused

Json = dict[str, Any]


async def over_workers(scene: Scene) -> Outcome:
    """Let one address try codes and passwords over connections that reach all workers, past a restart of one."""
    outcome = Outcome(cost="1 address, 90 tries each")
    login = new_login()
    await asyncio.to_thread(add_operator, scene.place, login)

    async def attempt(path: str, body: Json) -> int:
        async with scene.caller() as http:
            return (await http.post(path, json=body)).status_code

    codes = await together(
        (attempt("/api/identity/restore", {"code": "lamp river boots sky window garden"}) for _ in range(60)), 6
    )
    if len(scene.server.worker_pids()) > 1:
        await asyncio.to_thread(scene.server.kill_worker, scene.server.worker_pids()[0])
        await asyncio.to_thread(scene.server.wait_for_workers)
    words = await together(
        (attempt("/api/staff/sign-in", {"login": login, "password": f"wrong {n}"}) for n in range(90)), 6
    )
    tried_codes = sum(status not in (429, 503) for status in codes)
    tried_words = sum(status not in (429, 503) for status in words)
    outcome.expect(tried_codes <= 20, f"{tried_codes} codes were tried (20 an hour)")
    outcome.expect(tried_words <= 30, f"{tried_words} passwords were tried (30 an hour)")
    outcome.noticed = f"{tried_codes} codes and {tried_words} passwords were compared"
    return outcome


async def stolen_identity(scene: Scene) -> Outcome:
    """Let somebody keep a copy of a member's token after the member made a new come-back code."""
    outcome = Outcome(cost="1 copied token")
    owner = await scene.guest(scene.honest)
    copy = await scene.guest(token=owner.token)
    code = (await owner.ask("code"))["code"]
    async with scene.caller(address=scene.honest) as http:
        answer = await http.post("/api/identity/restore", json={"code": code})
        new = answer.cookies["chat_identity"]
    closed = await copy.wait_closed()
    async with scene.caller(owner.token) as http:
        export = (await http.get("/api/identity/export")).status_code
    back = await scene.guest(scene.honest, token=new)
    outcome.expect(export in (401, 403, 404), f"the copied token still exports everything: {export}")
    outcome.expect(back.member == owner.member, "the owner lost their identity")
    try:
        await scene.guest(token=owner.token)
        outcome.expect(False, "the copied token still says hello")
    except Refused:
        pass
    outcome.noticed = f"the copy's socket was closed with {closed}, and its token is worth nothing"
    return outcome


async def codes_without_end(scene: Scene) -> Outcome:
    """Let thirty guests ask for come-back codes on three sockets each while somebody wants to come back."""
    outcome = Outcome(cost="30 guests of one address, 90 sockets, 4 s")
    owner = await scene.guest(scene.honest)
    code = (await owner.ask("code"))["code"]
    crowd = await scene.guests(30)
    crowd += [await scene.guest(token=each.token) for each in crowd for _ in range(2)]
    until = time.monotonic() + 4.0
    made = 0

    async def go_on(client: ChatClient) -> None:
        nonlocal made
        while time.monotonic() < until:
            try:
                await client.ask("code", timeout=60)
                made += 1
            except Refused as refused:
                await asyncio.sleep(min(0.5, refused.error.get("retry_after", 0.1)))

    asking = [asyncio.create_task(go_on(each)) for each in crowd]
    await asyncio.sleep(1.0)
    began = time.monotonic()
    async with scene.caller(address=scene.honest) as http:
        status = (await http.post("/api/identity/restore", json={"code": code})).status_code
    took = time.monotonic() - began
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    outcome.expect(status == 200, f"coming back was answered {status}")
    outcome.expect(made <= 60, f"{made} codes were made")
    outcome.noticed = f"{made} codes made; coming back took {took:.1f} s"
    return outcome


ATTACKS: Final = (
    Attack("over-workers", "20 codes and 30 passwords an hour over all workers and restarts", over_workers, workers=3),
    Attack("stolen-identity", "a used code ends every earlier token", stolen_identity),
    Attack("codes-without-end", "coming back is answered; one code a member and minute", codes_without_end),
)
