"""Staff accounts on a real store, with a clock that the test moves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import Literal

import pytest
from argon2 import Parameters, PasswordHasher, Type, extract_parameters

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.staff import CONFIRMED_FOR, Role
from chatserver.handlers.people.password_hashing import MEMORY_KIB, PARALLELISM, TIME_COST, WAITING
from chatserver.handlers.people.proofs import Proof
from chatserver.store.records import SignIn, StoreUnavailable
from chatserver.store.staff_records import Device
from tests.handlers.office import HOUR, OTHER, PASSWORD, Office, as_served, refusal
from tests.kit.waiting import eventually

# -------------------------------------------------------------------------------------------- signing in and out


async def test_a_sign_in_lasts_twelve_hours_whatever_happens_meanwhile(office: Office) -> None:
    await office.accounts.add_operator("Anna", "Anna Berg", PASSWORD)
    welcome = await office.accounts.sign_in(" ANNA ", PASSWORD)
    office.clock.pass_by(12 * HOUR - 1)
    known = await office.accounts.known(welcome.token)
    assert known == welcome.sign_in
    assert (known.staff.name, known.staff.roles) == ("Anna Berg", frozenset({Role.OPERATOR}))
    office.clock.pass_by(1)
    assert await office.accounts.known(welcome.token) is None


@as_served
async def test_only_hashes_are_kept(office: Office, tmp_path: Path) -> None:
    await office.accounts.add_operator("anna", "Anna", PASSWORD)
    welcome = await office.accounts.sign_in("anna", PASSWORD)
    link = await office.accounts.make_invitation([Role.LISTENER], None)
    kept = await asyncio.to_thread(lambda: b"".join(file.read_bytes() for file in tmp_path.iterdir()))
    assert welcome.sign_in.token_hash in kept
    for secret in (PASSWORD, welcome.token, link.secret):
        assert secret.encode() not in kept
    found = await office.store.staff_by_login("anna")
    assert found is not None
    parameters = extract_parameters(found.password_hash)
    assert (parameters.type, parameters.time_cost, parameters.memory_cost) == (Type.ID, TIME_COST, MEMORY_KIB)


async def test_every_wrong_sign_in_is_refused_alike(office: Office) -> None:
    anna = await office.operator()
    ben = await office.colleague("ben", Role.LISTENER)
    await office.accounts.revoke(anna, ben.sign_in.staff.member)
    for login, password in (
        ("anna", OTHER),
        ("anna", ""),
        ("anna", PASSWORD + " "),
        ("anna", PASSWORD + "x" * 5_000),
        ("nobody", PASSWORD),
        ("", ""),
        ("\x00", PASSWORD),
        ("ben", PASSWORD),
    ):
        refused = await refusal(office.accounts.sign_in(login, password))
        assert (refused.reason, refused.details) == (Reason.SIGN_IN_REFUSED, None)


class Noting(PasswordHasher):
    """Hashes as the server does, and keeps which parameters each comparison had."""

    def __init__(self) -> None:
        super().__init__(TIME_COST, MEMORY_KIB, PARALLELISM)
        self.compared: list[Parameters] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        assert isinstance(hash, str)
        self.compared.append(extract_parameters(hash))
        return super().verify(hash, password)


@pytest.mark.parametrize("office", [Noting()], indirect=True, ids=["as served"])
async def test_a_login_that_is_nobodys_costs_as_much_work(office: Office, request: pytest.FixtureRequest) -> None:
    """One comparison at the full cost, whoever's login it is. `python -m bench.cpu_bounds` measures the seconds."""
    hasher = request.node.callspec.params["office"]
    await office.operator()
    ben = await office.colleague("ben", Role.LISTENER)
    await office.accounts.make_reset(ben.sign_in.staff.member)
    for login in ("anna", "nobody", "ben"):
        hasher.compared.clear()
        await refusal(office.accounts.sign_in(login, OTHER))
        (cost,) = hasher.compared
        assert (cost.type, cost.time_cost, cost.memory_cost, cost.parallelism, cost.hash_len, cost.salt_len) == (
            Type.ID, TIME_COST, MEMORY_KIB, PARALLELISM, 32, 16,
        ), login  # fmt: skip


async def test_nobody_is_let_in_while_the_store_is_away(office: Office) -> None:
    await office.accounts.add_operator("anna", "Anna", PASSWORD)
    welcome = await office.accounts.sign_in("anna", PASSWORD)
    await office.store.close()
    for asked in (office.accounts.sign_in("anna", PASSWORD), office.accounts.known(welcome.token)):
        with pytest.raises(StoreUnavailable):
            await asked


async def test_signing_out_ends_this_sign_in_and_no_other(office: Office) -> None:
    await office.accounts.add_operator("anna", "Anna", PASSWORD)
    here, there = [await office.accounts.sign_in("anna", PASSWORD) for _ in range(2)]
    await office.accounts.sign_out(here.sign_in)
    assert await office.accounts.known(here.token) is None
    assert await office.accounts.known(there.token) is not None
    assert office.changed == [here.sign_in.staff.member]


async def test_what_is_no_token_is_nobodys(office: Office) -> None:
    for token in (None, "", "x", "x" * 43, "\ud800", "a" * 10_000):
        assert await office.accounts.known(token) is None


async def test_passwords_are_hashed_one_at_a_time_and_few_may_wait(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.accounts.add_operator("anna", "Anna", PASSWORD)
    verify = office.accounts.hashing._verify
    together, most, guard, go_on = [0], [0], threading.Lock(), threading.Event()

    def counted(password_hash: str, password: str) -> bool:
        with guard:
            together[0] += 1
            most[0] = max(most[0], together[0])
        go_on.wait(30)
        try:
            return verify(password_hash, password)
        finally:
            with guard:
                together[0] -= 1

    monkeypatch.setattr(office.accounts.hashing, "_verify", counted)
    crowd = [asyncio.create_task(office.accounts.sign_in("anna", PASSWORD)) for _ in range(WAITING + 3)]
    # Nobody gets any further before those for whom there is no place have gone.
    await eventually(lambda: sum(each.done() for each in crowd) == 3, 20)
    go_on.set()
    outcomes = await asyncio.gather(*crowd, return_exceptions=True)
    assert most == [1]
    turned_away = [each for each in outcomes if isinstance(each, Refusal)]
    assert [each.reason for each in turned_away] == [Reason.BUSY] * 3
    assert await office.accounts.sign_in("anna", PASSWORD)


@as_served
async def test_the_loop_goes_on_while_a_password_is_hashed(office: Office) -> None:
    await office.accounts.add_operator("anna", "Anna", PASSWORD)
    signing_in = asyncio.create_task(office.accounts.sign_in("anna", PASSWORD))
    turns = 0
    while not signing_in.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100
    await signing_in


# ------------------------------------------------------------------------------------------------ becoming staff


async def test_an_invitation_makes_one_account_in_time(office: Office) -> None:
    link = await office.accounts.make_invitation([Role.LISTENER, Role.MODERATOR], None)
    assert link.expires_at == office.clock() + 72 * HOUR
    welcome = await office.accounts.accept_invitation(link.secret, "Ben", "Ben Stein", PASSWORD)
    assert welcome.sign_in.staff.roles == {Role.LISTENER, Role.MODERATOR}
    assert await office.accounts.known(welcome.token) == welcome.sign_in
    again = await refusal(office.accounts.accept_invitation(link.secret, "cleo", "Cleo", PASSWORD))
    assert again.reason is Reason.INVITATION_UNKNOWN
    late = await office.accounts.make_invitation([Role.LISTENER], None)
    office.clock.pass_by(72 * HOUR)
    refused = await refusal(office.accounts.accept_invitation(late.secret, "cleo", "Cleo", PASSWORD))
    assert refused.reason is Reason.INVITATION_UNKNOWN
    assert (await refusal(office.accounts.accept_invitation("x", "c", "C", PASSWORD))).reason is (
        Reason.INVITATION_UNKNOWN
    )


async def test_of_two_who_use_one_link_at_once_one_gets_in(office: Office) -> None:
    link = await office.accounts.make_invitation([Role.OPERATOR], None)
    outcomes = await asyncio.gather(
        office.accounts.accept_invitation(link.secret, "ben", "Ben", PASSWORD),
        office.accounts.accept_invitation(link.secret, "cleo", "Cleo", PASSWORD),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in outcomes) == ["NewSignIn", "Refusal"]
    assert len(await office.store.all_staff()) == 1


async def test_what_is_wrong_with_an_account_leaves_the_link_good(office: Office) -> None:
    await office.accounts.add_operator("anna", "Anna Berg", PASSWORD)
    link = (await office.accounts.make_invitation([Role.LISTENER], None)).secret
    for login, name, password, reason, details in (
        ("anna", "Ben", PASSWORD, Reason.NAME_TAKEN, {"field": "login"}),
        ("b n", "Ben", PASSWORD, Reason.NAME_REFUSED, {"why": "login"}),
        ("ben", "Anna Berg", PASSWORD, Reason.NAME_TAKEN, None),
        ("ben", "Moderator", PASSWORD, Reason.NAME_REFUSED, {"why": "reserved"}),
        ("ben", "Ben", "short", Reason.PASSWORD_WEAK, {"why": "short", "shortest": 12}),
        ("ben.stein", "Ben", "ben.stein.ben", Reason.PASSWORD_WEAK, {"why": "login"}),
    ):
        refused = await refusal(office.accounts.accept_invitation(link, login, name, password))
        assert (refused.reason, refused.details) == (reason, details)
    assert await office.accounts.accept_invitation(link, "ben", "Ben", PASSWORD)


async def test_an_invitation_gives_at_least_one_role(office: Office) -> None:
    assert (await refusal(office.accounts.make_invitation([], None))).reason is Reason.INVALID


# ------------------------------------------------------------------------------------------------ one's own account


async def test_a_new_password_ends_every_other_sign_in(office: Office) -> None:
    here = await office.operator()
    there = await office.accounts.sign_in("anna", PASSWORD)
    wrong = await refusal(office.accounts.change_password(here, Proof(password=OTHER), OTHER))
    assert wrong.reason is Reason.SIGN_IN_REFUSED
    weak = await refusal(office.accounts.change_password(here, Proof(password=PASSWORD), "short"))
    assert weak.reason is Reason.PASSWORD_WEAK
    assert await office.accounts.known(there.token) is not None
    after = await office.accounts.change_password(here, Proof(password=PASSWORD), OTHER)
    assert await office.store.sign_ins([here.token_hash, there.sign_in.token_hash], office.clock()) == {}
    assert await office.accounts.known(after.token) == after.sign_in
    assert (await refusal(office.accounts.sign_in("anna", PASSWORD))).reason is Reason.SIGN_IN_REFUSED
    assert await office.accounts.sign_in("anna", OTHER)
    assert office.changed == [here.staff.member]


async def test_a_sign_in_that_a_new_password_overtakes_is_refused(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the old password must not slip in while it is being changed."""
    here = await office.operator()
    keep = office.store.sign_in
    overtaken = False

    async def overtake(
        token_hash: bytes, member: MemberId, now: Millis, expires_at: Millis, device: Device | None = None
    ) -> None:
        nonlocal overtaken
        if not overtaken:
            overtaken = True
            await office.accounts.change_password(here, Proof(password=PASSWORD), OTHER)
        await keep(token_hash, member, now, expires_at, device)

    monkeypatch.setattr(office.store, "sign_in", overtake)
    assert (await refusal(office.accounts.sign_in("anna", PASSWORD))).reason is Reason.SIGN_IN_REFUSED
    assert overtaken


# ------------------------------------------------------------------------------------------------ others' accounts


@pytest.mark.parametrize("role", list(Role))
async def test_who_may_do_what_to_others(office: Office, role: Role) -> None:
    anna = await office.operator()
    by = await office.counting(anna, await office.colleague("ben", role))
    asked: dict[str, Awaitable[object]] = {
        "see": office.accounts.everybody(by),
        "invite": office.accounts.invite(by, [Role.LISTENER]),
        "roles": office.accounts.set_roles(by, anna.staff.member, [Role.OPERATOR, Role.LISTENER]),
        "revoke": office.accounts.revoke(by, anna.staff.member),
    }
    outcomes = dict(zip(asked, await asyncio.gather(*asked.values(), return_exceptions=True), strict=True))
    refused = {name: each for name, each in outcomes.items() if isinstance(each, Refusal)}
    assert {(each.reason, each.details) for each in refused.values()} <= {(Reason.NOT_ALLOWED, None)}
    assert asked.keys() - refused.keys() == {Role.MODERATOR: {"see"}, Role.OPERATOR: {*asked}}.get(role, set())
    assert ((await office.everybody())["anna"].revoked_at is not None) == (role is Role.OPERATOR)


async def test_what_is_dangerous_needs_a_password_of_the_last_ten_minutes(office: Office) -> None:
    anna = await office.operator()
    ben = (await office.colleague("ben", Role.LISTENER)).sign_in.staff.member
    office.clock.pass_by(CONFIRMED_FOR + 1)

    def dangerous(by: SignIn) -> list[Awaitable[object]]:
        return [
            office.accounts.invite(by, [Role.LISTENER]),
            office.accounts.set_roles(by, ben, [Role.MODERATOR]),
            office.accounts.agree(by, ben),
            office.accounts.reset(by, ben),
            office.accounts.revoke(by, ben),
        ]

    for each in dangerous(anna):
        assert (await refusal(each)).reason is Reason.CONFIRMATION_REQUIRED
    assert await office.accounts.everybody(anna)

    assert (await refusal(office.accounts.confirm(anna, Proof(password=OTHER)))).reason is Reason.SIGN_IN_REFUSED
    assert (await office.again(anna)).confirmed_at == anna.confirmed_at
    await office.accounts.confirm(anna, Proof(password=PASSWORD))
    office.clock.pass_by(CONFIRMED_FOR)
    confirmed = await office.again(anna)
    reasons = []
    for each in dangerous(confirmed):
        try:
            await each
        except Refusal as refused:
            reasons.append(refused.reason)
    assert reasons == [Reason.NOT_ALLOWED], "there is nothing to agree to"


async def test_revoking_ends_every_sign_in_at_once(office: Office) -> None:
    anna = await office.operator()
    ben = await office.colleague("ben", Role.LISTENER)
    await office.accounts.revoke(anna, ben.sign_in.staff.member)
    assert await office.accounts.known(ben.token) is None
    assert office.changed == [ben.sign_in.staff.member]
    await office.accounts.revoke(anna, ben.sign_in.staff.member)
    nobody = await refusal(office.accounts.revoke(anna, MemberId("m_nobody")))
    assert nobody.reason is Reason.MEMBER_UNKNOWN


async def test_roles_replace_what_was_there_and_are_never_none(office: Office) -> None:
    anna = await office.operator()
    ben = (await office.colleague("ben", Role.LISTENER)).sign_in
    await office.accounts.set_roles(anna, ben.staff.member, [Role.FACILITATOR, Role.MODERATOR])
    assert (await office.again(ben)).staff.roles == {Role.FACILITATOR, Role.MODERATOR}
    assert (await refusal(office.accounts.set_roles(anna, ben.staff.member, []))).reason is Reason.INVALID


async def test_there_is_always_an_operator(office: Office) -> None:
    anna = await office.operator()
    for asked in (
        office.accounts.revoke(anna, anna.staff.member),
        office.accounts.set_roles(anna, anna.staff.member, [Role.LISTENER]),
        office.accounts.end(anna.staff.member),
    ):
        refused = await refusal(asked)
        assert (refused.reason, refused.details) == (Reason.NOT_ALLOWED, {"why": "last_operator"})
    hired = await office.colleague("ben", Role.OPERATOR)
    refused = await refusal(office.accounts.end(anna.staff.member))
    assert refused.details == {"why": "last_operator"}, "who waits is no replacement"
    ben = await office.counting(anna, hired)
    # Both at once: each thinks that the other stays.
    outcomes = await asyncio.gather(
        office.accounts.revoke(anna, ben.staff.member),
        office.accounts.revoke(ben, anna.staff.member),
        return_exceptions=True,
    )
    assert [type(each) for each in outcomes].count(Refusal) == 1
    good = [staff for staff in await office.store.all_staff() if staff.revoked_at is None]
    assert len(good) == 1


async def test_who_goes_says_so_with_the_password_and_the_last_operator_stays(office: Office) -> None:
    anna = await office.operator()
    ben = (await office.colleague("ben", Role.LISTENER)).sign_in
    assert (await refusal(office.accounts.may_go(ben, Proof(password=OTHER)))).reason is Reason.SIGN_IN_REFUSED
    assert await office.accounts.may_go(ben, Proof(password=PASSWORD)) == ben.staff.member
    refused = await refusal(office.accounts.may_go(anna, Proof(password=PASSWORD)))
    assert (refused.reason, refused.details) == (Reason.NOT_ALLOWED, {"why": "last_operator"})
    assert (await refusal(office.accounts.may_go(anna, Proof(password=OTHER)))).reason is Reason.SIGN_IN_REFUSED
    await office.counting(anna, await office.colleague("cleo", Role.OPERATOR))
    assert await office.accounts.may_go(anna, Proof(password=PASSWORD)) == anna.staff.member
