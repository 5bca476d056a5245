"""Staff accounts on a real store, with a clock that the test moves."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyotp
import pytest
from argon2 import Parameters, PasswordHasher, Type, extract_parameters

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.staff import CONFIRMED_FOR, Role, Staff
from chatserver.handlers.people.identity import new_member_id
from chatserver.handlers.people.password_hashing import MEMORY_KIB, PARALLELISM, TIME_COST, WAITING
from chatserver.handlers.people.proofs import Proof
from chatserver.handlers.people.staff import NewSignIn, StaffAccounts
from chatserver.store.drivers.migrate import migrate
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.records import SignIn, StoreUnavailable
from chatserver.store.staff_records import Device
from tests.kit.waiting import eventually

HOUR = 3_600_000
PASSWORD = "lamp river boots sky"
OTHER = "nine green bottles fall"


class Clock:
    def __init__(self) -> None:
        self.time = 1_767_225_600_000

    def __call__(self) -> Millis:
        return Millis(self.time)

    def pass_by(self, millis: int) -> None:
        self.time += millis


@dataclass
class Office:
    store: SqliteStore
    accounts: StaffAccounts
    clock: Clock
    changed: list[MemberId]

    async def operator(self, login: str = "anna") -> SignIn:
        await self.accounts.add_operator(login, login, PASSWORD)
        return (await self.accounts.sign_in(login, PASSWORD)).sign_in

    async def colleague(self, login: str, *roles: Role) -> NewSignIn:
        """Somebody who accepted an invitation."""
        link = await self.accounts.make_invitation(roles, None)
        return await self.accounts.accept_invitation(link.secret, login, login, PASSWORD)

    async def counting(self, operator: SignIn, welcome: NewSignIn) -> SignIn:
        """Their sign-in, once another operator has agreed to the role where it is one's."""
        if Role.OPERATOR in (await self.everybody())[welcome.sign_in.staff.login].roles:
            await self.accounts.agree(operator, welcome.sign_in.staff.member)
            self.changed.clear()
        return await self.again(welcome.sign_in)

    async def again(self, by: SignIn) -> SignIn:
        """The same sign-in as the store knows it now."""
        return (await self.store.sign_ins([by.token_hash], self.clock()))[by.token_hash]

    async def everybody(self) -> dict[str, Staff]:
        return {staff.login: staff for staff in await self.store.all_staff()}


QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""For what is about something else than hashing."""
as_served = pytest.mark.parametrize("office", [None], indirect=True, ids=["as served"])


@pytest.fixture
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    """Its accounts; with `as_served` they hash as the server does."""
    path = tmp_path / "chat.db"
    await asyncio.to_thread(migrate, f"sqlite:///{path}")
    store, clock = SqliteStore(path), Clock()
    await store.open()
    accounts = StaffAccounts(
        store,
        new_id=lambda: new_member_id(secrets.randbelow),
        now=clock,
        name_length=24,
        sign_in_age=12 * HOUR,
        invitation_age=72 * HOUR,
        device_key=b"d" * 32,
        hasher=getattr(request, "param", QUICK),
    )
    office = Office(store, accounts, clock, [])
    accounts.on_changed = office.changed.append
    yield office
    await store.close()


async def refusal(asked: Awaitable[Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await asked
    return caught.value


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
    assert sorted(type(each).__name__ for each in outcomes) == ["Refusal", "NewSignIn"]
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


async def with_factor(office: Office, by: SignIn) -> tuple[pyotp.TOTP, list[str]]:
    """Somebody's second factor, on from now on, and its recovery codes."""
    factor = await office.accounts.factors.begin_totp(by)
    app = pyotp.TOTP(factor.secret)
    codes = await office.accounts.factors.set_totp(
        by, factor.secret, app.at(office.clock() / 1000), Proof(password=PASSWORD)
    )
    office.clock.pass_by(30_000)
    return app, codes


async def test_a_second_factor_is_asked_for_once_it_was_shown_to_work(office: Office) -> None:
    here = await office.operator()
    factors = office.accounts.factors
    factor = await factors.begin_totp(here)
    assert factor.secret in factor.uri
    assert await office.accounts.sign_in("anna", PASSWORD), "it does not count yet"
    app = pyotp.TOTP(factor.secret)

    def code() -> str:
        return app.at(office.clock() / 1000)

    wrong, password = f"{(int(code()) + 1) % 1_000_000:06}", Proof(password=PASSWORD)
    assert (await refusal(factors.set_totp(here, factor.secret, wrong, password))).details == {"why": "new_code"}
    assert (await refusal(factors.set_totp(here, "weak", wrong, password))).reason is Reason.INVALID
    # A sign-in alone, which may be stolen, puts no factor on.
    for proof in (Proof(), Proof(password=OTHER), Proof(code=code())):
        refused = await refusal(factors.set_totp(here, factor.secret, code(), proof))
        assert refused.reason is Reason.SIGN_IN_REFUSED
    assert len(await factors.set_totp(here, factor.secret, code(), password)) == 10

    for typed in (None, "", wrong, code()):
        refused = await refusal(office.accounts.sign_in("anna", PASSWORD, typed))
        assert (refused.reason, refused.details) == (Reason.SIGN_IN_REFUSED, {"why": "code"})
    office.clock.pass_by(30_000)
    # To whoever does not know the password it says nothing of codes.
    assert (await refusal(office.accounts.sign_in("anna", OTHER, code()))).details is None
    there = await office.accounts.sign_in("anna", PASSWORD, code())
    assert there.sign_in.staff.has_totp
    assert (await refusal(office.accounts.sign_in("anna", PASSWORD, code()))).details == {"why": "code"}

    used = Proof(password=PASSWORD, code=code())
    assert (await refusal(factors.remove_totp(there.sign_in, used))).details == {"why": "code"}
    office.clock.pass_by(30_000)
    await factors.remove_totp(there.sign_in, Proof(password=PASSWORD, code=code()))
    assert await office.accounts.sign_in("anna", PASSWORD)


async def test_wrong_codes_in_a_row_lock_the_second_factor_and_its_owner_is_told(office: Office) -> None:
    await office.accounts.add_operator("anna", "Anna", PASSWORD)
    here = (await office.accounts.sign_in("anna", PASSWORD)).sign_in
    app, codes = await with_factor(office, here)

    async def attempt(right: bool, known: bytes | None = None) -> Refusal | NewSignIn:
        code = app.at(office.clock() // 1000)
        typed = code if right else f"{(int(code) + 1) % 1_000_000:06}"
        try:
            return await office.accounts.sign_in("anna", PASSWORD, typed, known_device=known)
        except Refusal as refused:
            return refused

    for _ in range(5):
        refused = await attempt(right=False)
        assert isinstance(refused, Refusal)
        assert refused.reason is Reason.SIGN_IN_REFUSED
    office.clock.pass_by(30_000)
    # It is locked for the right code, too, and asking whether there is a second factor counts nothing.
    for _ in range(3):
        refused = await attempt(right=True)
        assert isinstance(refused, Refusal)
        assert refused.reason is Reason.RATE_LIMITED
        assert refused.details == {"why": "code", "failures": 5}
        assert refused.retry_after == pytest.approx(30.0)
        assert (await refusal(office.accounts.sign_in("anna", PASSWORD))).details == {"why": "code"}
    # Strangers lock neither whoever is signed in, nor a browser that is known, nor a recovery code.
    await office.accounts.confirm(here, Proof(password=PASSWORD, code=app.at(office.clock() // 1000)))
    office.clock.pass_by(30_000)
    known = await attempt(right=True, known=b"browser")
    assert isinstance(known, NewSignIn)
    assert known.sign_in.tries == 5
    assert (await office.accounts.sign_in("anna", PASSWORD, codes[0])).sign_in.tries == 0
    office.clock.pass_by(30_000)
    assert isinstance(await attempt(right=True), NewSignIn)


async def test_where_a_factor_is_on_its_code_is_asked_for_whatever_opens_the_account(office: Office) -> None:
    """A stolen sign-in with the password replaces nothing, and erases nobody."""
    here = await office.operator()
    ben = (await office.colleague("ben", Role.LISTENER)).sign_in
    app, _ = await with_factor(office, ben)
    factors = office.accounts.factors
    new = await factors.begin_totp(ben)
    shown = pyotp.TOTP(new.secret).at(office.clock() / 1000)
    for proof in (Proof(password=PASSWORD), Proof(password=PASSWORD, code="000000"), Proof()):
        for asked in (
            factors.set_totp(ben, new.secret, shown, proof),
            factors.remove_totp(ben, proof),
            factors.renew_codes(ben, proof),
            office.accounts.change_password(ben, proof, OTHER),
            office.accounts.may_go(ben, proof),
            office.accounts.confirm(ben, proof),
        ):
            # The sixth wrong code in a row is not even looked at.
            assert (await refusal(asked)).reason in (Reason.SIGN_IN_REFUSED, Reason.RATE_LIMITED)
    there = await office.accounts.sign_in("ben", PASSWORD, app.at(office.clock() / 1000))
    # Wrong codes and passwords of whoever had the sign-in are told to the owner.
    assert there.sign_in.tries == 5 + 6
    office.clock.pass_by(60_000)
    right = Proof(password=PASSWORD, code=app.at(office.clock() / 1000))
    assert await factors.set_totp(ben, new.secret, pyotp.TOTP(new.secret).at(office.clock() / 1000), right)
    assert await office.accounts.known(there.token) is None, "other sign-ins end"
    assert here.staff.member != ben.staff.member


async def test_a_recovery_code_stands_for_the_app_once(office: Office) -> None:
    here = await office.operator()
    _, codes = await with_factor(office, here)
    assert (await refusal(office.accounts.sign_in("anna", OTHER, codes[0]))).details is None
    there = await office.accounts.sign_in("anna", PASSWORD, codes[0].upper().replace("-", " "))
    assert (await office.accounts.factors.overview(there.sign_in)).recovery_left == 9
    assert (await refusal(office.accounts.sign_in("anna", PASSWORD, codes[0]))).details == {"why": "code"}
    renewed = await office.accounts.factors.renew_codes(there.sign_in, Proof(password=PASSWORD, code=codes[1]))
    assert not {*renewed} & {*codes}
    assert (await refusal(office.accounts.sign_in("anna", PASSWORD, codes[2]))).details == {"why": "code"}
    # Lost is lost: with a code the factor itself can be taken off.
    await office.accounts.factors.remove_totp(there.sign_in, Proof(password=PASSWORD, code=renewed[0]))
    assert (await office.accounts.factors.overview(there.sign_in)).recovery_left == 0
    refused = await refusal(office.accounts.factors.renew_codes(there.sign_in, Proof(password=PASSWORD)))
    assert refused.details == {"why": "code"}


async def test_a_reset_keeps_the_account_and_opens_it_with_a_new_password(office: Office) -> None:
    """[P-STAFF-15]"""
    anna = await office.operator()
    ben = await office.colleague("ben", Role.LISTENER)
    await with_factor(office, ben.sign_in)
    for by in (ben.sign_in, anna):
        # Nobody resets themselves: whoever is signed in and wants another password changes it.
        refused = await refusal(office.accounts.reset(by, by.staff.member))
        assert refused.reason is Reason.NOT_ALLOWED
    link = await office.accounts.reset(anna, ben.sign_in.staff.member)
    assert await office.accounts.known(ben.token) is None
    assert (await refusal(office.accounts.sign_in("ben", PASSWORD))).reason is Reason.SIGN_IN_REFUSED
    assert (await refusal(office.accounts.use_reset(link.secret, "short"))).reason is Reason.PASSWORD_WEAK
    assert (await refusal(office.accounts.use_reset("x", OTHER))).reason is Reason.INVITATION_UNKNOWN
    back = await office.accounts.use_reset(link.secret, OTHER)
    same = ben.sign_in.staff
    assert (back.sign_in.staff.member, back.sign_in.staff.login, back.sign_in.staff.roles) == (
        same.member,
        same.login,
        same.roles,
    )
    assert (await refusal(office.accounts.use_reset(link.secret, OTHER))).reason is Reason.INVITATION_UNKNOWN
    assert await office.accounts.sign_in("ben", OTHER)
    # For whoever has the machine it needs no operator.
    late = await office.accounts.make_reset(same.member)
    office.clock.pass_by(72 * HOUR)
    assert (await refusal(office.accounts.use_reset(late.secret, OTHER))).reason is Reason.INVITATION_UNKNOWN


async def test_a_passkey_that_was_shown_just_before_a_reset_lets_nobody_in_after_it(office: Office) -> None:
    ben = (await office.colleague("ben", Role.LISTENER)).sign_in.staff
    link = await office.accounts.make_reset(ben.member)
    # As for whoever had shown it in the moment before, when their sign-in is to be kept.
    with pytest.raises(Refusal):
        await office.store.sign_in(b"t" * 32, ben.member, office.clock(), Millis(office.clock() + HOUR))
    assert await office.accounts.use_reset(link.secret, OTHER)


async def test_for_a_day_after_anothers_reset_nothing_of_the_owners_is_given_out(office: Office) -> None:
    """[P-STAFF-15]"""
    anna, ben = await office.operator(), await office.colleague("ben", Role.LISTENER)
    told: list[MemberId] = []

    async def note(member: MemberId) -> None:
        told.append(member)

    office.accounts.on_reset = note
    assert await office.accounts.may_export(ben.sign_in) == ben.sign_in.staff.member
    link = await office.accounts.reset(anna, ben.sign_in.staff.member)
    assert told == [ben.sign_in.staff.member], "before anybody has the link"
    back = (await office.accounts.use_reset(link.secret, OTHER)).sign_in
    assert (await refusal(office.accounts.may_export(back))).details == {"why": "reset"}
    office.clock.pass_by(24 * HOUR)
    assert await office.accounts.may_export(back) == back.staff.member
    # Whoever has the machine has everything that the export has.
    link = await office.accounts.make_reset(back.staff.member)
    back = (await office.accounts.use_reset(link.secret, PASSWORD)).sign_in
    assert await office.accounts.may_export(back) == back.staff.member


async def test_of_two_who_type_one_code_at_once_one_gets_in(office: Office) -> None:
    here = await office.operator()
    app, _ = await with_factor(office, here)
    office.clock.pass_by(30_000)
    typed = app.at(office.clock() / 1000)
    outcomes = await asyncio.gather(
        *(office.accounts.sign_in("anna", PASSWORD, typed) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in outcomes) == ["Refusal", "NewSignIn"]


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
