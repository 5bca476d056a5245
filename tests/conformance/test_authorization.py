"""Who may what: each cell of `docs/authorization.md`, tried on a running server over its sockets."""

from __future__ import annotations

import itertools
import json
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, get_args

import httpx
import msgspec
import pytest

from chatserver.domain.history import Millis
from chatserver.domain.identity import Member, MemberId
from chatserver.domain.listening.commands import Decided, KeepDebrief, KeepReport, SessionSet
from chatserver.domain.listening.state import Left, Session, SessionId, Wish
from chatserver.domain.moderation.measures import MeasureKind
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.people.staff import CONFIRMED_FOR, Role, Staff, hash_secret
from chatserver.domain.rooms.rooms import RoomId
from chatserver.edge.routes import DOCUMENTS, IDENTITY, STAFF, STATUS, RouteSpec
from chatserver.protocol.asyncapi import tag_of
from chatserver.protocol.codec import Encoding
from chatserver.protocol.examples import COMMANDS
from chatserver.protocol.messages import Hello
from chatserver.protocol.moderation.messages import ModerationCommand, TakeMeasureCommand
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.moderation_records import Queue, RoomReport
from chatserver.store.records import ListeningChange, StaffSecrets
from tests.conformance.clusters import Cluster, Meet
from tests.conformance.peer import Peer, Refused
from tests.kit.commands import COMMANDS as TABLE
from tests.kit.web import WebClient

Json = dict[str, Any]
Matrix = dict[str, dict[str, str]]

PAGE: Final = (Path(__file__).parents[2] / "docs/authorization.md").read_text("utf-8")
BAN: Final = "measure` with `kind` `ban"
NOBODY, MEMBER, REVOKED = "nobody", "member", "revoked"
WITHOUT_ROLE: Final = (NOBODY, MEMBER, REVOKED)
UNKNOWN: Final = ("hello_required", "identity_required")
_YEAR: Final = 365 * 24 * 3_600_000
_OURS: Final = ("cmd", "id")
_numbers = itertools.count()


@pytest.fixture(scope="module")
def site() -> Iterator[Cluster]:
    """A server of its own: what is done here to everybody, by everybody, is no other test's."""
    with Cluster(limits={"exports_per_address_per_hour": 10_000, "erasures_per_address_per_hour": 10_000}) as site:
        yield site
        assert site.complaints() == []


@pytest.fixture
def encoding() -> Encoding:
    return Encoding.JSON


def matrix(heading: str) -> Matrix:
    """What the page says under a heading: of each line, what each role may."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    roles = [cell.strip() for cell in lines[0][1:]]
    rows = {line[0].strip()[1:-1]: dict(zip(roles, map(str.strip, line[1:]), strict=True)) for line in lines[2:]}
    assert len(rows) == len(lines) - 2, "a line stands there twice"
    return rows


COMMANDS_MATRIX: Final = matrix("Commands")
CASES_MATRIX: Final = matrix("Is it about me")
RELATIONS: Final = [*next(iter(CASES_MATRIX.values()))]
CALLS_MATRIX: Final = matrix("HTTP calls")
ROLES: Final = [*next(iter(COMMANDS_MATRIX.values()))]
_ALL: Final[tuple[RouteSpec[Any], ...]] = (*IDENTITY, *STAFF, *STATUS, *DOCUMENTS)
CALLS: Final = {f"{call.method} {call.path}": call for call in _ALL}
_PASSKEY: Final[Json] = {
    "id": "AAAA",
    "rawId": "AAAA",
    "type": "public-key",
    "response": {"clientDataJSON": "AAAA", "authenticatorData": "AAAA", "signature": "AAAA"},
}
_MADE: Final[Json] = {**_PASSKEY, "response": {"clientDataJSON": "AAAA", "attestationObject": "AAAA"}}
BODIES: Final[dict[str, Json]] = {
    "POST /api/identity/restore": {"code": "no-such-code"},
    "POST /api/identity/appeal": {"measure": "none", "text": "But why?"},
    "POST /api/staff/sign-in": {"login": "nobody", "password": "nothing"},
    "POST /api/staff/invitation": {"link": "none", "login": "x", "name": "x", "password": "x"},
    "POST /api/staff/confirm": {"password": "wrong"},
    "POST /api/staff/password": {"current": "wrong", "new": "wrong"},
    "POST /api/staff/totp/on": {"secret": "none", "code": "000000", "proof": {"password": "wrong"}},
    "POST /api/staff/totp/off": {"password": "wrong"},
    "POST /api/staff/passkey/sign-in": {"passkey": _PASSKEY},
    "POST /api/staff/reset/use": {"link": "none", "password": "x"},
    "POST /api/staff/recovery": {"password": "wrong"},
    "POST /api/staff/passkeys": {"name": "x", "made": _MADE, "proof": {"password": "wrong"}},
    "POST /api/staff/passkeys/remove": {"id": "AAAA", "proof": {"password": "wrong"}},
    "POST /api/staff/agree": {"member": "m_nobody"},
    "POST /api/staff/reset": {"member": "m_nobody"},
    "POST /api/staff/erase": {"password": "wrong"},
    "POST /api/staff/invite": {"roles": ["listener"]},
    "POST /api/staff/roles": {"member": "m_nobody", "roles": ["listener"]},
    "POST /api/staff/revoke": {"member": "m_nobody"},
}
"""Of calls that need one: what harms nobody and is well formed, so that only the right to it is in question."""


def _now() -> Millis:
    return Millis(time.time_ns() // 1_000_000)


class Staffing:
    """Makes staff straight in the house's store, so that a sign-in can be as old as a test wants."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store

    async def token(self, role: str, *, is_stale: bool = False) -> str:
        """A new sign-in of a new account in a column of the page."""
        return (await self.account(role, is_stale=is_stale))[0]

    async def account(self, role: str, *, is_stale: bool = False) -> tuple[str, MemberId]:
        """The same, and whose it is."""
        now, number = Millis(time.time_ns() // 1_000_000), next(_numbers)
        roles = [Role.OPERATOR] if role == REVOKED else [Role(each) for each in role.split(", ")]
        letters = "".join(secrets.choice("bcdfghjklmnpqrstvwxz") for _ in range(12))
        account = Staff(
            member=MemberId(f"m_matrix{number:06}"),
            login=f"matrix-{letters}",
            name=letters.title(),
            roles=frozenset(roles),
            created_at=now,
        )
        made = StaffSecrets(staff=account, password_hash="nobody signs in", totp_secret=None, totp_step=0)
        await self.store.add_staff(made, letters, None)
        token = secrets.token_urlsafe(32)
        hashed = hash_secret(token)
        assert hashed is not None
        await self.store.sign_in(hashed, account.member, now, Millis(now + _YEAR))
        if is_stale:
            await self.store.confirm_sign_in(hashed, Millis(now - CONFIRMED_FOR - 1_000))
        if role == REVOKED:
            await self.store.revoke_staff(account.member, now)
        return token, account.member

    async def confirm(self, token: str) -> None:
        """As if its owner had given their password at this moment, to some worker."""
        hashed = hash_secret(token)
        assert hashed is not None
        await self.store.confirm_sign_in(hashed, Millis(time.time_ns() // 1_000_000))

    async def revoke(self, token: str) -> None:
        now, hashed = Millis(time.time_ns() // 1_000_000), hash_secret(token)
        assert hashed is not None
        sign_in = (await self.store.sign_ins([hashed], now))[hashed]
        await self.store.revoke_staff(sign_in.staff.member, now)


@pytest.fixture
async def staffing(site: Cluster) -> AsyncIterator[Staffing]:
    store = SqliteStore(site.database)
    await store.open()
    try:
        staffing = Staffing(store)
        # One more, so that no other is the last operator.
        await staffing.token("operator")
        yield staffing
    finally:
        await store.close()


# ------------------------------------------------------------------------------------------------------- the page


def test_every_command_and_every_call_is_on_the_page_and_nothing_else() -> None:
    """[P-AUTH-1]"""
    assert sorted(name for name in COMMANDS_MATRIX if name != BAN) == sorted(["hello", *map(tag_of, TABLE)])
    assert [*CALLS_MATRIX] == [*CALLS]
    cells = [cell for row in (*COMMANDS_MATRIX.values(), *CALLS_MATRIX.values()) for cell in row.values()]
    assert set(cells) == {"yes", "no", "password"}
    assert {role for role in ROLES if role not in WITHOUT_ROLE and ", " not in role} == {*Role}


def test_the_page_and_the_tables_agree_on_what_is_dangerous() -> None:
    """[P-AUTH-1]"""
    dangerous = {tag_of(kind) for kind in TABLE if kind.is_dangerous}
    assert {name for name, row in COMMANDS_MATRIX.items() if "password" in row.values()} == {BAN, *dangerous}
    named = {name for name, call in CALLS.items() if call.is_dangerous}
    assert {name for name, row in CALLS_MATRIX.items() if "password" in row.values()} == named


# ------------------------------------------------------------------------------------------------------- commands


async def _arrive(role: str, staffing: Staffing, meet: Meet, *, is_stale: bool = False) -> Peer:
    if role == MEMBER:
        return await meet()
    peer = await meet.silent()
    if role == NOBODY:
        return peer
    token = await staffing.token(role, is_stale=is_stale)
    if role == REVOKED:
        assert (await peer.refusal("hello", staff=True, token=token))["code"] == "identity_unknown"
    else:
        await peer.hello(staff=True, token=token)
    return peer


def _commands() -> list[tuple[str, str, Json]]:
    """A line of the page, and a command for it: those that may end what comes after stand last."""
    found: list[tuple[str, str, Json]] = []
    for command in COMMANDS:
        if isinstance(command, Hello):
            continue
        fields = {name: value for name, value in json.loads(msgspec.json.encode(command)).items() if name not in _OURS}
        name = tag_of(type(command))
        found.append((name, name, fields))
        if isinstance(command, TakeMeasureCommand):
            del fields["room"]
            found.append((BAN, name, {**fields, "kind": MeasureKind.BAN.value}))
    return found


async def _judge_command(peer: Peer, command: str, fields: Json) -> str:
    """`yes`, `no` or `password`, as the page would say it."""
    try:
        await peer.ask(command, **fields)
    except Refused as refused:
        why = refused.error.get("details", {}).get("why")
        if refused.code in UNKNOWN or (refused.code == "not_allowed" and why is None):
            return "no"
        if refused.code in ("invalid", "rate_limited", "internal"):
            raise
        return "password" if refused.code == "confirmation_required" else "yes"
    return "yes"


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_may_give_the_commands_that_the_page_says(role: str, staffing: Staffing, meet: Meet) -> None:
    """[P-AUTH-1] [P-AUTH-2]"""
    expected = {name: row[role] for name, row in COMMANDS_MATRIX.items() if name != "hello"}
    # A password that was just given opens whatever a password opens.
    fresh = {name: "yes" if cell == "password" else cell for name, cell in expected.items()}
    peer = await _arrive(role, staffing, meet)
    assert {name: await _judge_command(peer, cmd, fields) for name, cmd, fields in _commands()} == fresh
    if role not in WITHOUT_ROLE:
        stale = await _arrive(role, staffing, meet, is_stale=True)
        assert {name: await _judge_command(stale, cmd, fields) for name, cmd, fields in _commands()} == expected


@pytest.mark.parametrize("role", ROLES)
async def test_who_may_say_hello(role: str, staffing: Staffing, meet: Meet) -> None:
    """[P-AUTH-1]"""
    peer = await meet.silent()
    if role in (NOBODY, MEMBER):
        await peer.hello()
    else:
        hello = {"staff": True, "token": await staffing.token(role)}
        is_let_in = COMMANDS_MATRIX["hello"][role] == "yes"
        assert is_let_in is (role != REVOKED)
        if is_let_in:
            assert {*(await peer.hello(**hello))["roles"]} == {*role.split(", ")}
        else:
            assert (await peer.refusal("hello", **hello))["code"] == "identity_unknown"


async def test_who_is_revoked_in_the_middle_of_it_is_put_out(staffing: Staffing, meet: Meet) -> None:
    """[P-AUTH-1]"""
    token = await staffing.token("operator")
    peer = await meet(staff=True, token=token)
    await peer.ask("load")
    await staffing.revoke(token)
    assert await peer.ended() == 4401


# ------------------------------------------------------------------------------------------------------- HTTP calls


async def _judge_call(http: httpx.AsyncClient, name: str, token: str | None) -> str:
    call = CALLS[name]
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    body = BODIES.get(name, {}) if call.method == "POST" else None
    # It is the token that is judged, and no cookie of an earlier answer.
    http.cookies.clear()
    answer = await http.request(call.method, call.path, json=body, headers=headers)
    error: Json = answer.json()["error"] if answer.is_client_error else {"code": ""}
    code, why = error["code"], error.get("details", {}).get("why")
    assert not answer.is_server_error, (name, answer.text)
    if code in ("identity_required", "identity_unknown") or (code == "not_allowed" and why is None):
        return "no"
    assert code not in ("malformed", "rate_limited"), (name, answer.text)
    return "password" if code == "confirmation_required" else "yes"


@pytest.mark.parametrize("role", ROLES)
async def test_each_role_may_make_the_calls_that_the_page_says(
    role: str, staffing: Staffing, meet: Meet, site: Cluster
) -> None:
    """[P-AUTH-1] [P-AUTH-2]"""
    expected = {name: row[role] for name, row in CALLS_MATRIX.items()}
    fresh = {name: "yes" if cell == "password" else cell for name, cell in expected.items()}

    async def credential(*, is_stale: bool) -> str | None:
        # A new one for each call: some of them end what they are made with.
        if role == NOBODY:
            return None
        return (await meet()).token if role == MEMBER else await staffing.token(role, is_stale=is_stale)

    async with WebClient(base_url=site.http, timeout=20) as http:
        rounds = [(False, fresh)] if role in WITHOUT_ROLE else [(False, fresh), (True, expected)]
        for is_stale, cells in rounds:
            found = {name: await _judge_call(http, name, await credential(is_stale=is_stale)) for name in CALLS}
            assert found == cells


async def test_the_same_command_is_as_good_as_new_once_the_password_was_given(staffing: Staffing, meet: Meet) -> None:
    """[P-AUTH-2]"""
    token = await staffing.token("moderator", is_stale=True)
    moderator, guest = await meet(staff=True, token=token), await meet()
    command = {
        "cmd": "measure",
        "id": "the-same-one",
        "kind": "ban",
        "member": guest.member["id"],
        "minutes": 60,
        "reason": "It was too much.",
    }
    await moderator.send_raw(moderator.pack(command))
    assert (await moderator.error("the-same-one"))["code"] == "confirmation_required"
    moderator.heard.clear()
    await staffing.confirm(token)
    await moderator.send_raw(moderator.pack(command))
    assert (await moderator.answer_to("the-same-one"))["ok"] == "measure"
    assert await guest.ended() == 4402
    # Or no new guests would come in from here any more.
    lifted = (await moderator.ask("reports"))["measures"][0]["id"]
    await moderator.ask("lift", measure=lifted, reason="It was a test.")


# ------------------------------------------------------------------------------------------------------- own cases

CASES: Final[dict[str, Json]] = {
    "open_report": {"why": "To answer it."},
    "claim": {},
    "claim` with `instead_of": {"instead_of": "m_nobody", "why": "They went home."},
    "release": {},
    "note": {"note": "Second time this week."},
    "close": {"outcome": "nothing"},
    "review": {"agree": True},
    "measure` with `report": {"kind": "notice", "member": "m_nobody", "reason": "It was too much."},
}
"""What is tried on a report, in this order: each does no harm to what comes after it."""


class Casework:
    """Makes what somebody may or may not handle, straight in the house's store."""

    def __init__(self, site: Cluster, store: SqliteStore, me: MemberId, colleague: MemberId) -> None:
        self._database = site.database
        self._store = store
        self._me = me
        self._colleague = colleague
        self._room = RoomId(site.rooms.plain())

    async def report(self, relation: str) -> str:
        """A report that is this to me; its id."""
        guests = [await self._guest() for _ in range(2)]
        if relation == "my session":
            before = {each.id for each in (await self._all()).open}
            session = await self._session(guests[0])
            told = KeepReport(
                session=session, by=guests[0], about=None, reason="x", note="", is_call=False, at=self._now()
            )
            await self._do(effects=(told,))
            (made,) = {each.id for each in (await self._all()).open} - before
            return made
        about = {"about me": self._me, "about staff": self._colleague}.get(relation, guests[1])
        by = self._me if relation == "I reported it" else guests[0]
        await self._store.join(by, self._room, 1)
        asked = RoomReport(
            id=f"case{next(_numbers)}", at=self._now(), by=by, room=self._room, offset=None, about=about, reason="x",
            note="",
        )  # fmt: skip
        return await self._store.report(asked)

    async def note(self, relation: str) -> str:
        """A listener's note that is this to me; its id."""
        known = await self._debriefs()
        listener, session = self._me if relation == "about me" else self._colleague, None
        if relation == "my session":
            session = await self._session(await self._guest())
        await self._do(effects=(KeepDebrief(listener=listener, note="Hard.", at=self._now(), session=session),))
        (made,) = await self._debriefs() - known
        return made

    def measure(self, relation: str) -> str:
        """A measure that is this to me; its id. From before somebody had an account: else there is none about staff."""
        made = f"measure{next(_numbers)}"
        about = self._me if relation == "about me" else "m_somebody"
        with closing(sqlite3.connect(self._database, timeout=20)) as db, db:
            db.execute(
                "INSERT INTO measures (id, at, by, about, kind, reason, expires_at, version) "
                "VALUES (?, 1, 'm_mo', ?, 'notice', 'x', ?, 1)",
                (made, about, self._now() + _YEAR),
            )
        return made

    async def _session(self, seeker: MemberId) -> SessionId:
        """One that I handed over."""
        made, now = SessionId(f"s-case{next(_numbers)}"), self._now()
        talk = Session(
            id=made, seeker=seeker, seeker_name="", listeners=(self._colleague,), names={}, wish=Wish(), asked_at=now,
            started_at=now, ends_at=now, last_at=now, ended_at=now, forget_at=Millis(now + _YEAR),
            left={self._me: Left(at=now)},
        )  # fmt: skip
        await self._do(SessionSet(session=talk))
        return made

    async def _do(self, *events: SessionSet, effects: tuple[KeepReport | KeepDebrief, ...] = ()) -> None:
        decided = Decided(events=events, effects=effects)
        await self._store.commit_listening(ListeningChange(decide=lambda listening: decided, now=self._now()))

    async def _guest(self) -> MemberId:
        number, now = next(_numbers), self._now()
        member = Member(
            id=MemberId(f"m_case{number}"), name=f"Case {number}", name_key=f"case{number}", created_at=now, seen_at=now
        )
        await self._store.add_member(member)
        return member.id

    async def _all(self) -> Queue:
        return await self._store.queue(Asker(member=MemberId(""), is_operator=True), self._now())

    async def _debriefs(self) -> set[str]:
        return {each.id for each in await self._store.debriefs(Asker(member=MemberId(""), is_operator=True), _now())}

    def _now(self) -> Millis:
        return Millis(time.time_ns() // 1_000_000)


def test_the_page_says_of_every_command_about_a_case_whose_it_may_be() -> None:
    """[P-AUTH-3]"""
    about = {kind.__struct_config__.tag for kind in get_args(ModerationCommand)}
    named = {name.split("`")[0] for name in CASES_MATRIX}
    assert named == about - {"report_post", "seen"}
    assert {cell for row in CASES_MATRIX.values() for cell in row.values()} == {"yes", "no", "operator", "-"}


@pytest.mark.parametrize("role", ["moderator", "operator"])
@pytest.mark.parametrize("relation", RELATIONS)
async def test_nobody_handles_their_own_case(
    role: str, relation: str, staffing: Staffing, meet: Meet, site: Cluster
) -> None:
    """[P-AUTH-3] [P-MOD-11]"""
    token, me = await staffing.account(role)
    _, colleague = await staffing.account("listener")
    peer = await meet(staff=True, token=token)
    casework = Casework(site, staffing.store, me, colleague)
    found: dict[str, bool] = {}

    async def attempt(line: str, **fields: Any) -> None:
        try:
            await peer.ask(line.split("`", maxsplit=1)[0], **fields)
            found[line] = True
        except Refused as refused:
            why = refused.error.get("details", {}).get("why")
            found[line] = refused.code != "report_unknown" and why != "self"

    report = await casework.report(relation)
    pages = [await peer.ask("reports")]
    while pages[-1].get("next") is not None:
        pages.append(await peer.ask("report_page", after=pages[-1]["next"]))
    found["reports"] = report in str(pages)
    found["report_page"] = report in str(await peer.ask("report_page")) or report in str(pages[1:])
    for line, fields in CASES.items():
        await attempt(line, report=report, **fields)
    if CASES_MATRIX["lift"][relation] != "-":
        await attempt("lift", measure=casework.measure(relation), reason="It was a mistake.")
    if CASES_MATRIX["debriefs"][relation] != "-":
        note = await casework.note(relation)
        found["debriefs"] = note in str(await peer.ask("debriefs"))
        await peer.ask("read_debrief", debrief=note)
        supervisor = Asker(member=MemberId(""), is_operator=True)
        kept = next(each for each in await staffing.store.debriefs(supervisor, _now()) if each.id == note)
        found["read_debrief"] = kept.read_by == me
    expected = {line: row[relation] for line, row in CASES_MATRIX.items() if row[relation] != "-"}
    assert found == {line: cell == "yes" or (cell == "operator" == role) for line, cell in expected.items()}
