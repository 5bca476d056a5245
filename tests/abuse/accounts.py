"""Attacks on the accounts of those who work here: a password that is known, a stolen sign-in, a false operator."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx
import pyotp

from tests.abuse.attack import Attack, Outcome
from tests.abuse.scene import Scene, tries
from tests.abuse.sessions import pair
from tests.conformance.personnel import PASSWORD, add_operator, new_login

Json = dict[str, Any]
_OTHER: Final = "another long password"


async def _operator(scene: Scene) -> str:
    """Make an operator by command and return their login."""
    login = new_login()
    await asyncio.to_thread(add_operator, scene.place, login)
    return login


async def _sign_in(scene: Scene, address: str, **account: str) -> httpx.Response:
    async with scene.caller(address=address) as http:
        return await http.post("/api/staff/sign-in", json=account)


async def _with_factor(scene: Scene) -> tuple[str, str, pyotp.TOTP, float]:
    """Return an operator's login, the token of their sign-in, their app, and the time of the code they used."""
    login = await _operator(scene)
    token = (await _sign_in(scene, scene.honest, login=login, password=PASSWORD)).json()["token"]
    async with scene.caller(token, scene.honest) as http:
        secret = (await http.post("/api/staff/totp")).json()["secret"]
        app, moment = pyotp.TOTP(secret), time.time()
        body = {"secret": secret, "code": app.at(int(moment)), "proof": {"password": PASSWORD}}
        (await http.post("/api/staff/totp/on", json=body)).raise_for_status()
    return login, token, app, moment


async def disarmed_operator(scene: Scene) -> Outcome:
    """Let strangers try wrong passwords for an operator who is signed in and has to confirm something dangerous."""
    outcome = Outcome(cost="1 known login, 40 wrong passwords from 4 addresses")
    login = await _operator(scene)
    account = {"login": login, "password": PASSWORD}
    async with scene.caller(address=scene.honest) as http:
        http.headers["Origin"] = scene.place.http
        (await http.post("/api/staff/sign-in", json=account)).raise_for_status()
        statuses = [
            (await _sign_in(scene, scene.address(number % 4), login=login, password=f"wrong {number}")).status_code
            for number in range(40)
        ]
        confirmed = (await http.post("/api/staff/confirm", json={"password": PASSWORD})).status_code
        await http.post("/api/staff/sign-out")
        again = (await http.post("/api/staff/sign-in", json=account)).status_code
    outcome.expect(429 in statuses, "nobody stopped the strangers")
    outcome.expect(confirmed in (200, 204), f"her confirmation was answered {confirmed}")
    outcome.expect(again in (200, 204), f"signing in from her own browser was answered {again}")
    compared = statuses.count(401)
    outcome.noticed = f"{compared} of 40 compared; she confirms, and signs in again from the browser she used before"
    return outcome


async def wrong_factors(scene: Scene) -> Outcome:
    """Let somebody who knows an operator's password guess the code of the second factor from four addresses."""
    outcome = Outcome(cost="1 known password, 24 codes from 4 addresses")
    login, token, _, _ = await _with_factor(scene)
    compared, refused = 0, 0
    for number in range(24):
        code = f"{number * 16_661 % 1_000_000:06d}"
        account = {"login": login, "password": PASSWORD, "code": code}
        answer = await _sign_in(scene, scene.address(number % 4), **account)
        compared += answer.status_code == 401
        refused += answer.status_code == 429
        outcome.expect(not answer.is_success, "a guessed code was right")
    outcome.expect(compared <= 8, f"{compared} codes were compared")
    outcome.expect(compared + refused == 24, f"{compared} compared and {refused} refused of 24")
    async with scene.caller(token, scene.honest) as http:
        outcome.expect((await http.get("/api/staff/me")).is_success, "the operator's own sign-in ended")
    outcome.noticed = f"{compared} codes compared; whoever is signed in stays so"
    return outcome


async def stolen_sign_in(scene: Scene) -> Outcome:
    """Let somebody with an operator's fresh token, and even the password, take over the account without the code."""
    outcome = Outcome(cost="1 copied token of the last ten minutes, 1 known password")
    login, token, app, moment = await _with_factor(scene)
    async with scene.caller(token) as http:
        offered = (await http.post("/api/staff/totp")).json().get("secret", pyotp.random_base32())
        theirs = {"secret": offered, "code": pyotp.TOTP(offered).at(int(time.time()))}
        attempts: tuple[tuple[str, Json], ...] = (
            ("totp/on", theirs),
            ("totp/on", {**theirs, "proof": {"password": PASSWORD}}),
            ("totp/off", {"password": PASSWORD}),
            ("recovery", {"password": PASSWORD}),
            ("password", {"new": _OTHER}),
            ("password", {"new": _OTHER, "current": PASSWORD}),
            ("erase", {"password": PASSWORD}),
        )
        for path, body in attempts:
            status = (await http.post(f"/api/staff/{path}", json=body)).status_code
            outcome.expect(status in (400, 401, 429), f"{path} with {sorted(body)} was answered {status}")
    account = {"login": login, "password": PASSWORD, "code": app.at(int(moment) + 30)}
    status = (await _sign_in(scene, scene.honest, **account)).status_code
    outcome.expect(status == 200, f"the owner's own sign-in was answered {status}")
    outcome.noticed = f"{len(attempts)} attempts refused; the owner signs in as before"
    return outcome


async def _head(scene: Scene) -> str:
    """Return what `chatserver audit head` prints."""
    return (await asyncio.to_thread(scene.server.run, "audit", "head")).strip()


async def unseen_acts(scene: Scene) -> Outcome:
    """Let an operator invite a second self, give it all roles, and revoke it, while another one watches."""
    outcome = Outcome(cost="1 operator")
    watcher = await scene.staff("operator")
    await watcher.ask("accounts")
    token, _ = await scene.place.personnel.hire("operator")
    made: Json = {}
    async with scene.caller(token, scene.honest) as http, scene.caller(address=scene.honest) as anybody:

        async def invite() -> None:
            made["link"] = (await http.post("/api/staff/invite", json={"roles": ["operator"]})).json()["path"]

        async def accept() -> None:
            login = new_login()
            link = made["link"].partition("#invite=")[2]
            body = {"link": link, "login": login, "name": login.title(), "password": PASSWORD}
            answer = (await anybody.post("/api/staff/invitation", json=body)).json()
            made.update(answer, login=login)

        async def give() -> None:
            body = {"member": made["member"]["id"], "roles": ["listener", "moderator", "operator"]}
            (await http.post("/api/staff/roles", json=body)).raise_for_status()

        async def fail() -> None:
            await anybody.post("/api/staff/sign-in", json={"login": made["login"], "password": "wrong"})

        async def revoke() -> None:
            (await http.post("/api/staff/revoke", json={"member": made["member"]["id"]})).raise_for_status()

        acts: dict[str, Callable[[], Awaitable[None]]] = {
            "account_invited": invite,
            "account_accepted": accept,
            "account_roles": give,
            "account_tried": fail,
            "account_revoked": revoke,
        }
        head = await _head(scene)
        for name, act in acts.items():
            await act()
            if name == "account_accepted":
                async with scene.caller(made["token"]) as new:
                    status = (await new.post("/api/staff/invite", json={"roles": ["operator"]})).status_code
                outcome.expect(status == 403, f"the new operator counts at once: {status}")
    await watcher.wait_for(lambda each: each.get("push") == "accounts" and "account_revoked" in str(each))
    outcome.expect(await _head(scene) != head, "the audit log is as it was")
    told = str(watcher.pushes)
    missing = [name for name in acts if name not in told]
    outcome.expect(not missing, f"the other operator is not told of {missing}")
    outcome.noticed = "each act is an entry of the audit log and on every operator's page; a new operator waits"
    return outcome


async def borrowed_listener(scene: Scene) -> Outcome:
    """Let an operator reset a listener who is in a session, and use the link to read it, or to go on in it."""
    outcome = Outcome(cost="1 operator, 2 calls")
    seeker, helper, session = await pair(scene)
    await seeker.ask("post", room=session, text="only for you")
    token, _ = await scene.place.personnel.hire("operator")
    async with scene.caller(token, scene.honest) as http, scene.caller(address=scene.honest) as anybody:
        body = {"member": helper.hello_ok["member"]["id"]}
        link = (await http.post("/api/staff/reset", json=body)).json()["path"].partition("#reset=")[2]
        used = await anybody.post("/api/staff/reset/use", json={"link": link, "password": _OTHER})
        theirs = used.raise_for_status().json()["token"]
    insider = await scene.signed_in(theirs)
    for attempt in (insider.ask("join", room=session), insider.ask("post", room=session, text="Tell me more.")):
        codes = await tries([attempt])
        outcome.expect("ok" not in codes, f"the holder of the link was answered {codes}")
    async with scene.caller(theirs) as http:
        status = (await http.get("/api/staff/export")).status_code
        outcome.expect(status == 403, f"the copy of all that is theirs was answered {status}")
    standing = await seeker.ask("standing")
    outcome.expect(standing.get("is_first", False), f"whoever lost the listener is not first: {standing}")
    profile = (await insider.ask("console"))["state"]
    outcome.expect(profile != "practice", "the account has lost what its owner had")
    await insider.ask("available", on=False)
    await seeker.ask("unask")
    outcome.noticed = "the session ends, and its seeker is first in the line; every operator sees the reset"
    return outcome


ATTACKS: Final = (
    Attack("disarmed-operator", "confirming, and signing in from a known browser, go on", disarmed_operator),
    Attack("wrong-factors", "at most 8 of 24 codes compared; nobody signed in is disturbed", wrong_factors),
    Attack("stolen-sign-in", "no factor, password or account changes without the current code", stolen_sign_in),
    Attack("borrowed-listener", "nothing of a session is behind the link that a reset makes", borrowed_listener),
    Attack("unseen-acts", "the audit head moves and every operator is told; a new operator waits", unseen_acts),
)
