"""Staff accounts, invitations and sign-ins, as `staff_store` promises them, proven for every database."""

from __future__ import annotations

import asyncio
import itertools

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.staff import Role, Staff
from chatserver.store.records import Invitation, Retention, SignIn, StaffSecrets
from chatserver.store.store import Store
from tests.store.kit import START, Database, newcomer

DAY = 24 * 3_600_000
OPERATOR = frozenset({Role.OPERATOR})
LISTENER = frozenset({Role.LISTENER})
_ids = itertools.count(1)


def account(login: str, roles: frozenset[Role] = LISTENER, **fields: object) -> StaffSecrets:
    staff = Staff(
        member=MemberId(f"m_{login.casefold()}{next(_ids)}"),
        login=login,
        name=f"{login} of staff",
        roles=roles,
        created_at=START,
    )
    return StaffSecrets(
        staff=msgspec.structs.replace(staff, **fields), password_hash="argon2", totp_secret=None, totp_step=0
    )


async def hired(store: Store, login: str, roles: frozenset[Role] = LISTENER, **fields: object) -> Staff:
    made = account(login, roles, **fields)
    await store.add_staff(made, made.staff.name.casefold(), None)
    return made.staff


async def refused(attempt: object, reason: Reason) -> None:
    with pytest.raises(Refusal) as refusal:
        await attempt  # type: ignore[misc]
    assert refusal.value.reason is reason


# ------------------------------------------------------------------------------------------------ accounts


async def signed_in(store: Store, token_hash: bytes, now: Millis) -> Staff | None:
    """Return whose sign-in it is, or None if it is not valid."""
    found = (await store.sign_ins([token_hash], now)).get(token_hash)
    return None if found is None else found.staff


async def test_an_account_is_found_by_its_member_and_by_its_login_in_any_case(store: Store, other: Store) -> None:
    made = account("Ada@Example", frozenset({Role.MODERATOR, Role.LISTENER}))
    await store.add_staff(made, "ada", None)
    assert await other.staff(made.staff.member) == made
    assert await other.staff_by_login("aDA@exAmple") == made
    assert await other.staff_by_login("Bea") is None
    assert await other.staff(MemberId("m_nobody")) is None
    assert await other.all_staff() == [made.staff]
    member = await other.member(made.staff.member)
    assert member is not None
    assert (member.name, member.seen_at) == (made.staff.name, START)


async def test_a_login_and_a_name_are_taken_once(store: Store, other: Store) -> None:
    await hired(store, "Ada")
    again = account("ADA")
    await refused(other.add_staff(again, "another name", None), Reason.NAME_TAKEN)
    same_name = account("Bea")
    await refused(other.add_staff(same_name, "ada of staff", None), Reason.NAME_TAKEN)
    assert [who.login for who in await other.all_staff()] == ["Ada"]
    assert await other.member(again.staff.member) is None


async def test_of_many_who_take_a_login_at_once_one_gets_it(store: Store, other: Store) -> None:
    made = [account("Ada") for _ in range(6)]
    attempts = [(store, other)[i % 2].add_staff(made[i], f"key {i}", None) for i in range(6)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sorted(isinstance(outcome, Refusal) for outcome in outcomes) == [False, *[True] * 5]
    assert len(await store.all_staff()) == 1


async def test_who_is_renamed_as_a_member_is_renamed_as_staff(store: Store) -> None:
    ada = await hired(store, "Ada")
    await store.rename(ada.member, "Ada L.", "ada l.")
    assert [who.name for who in await store.all_staff()] == ["Ada L."]


async def test_roles_are_set_and_there_is_always_an_operator(store: Store, other: Store) -> None:
    ada, bea = await hired(store, "Ada", OPERATOR), await hired(store, "Bea")
    await refused(store.set_staff(ada.member, LISTENER, now=START), Reason.NOT_ALLOWED)
    await refused(store.revoke_staff(ada.member, START), Reason.NOT_ALLOWED)
    await refused(store.set_staff(MemberId("m_nobody"), LISTENER, now=START), Reason.MEMBER_UNKNOWN)
    await refused(store.revoke_staff(MemberId("m_nobody"), START), Reason.MEMBER_UNKNOWN)
    await store.set_staff(bea.member, OPERATOR | LISTENER, now=START)
    # A waiting operator does not replace the last one.
    await refused(store.set_staff(ada.member, LISTENER, now=START), Reason.NOT_ALLOWED)
    await store.agree_operator(bea.member, ada.member, START)
    await store.set_staff(ada.member, LISTENER, now=START)
    assert [who.roles for who in await other.all_staff()] == [LISTENER, OPERATOR | LISTENER]


async def test_two_operators_who_end_each_other_at_once_leave_one(store: Store, other: Store) -> None:
    for round_ in range(5):
        ada, bea = [await hired(store, f"{name}{round_}", OPERATOR) for name in ("Ada", "Bea")]
        for who in await store.all_staff():
            if who.member not in (ada.member, bea.member):
                await store.set_staff(who.member, LISTENER, now=START)
        outcomes = await asyncio.gather(
            store.revoke_staff(ada.member, START),
            other.set_staff(bea.member, LISTENER, now=START),
            return_exceptions=True,
        )
        assert sum(outcome is None for outcome in outcomes) == 1
        good = [who for who in await store.all_staff() if who.revoked_at is None]
        assert sum(Role.OPERATOR in who.roles for who in good) == 1


async def test_of_two_operators_who_demote_one_another_at_once_one_does(store: Store, other: Store) -> None:
    await hired(store, "Root", OPERATOR)
    for round_ in range(5):
        ada, bea = [await hired(store, f"{name}{round_}", OPERATOR) for name in ("Ada", "Bea")]
        outcomes = await asyncio.gather(
            store.set_staff(ada.member, LISTENER, by=bea.member, now=START),
            other.set_staff(bea.member, LISTENER, by=ada.member, now=START),
            return_exceptions=True,
        )
        assert sorted(outcome is None for outcome in outcomes) == [False, True]
        (no,) = [outcome for outcome in outcomes if outcome is not None]
        assert isinstance(no, Refusal)
        assert no.reason is Reason.NOT_ALLOWED
        good = {who.member: who.roles for who in await store.all_staff()}
        assert sorted(good[who.member] == OPERATOR for who in (ada, bea)) == [False, True]


async def test_who_may_not_manage_staff_any_more_changes_nobody(store: Store, other: Store) -> None:
    root, ada, bea = [await hired(store, name, OPERATOR) for name in ("Root", "Ada", "Bea")]
    await store.revoke_staff(ada.member, START, by=root.member)
    await refused(other.revoke_staff(bea.member, START, by=ada.member), Reason.NOT_ALLOWED)
    await refused(other.set_staff(bea.member, LISTENER, by=MemberId("m_nobody"), now=START), Reason.NOT_ALLOWED)
    left = {who.member: who.roles for who in await store.all_staff() if who.revoked_at is None}
    assert left == {root.member: OPERATOR, bea.member: OPERATOR}


async def test_a_revoked_account_is_no_longer_good_and_its_sign_ins_end(store: Store, other: Store) -> None:
    await hired(store, "Root", OPERATOR)
    ada, bea = await hired(store, "Ada"), await hired(store, "Bea")
    for who in (ada, bea):
        await store.sign_in(who.login.encode(), who.member, START, Millis(START + DAY))
    for at in (START + 1, START + 2):
        await other.revoke_staff(ada.member, Millis(at))
    assert await store.good_staff([ada.member, bea.member, MemberId("m_nobody")]) == {bea.member: bea}
    assert await store.good_staff([]) == {}
    assert await signed_in(store, b"Ada", START) is None
    assert await signed_in(store, b"Bea", START) == bea
    revoked = {who.login: who.revoked_at for who in await store.all_staff()}
    assert revoked == {"Root": None, "Ada": START + 1, "Bea": None}
    await refused(store.sign_in(b"again", ada.member, START, Millis(START + DAY)), Reason.MEMBER_UNKNOWN)


async def test_a_changed_password_ends_every_sign_in(store: Store) -> None:
    ada = await hired(store, "Ada")
    await store.sign_in(b"token", ada.member, START, Millis(START + DAY))
    await store.set_password(ada.member, "another", START)
    assert await signed_in(store, b"token", START) is None
    found = await store.staff(ada.member)
    assert found is not None
    assert found.password_hash == "another"
    await refused(store.set_password(MemberId("m_nobody"), "x", START), Reason.MEMBER_UNKNOWN)


async def test_a_time_step_counts_once(store: Store, other: Store) -> None:
    ada = await hired(store, "Ada")
    await store.set_totp(ada.member, "BASE32", START, keep=b"")
    found = await other.staff(ada.member)
    assert found is not None
    assert (found.totp_secret, found.staff.has_totp) == ("BASE32", True)
    used = await asyncio.gather(*((store, other)[i % 2].use_totp(ada.member, 7) for i in range(6)))
    assert sorted(used) == [*[False] * 5, True]
    assert await store.use_totp(ada.member, 6) is False
    assert await store.use_totp(ada.member, 8) is True
    await store.set_totp(ada.member, None, START, keep=b"")
    found = await other.staff(ada.member)
    assert found is not None
    assert (found.totp_secret, found.totp_step) == (None, 8)
    await refused(store.set_totp(MemberId("m_nobody"), None, START, keep=b""), Reason.MEMBER_UNKNOWN)


# ------------------------------------------------------------------------------------------------ sign-ins


async def test_a_token_is_good_until_it_ends(store: Store, other: Store) -> None:
    ada = await hired(store, "Ada")
    await store.sign_in(b"token", ada.member, START, Millis(START + 10))
    assert await signed_in(other, b"token", Millis(START + 9)) == ada
    assert await signed_in(other, b"token", Millis(START + 10)) is None
    assert await signed_in(other, b"another", START) is None
    await other.sign_out(b"token", START)
    assert await signed_in(store, b"token", START) is None
    await other.sign_out(b"token", START)


async def test_many_sign_ins_are_asked_about_at_once(store: Store, other: Store) -> None:
    ada, bea = await hired(store, "Ada", OPERATOR), await hired(store, "Bea")
    tokens = [b"token %d" % number for number in range(70)]
    for number, token in enumerate(tokens):
        whose = (ada, bea)[number % 2]
        await store.sign_in(token, whose.member, START, Millis(START + 10 + number))
    found = await other.sign_ins([*tokens, b"another"], Millis(START + 14))
    assert found.keys() == {*tokens[5:]}
    assert found[tokens[7]] == SignIn(
        token_hash=tokens[7], staff=bea, confirmed_at=START, expires_at=Millis(START + 17)
    )
    await other.revoke_staff(bea.member, START)
    assert {each.staff.member for each in (await store.sign_ins(tokens, START)).values()} == {ada.member}
    assert await store.sign_ins([], START) == {}


async def test_a_sign_in_knows_when_it_was_last_confirmed(store: Store, other: Store) -> None:
    ada = await hired(store, "Ada")
    for token in (b"here", b"there"):
        await store.sign_in(token, ada.member, START, Millis(START + 10))
    await other.confirm_sign_in(b"here", Millis(START + 3))
    await other.confirm_sign_in(b"another", Millis(START + 3))
    found = await store.sign_ins([b"here", b"there", b"another"], START)
    assert {token: each.confirmed_at for token, each in found.items()} == {b"here": START + 3, b"there": START}
    assert found[b"here"].expires_at == START + 10


# ------------------------------------------------------------------------------------------------ invitations


def link(name: bytes = b"link", *, ends: int = START + DAY) -> Invitation:
    return Invitation(link_hash=name, roles=LISTENER, made_by=None, expires_at=Millis(ends))


async def test_an_invitation_makes_one_account(store: Store, other: Store) -> None:
    await store.add_invitation(link(), START)
    assert await other.invitation(b"link", START) == link()
    assert await other.invitation(b"another", START) is None
    made = [account(f"Ada{i}") for i in range(6)]
    attempts = [(store, other)[i % 2].add_staff(made[i], f"key {i}", b"link") for i in range(6)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, Refusal)]
    assert reasons == [Reason.INVITATION_UNKNOWN] * 5
    assert len(await store.all_staff()) == 1
    assert await store.invitation(b"link", START) is None


async def test_a_refused_account_leaves_its_invitation(store: Store) -> None:
    await hired(store, "Ada")
    await store.add_invitation(link(), START)
    again = account("Ada")
    await refused(store.add_staff(again, "free", b"link"), Reason.NAME_TAKEN)
    assert await store.invitation(b"link", START) is not None


async def test_an_invitation_ends(store: Store) -> None:
    await store.add_invitation(link(ends=START), START)
    assert await store.invitation(b"link", START) is None
    late = account("Ada")
    await refused(store.add_staff(late, "ada", b"link"), Reason.INVITATION_UNKNOWN)
    assert await store.all_staff() == []


async def test_who_may_invite_no_more_leaves_no_link_to_come_back_by(store: Store, other: Store) -> None:
    await hired(store, "Root", OPERATOR)
    for name in ("Ada", "Ben"):
        operator = await hired(store, name, OPERATOR)
        made = msgspec.structs.replace(link(), made_by=operator.member)
        await store.add_invitation(made, START)
        if name == "Ada":
            await other.revoke_staff(operator.member, START)
        else:
            await other.set_staff(operator.member, LISTENER, now=START)
        assert await store.invitation(b"link", START) is None
        await refused(store.add_invitation(made, START), Reason.NOT_ALLOWED)
        assert await store.invitation(b"link", START) is None


# ------------------------------------------------------------------------------------------------ forgetting


async def test_staff_stay_however_long_they_are_not_seen(store: Store) -> None:
    ada, guest = await hired(store, "Ada"), await newcomer(store, "Guest")
    while await store.expire(Millis(START + 99 * DAY), Retention()):
        pass
    assert await store.member(ada.member) is not None
    assert await store.member(guest.id) is None


async def test_what_is_over_is_removed(store: Store, database: Database) -> None:
    ada = await hired(store, "Ada")
    await store.sign_in(b"old token", ada.member, START, Millis(START + 1))
    await store.add_invitation(link(b"old link", ends=START + 1), START)
    await store.expire(Millis(START + 1), Retention())
    # If they still existed, they could not be added again.
    await store.sign_in(b"old token", ada.member, START, Millis(START + 9))
    await store.add_invitation(link(b"old link", ends=START + 9), START)
    await store.expire(Millis(START + 1), Retention())
    assert await signed_in(store, b"old token", START) == ada


async def test_erasing_somebody_removes_their_account(store: Store, other: Store, database: Database) -> None:
    ada = await hired(store, "AdasLogin", OPERATOR, name="Adas name", member=MemberId("m_whoever"))
    ben = await hired(store, "Ben", OPERATOR)
    await store.set_password(ada.member, "adas password hash", START)
    await store.sign_in(b"adas token", ada.member, START, Millis(START + DAY))
    made = msgspec.structs.replace(link(), made_by=ada.member)
    await store.add_invitation(made, START)
    export = await store.export(ada.member, START)
    assert export is not None
    assert export.staff == ada
    assert b"adas password hash" not in msgspec.json.encode(export)
    await other.erase(ada.member, START)
    assert await store.staff(ada.member) is None
    assert await store.staff_by_login("AdasLogin") is None
    assert await signed_in(store, b"adas token", START) is None
    assert await store.all_staff() == [ben]
    found = await store.invitation(b"link", START)
    assert found == msgspec.structs.replace(made, made_by=None)
    if database.path is not None:
        left = database.bytes()
        # Entries of the audit log keep the id, which is nobody's any more.
        for trace in ("AdasLogin", "adaslogin", "Adas name", "adas password hash", "adas token"):
            assert trace.encode() not in left


async def test_the_last_operator_is_not_erased(store: Store, other: Store) -> None:
    ada, liv = await hired(store, "Ada", OPERATOR), await hired(store, "Liv")
    await store.sign_in(b"adas token", ada.member, START, Millis(START + DAY))
    await refused(other.erase(ada.member, START), Reason.NOT_ALLOWED)
    assert await signed_in(store, b"adas token", START) == ada
    assert await store.member(ada.member) is not None
    await other.erase(liv.member, START)
    ben = await hired(store, "Ben", OPERATOR)
    outcomes = await asyncio.gather(
        store.erase(ada.member, START), other.erase(ben.member, START), return_exceptions=True
    )
    assert [type(each) for each in outcomes].count(Refusal) == 1
    assert len(await store.all_staff()) == 1
