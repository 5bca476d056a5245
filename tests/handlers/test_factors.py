"""Second factors, recovery codes, resets and passkeys of staff accounts."""

from __future__ import annotations

import asyncio

import pyotp
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.staff import Role
from chatserver.handlers.people.proofs import Proof
from chatserver.handlers.people.staff import NewSignIn
from tests.handlers.office import HOUR, OTHER, PASSWORD, Office, refusal, with_factor


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
    assert sorted(type(each).__name__ for each in outcomes) == ["NewSignIn", "Refusal"]
