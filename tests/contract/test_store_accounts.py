"""Acts on accounts, failed tries, resets, factors and passkeys, as the contract promises them, for every database."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.audit_log import Act
from chatserver.domain.moderation.report_access import Asker
from chatserver.domain.people.account_acts import FOLDED_FOR, MACHINE, AccountAct
from chatserver.domain.people.staff import OPERATOR_WAIT, Role, Staff
from chatserver.handlers.moderation.monitor import verify
from chatserver.store import accounts
from chatserver.store.records import Invitation, Passkey, Retention, StaffSecrets
from chatserver.store.staff_records import Device
from chatserver.store.store import Store
from tests.store.kit import START, Database

DAY = 24 * 3_600_000
OPERATOR = frozenset({Role.OPERATOR})
LISTENER = frozenset({Role.LISTENER})
_ids = itertools.count(1)


def at(millis: int) -> Millis:
    return Millis(START + millis)


async def hired(store: Store, login: str, roles: frozenset[Role] = LISTENER, **fields: object) -> Staff:
    made = Staff(
        member=MemberId(f"m_{next(_ids)}"), login=login, name=f"{login} of staff", roles=roles, created_at=START
    )
    made = msgspec.structs.replace(made, **fields)
    await store.add_staff(
        StaffSecrets(staff=made, password_hash="argon2", totp_secret=None, totp_step=0), made.name.casefold(), None
    )
    return made


async def acts(store: Store) -> list[Act]:
    """Return the acts on accounts, oldest first."""
    return [entry.act for entry in reversed(await store.account_acts(100))]


async def refused(attempt: Awaitable[object], reason: Reason, why: str | None = None) -> None:
    with pytest.raises(Refusal) as refusal:
        await attempt
    assert refusal.value.reason is reason
    assert why is None or (refusal.value.details or {}).get("why") == why


def passkey(of: Staff, credential: bytes = b"credential", **fields: object) -> Passkey:
    made = Passkey(
        credential=credential,
        member=of.member,
        name="Phone",
        public_key=b"key",
        sign_count=0,
        place="localhost",
        created_at=START,
    )
    return msgspec.structs.replace(made, **fields)


# ------------------------------------------------------------------------------------------------ the audit log


async def test_every_act_on_accounts_is_one_entry_of_the_log(store: Store, other: Store) -> None:
    """[P-ACCOUNTS-1]"""
    root, ada = await hired(store, "Root", OPERATOR), await hired(store, "Ada")
    link = Invitation(link_hash=b"link", roles=LISTENER, made_by=root.member, expires_at=at(DAY))
    steps: list[tuple[AccountAct, MemberId, Callable[[], Awaitable[object]]]] = [
        (AccountAct.INVITED, root.member, lambda: store.add_invitation(link, START)),
        (AccountAct.ROLES, root.member, lambda: store.set_staff(ada.member, LISTENER, now=START, by=root.member)),
        (AccountAct.SIGNED_IN, ada.member, lambda: store.sign_in(b"a", ada.member, START, at(DAY))),
        (AccountAct.FACTOR_ON, ada.member, lambda: store.set_totp(ada.member, "ONE", START, keep=b"a")),
        (AccountAct.FACTOR_REPLACED, ada.member, lambda: store.set_totp(ada.member, "TWO", START, keep=b"a")),
        (AccountAct.RECOVERY_MADE, ada.member, lambda: store.set_recovery(ada.member, [b"c", b"d"], START)),
        (AccountAct.RECOVERY_USED, ada.member, lambda: store.use_recovery(ada.member, b"c", START)),
        (AccountAct.FACTOR_OFF, ada.member, lambda: store.set_totp(ada.member, None, START, keep=b"a")),
        (AccountAct.PASSKEY_ADDED, ada.member, lambda: store.add_passkey(passkey(ada), most=3, keep=b"a")),
        (
            AccountAct.PASSKEY_REMOVED,
            ada.member,
            lambda: store.remove_passkey(ada.member, b"credential", START, keep=b"a"),
        ),
        (AccountAct.SIGNED_OUT, ada.member, lambda: store.sign_out(b"a", START)),
        (AccountAct.PASSWORD, ada.member, lambda: store.set_password(ada.member, "other", START)),
        (AccountAct.RESET, MACHINE, lambda: store.make_reset(b"reset", ada.member, START, at(DAY))),
        (AccountAct.RESET_USED, ada.member, lambda: store.use_reset(b"reset", "third", START)),
        (AccountAct.REVOKED, root.member, lambda: store.revoke_staff(ada.member, START, by=root.member)),
        (AccountAct.ERASED, ada.member, lambda: store.erase(ada.member, START)),
    ]
    for action, by, step in steps:
        before = await other.audit_head()
        await step()
        assert (await other.audit_head()).seq == before.seq + 1, action
        last = (await acts(other))[-1]
        assert (last.action, last.by) == (action, by)
        assert last.about in ((ada.member,), (root.member,))
    assert (await verify(store, [])).seq == len(steps) + 2
    # Something that changes nothing is not an act.
    before = await store.audit_head()
    await store.sign_out(b"nobody's", START)
    await store.use_recovery(root.member, b"none", START)
    await store.set_totp(root.member, None, START, keep=b"")
    assert await store.audit_head() == before


async def test_what_is_refused_is_no_act(store: Store) -> None:
    root, ada = await hired(store, "Root", OPERATOR), await hired(store, "Ada")
    before = await store.audit_head()
    link = Invitation(link_hash=b"link", roles=LISTENER, made_by=ada.member, expires_at=at(DAY))
    await refused(store.add_invitation(link, START), Reason.NOT_ALLOWED)
    await refused(store.set_staff(root.member, LISTENER, now=START), Reason.NOT_ALLOWED, "last_operator")
    await refused(store.revoke_staff(root.member, START, by=ada.member), Reason.NOT_ALLOWED)
    await refused(store.make_reset(b"x", root.member, START, at(DAY), by=ada.member), Reason.NOT_ALLOWED)
    await refused(store.erase(root.member, START), Reason.NOT_ALLOWED)
    await refused(store.use_reset(b"none", "x", START), Reason.INVITATION_UNKNOWN)
    assert await store.audit_head() == before


async def test_reading_notes_is_an_act(store: Store) -> None:
    root = await hired(store, "Root", OPERATOR)
    before = await store.audit_head()
    assert await store.debriefs(Asker(member=root.member, is_operator=True), START) == []
    assert await store.audit_head() == before, "there was nothing to read"


async def test_what_is_routine_hides_nothing_from_operators(store: Store) -> None:
    root = await hired(store, "Root", OPERATOR)
    ada = await hired(store, "Ada")
    for n in range(9):
        await store.sign_in(b"%d" % n, ada.member, at(n), at(DAY))
    shown = await store.account_acts(6)
    made = [entry.act.about for entry in shown if entry.act.action == AccountAct.MADE]
    assert made == [(ada.member,), (root.member,)]
    assert len(shown) == 4, "the newest of what is routine"
    assert [entry.seq for entry in shown] == sorted((entry.seq for entry in shown), reverse=True)


async def test_no_number_of_other_entries_hides_an_act_from_operators(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """[P-ACCOUNTS-1] Making an operator cannot be hidden by reading reports until the act is out of sight."""
    root = await hired(store, "Root", OPERATOR)
    ada = await hired(store, "Ada")
    await store.set_staff(ada.member, OPERATOR, now=START, by=root.member)
    read = Act(at=START, by=root.member, action="report_viewed", about=(), subject="x", reason="to look")
    monkeypatch.setattr(accounts, "ROUTINE_AMONG", 10)
    for _ in range(20):
        await store.enter(read)
    assert AccountAct.ROLES in {entry.act.action for entry in await store.account_acts(60)}


# ------------------------------------------------------------------------------------------------ failed tries


async def test_failed_tries_are_one_entry_an_hour_and_their_owner_hears_of_them(store: Store, other: Store) -> None:
    ada = await hired(store, "Ada")
    for number in range(40):
        await (store, other)[number % 2].note_failed_try(ada.member, at(number))
        await store.note_failed_try(None, at(number))
    tries = [act for act in await acts(store) if act.action == AccountAct.TRIED]
    assert [(act.subject, act.reason, act.by) for act in tries] == [(ada.member, "1", ""), ("", "1", "")]
    # `expire` enters the other tries once their hour is over.
    await store.expire(at(FOLDED_FOR - 1), Retention())
    assert len([act for act in await acts(store) if act.action == AccountAct.TRIED]) == 2
    await store.expire(at(FOLDED_FOR), Retention())
    tries = [act for act in await acts(store) if act.action == AccountAct.TRIED]
    assert sorted((act.subject, act.reason) for act in tries[2:]) == [("", "39"), (ada.member, "39")]
    await store.sign_in(b"token", ada.member, at(FOLDED_FOR + 5), at(DAY))
    found = (await other.sign_ins([b"token"], at(FOLDED_FOR + 6)))[b"token"]
    assert (found.tries, found.tried_at) == (40, at(39))
    await store.sign_in(b"again", ada.member, at(FOLDED_FOR + 7), at(DAY))
    assert (await store.sign_ins([b"again"], START))[b"again"].tries == 0


async def test_a_sign_in_tells_of_tries_that_stand_in_no_entry_yet(store: Store) -> None:
    ada = await hired(store, "Ada")
    for number in range(3):
        await store.note_failed_try(ada.member, at(number))
    await store.sign_in(b"token", ada.member, at(9), at(DAY))
    assert [act.reason for act in await acts(store)][-2:] == ["1", "after 2 more failed tries"]
    await store.expire(at(FOLDED_FOR), Retention())
    assert (await acts(store))[-1].action == AccountAct.SIGNED_IN


async def test_tries_at_once_are_all_counted(store: Store, other: Store) -> None:
    ada = await hired(store, "Ada")
    await asyncio.gather(*((store, other)[i % 2].note_failed_try(ada.member, START) for i in range(10)))
    await store.sign_in(b"token", ada.member, at(1), at(DAY))
    assert (await store.sign_ins([b"token"], at(1)))[b"token"].tries == 10


# ------------------------------------------------------------------------------------------------ new operators


async def test_a_new_operator_counts_after_a_day_or_when_another_agrees(store: Store, other: Store) -> None:
    """[P-STAFF-14]"""
    root, second = await hired(store, "Root", OPERATOR), await hired(store, "Second", OPERATOR)
    ada, bea = await hired(store, "Ada"), await hired(store, "Bea")
    for who in (ada, bea):
        await store.set_staff(who.member, OPERATOR | LISTENER, now=START, by=root.member)
        await store.sign_in(who.login.encode(), who.member, START, at(9 * DAY))

    async def roles(of: Staff, now: Millis) -> frozenset[Role]:
        return (await other.sign_ins([of.login.encode()], now))[of.login.encode()].staff.roles

    assert await roles(ada, at(1)) == LISTENER
    # A waiting operator manages nobody, not even in the transaction that would do it.
    await refused(store.revoke_staff(root.member, at(1), by=ada.member), Reason.NOT_ALLOWED)
    link = Invitation(link_hash=b"link", roles=LISTENER, made_by=ada.member, expires_at=at(DAY))
    await refused(store.add_invitation(link, at(1)), Reason.NOT_ALLOWED)
    await refused(store.agree_operator(ada.member, bea.member, at(1)), Reason.NOT_ALLOWED)
    # Only a second person can agree.
    await refused(store.agree_operator(ada.member, root.member, at(1)), Reason.NOT_ALLOWED, "self")
    await other.agree_operator(ada.member, second.member, at(1))
    assert await roles(ada, at(1)) == OPERATOR | LISTENER
    await refused(store.agree_operator(ada.member, second.member, at(1)), Reason.NOT_ALLOWED, "not_waiting")
    assert await roles(bea, at(OPERATOR_WAIT - 1)) == LISTENER
    assert await roles(bea, at(OPERATOR_WAIT)) == OPERATOR | LISTENER


async def test_the_first_operator_counts_at_once_also_by_invitation(store: Store) -> None:
    ada = await hired(store, "Ada", OPERATOR, operator_from=at(OPERATOR_WAIT))
    bea = await hired(store, "Bea", OPERATOR, operator_from=at(OPERATOR_WAIT))
    found = {each.login: each.operator_from for each in await store.all_staff()}
    assert found == {"Ada": None, "Bea": at(OPERATOR_WAIT)}
    # Nobody else's role counts, and the last operator is not removed in favour of one who waits.
    await refused(store.revoke_staff(ada.member, at(1)), Reason.NOT_ALLOWED, "last_operator")
    await store.revoke_staff(ada.member, at(OPERATOR_WAIT))
    assert (await store.good_staff([ada.member, bea.member])).keys() == {bea.member}


async def test_a_listener_can_be_revoked_where_no_operator_is_yet(store: Store) -> None:
    ada = await hired(store, "Ada")
    await store.revoke_staff(ada.member, START)
    assert await store.good_staff([ada.member]) == {}
    bea = await hired(store, "Bea")
    await store.erase(bea.member, START)
    assert await store.staff(bea.member) is None


# ------------------------------------------------------------------------------------------------ resets


async def test_a_reset_takes_what_opened_the_account_and_keeps_the_account(store: Store, other: Store) -> None:
    root, ada = await hired(store, "Root", OPERATOR), await hired(store, "Ada", OPERATOR | LISTENER)
    device = Device(device_hash=b"browser", expires_at=at(DAY))
    await store.sign_in(b"token", ada.member, START, at(DAY), device)
    await store.set_totp(ada.member, "SECRET", START, keep=b"token", codes=[b"code"])
    await store.add_passkey(passkey(ada), most=3, keep=b"token")
    assert await other.knows_device(b"browser", ada.member, START)
    await other.make_reset(b"first", ada.member, START, at(DAY))
    await other.make_reset(b"second", ada.member, START, at(DAY))
    assert await store.sign_ins([b"token"], START) == {}
    assert not await store.knows_device(b"browser", ada.member, START)
    assert await store.passkeys(ada.member) == []
    assert await store.recovery_left(ada.member) == 0
    held = await store.staff(ada.member)
    assert held is not None
    assert (held.totp_secret, held.password_hash) == (None, "reset")
    assert await store.reset(b"first", START) is None, "only the newest link is good"
    assert await store.reset(b"second", at(DAY)) is None, "and only in time"
    outcomes = await asyncio.gather(
        *((store, other)[i % 2].use_reset(b"second", f"hash {i}", START) for i in range(4)), return_exceptions=True
    )
    assert sum(isinstance(each, StaffSecrets) for each in outcomes) == 1
    after = await store.staff(ada.member)
    assert after is not None
    assert after.staff == ada, "who has the machine changes no role"
    # An operator who resets another one's account could take the link themselves.
    await store.make_reset(b"third", ada.member, START, at(DAY), by=root.member)
    after = await store.staff(ada.member)
    assert after is not None
    assert after.staff.operator_from == at(OPERATOR_WAIT)
    await store.revoke_staff(ada.member, START)
    await refused(store.use_reset(b"third", "x", START), Reason.INVITATION_UNKNOWN)
    await refused(store.make_reset(b"x", ada.member, START, at(DAY)), Reason.MEMBER_UNKNOWN)


# ------------------------------------------------------------------------------------------------ factors


async def test_a_changed_factor_ends_every_other_sign_in(store: Store, other: Store) -> None:
    ada = await hired(store, "Ada")
    changes: list[Callable[[], Awaitable[object]]] = [
        lambda: other.set_totp(ada.member, "SECRET", START, keep=b"here"),
        lambda: other.set_totp(ada.member, None, START, keep=b"here"),
        lambda: other.add_passkey(passkey(ada), most=3, keep=b"here"),
        lambda: other.remove_passkey(ada.member, b"credential", START, keep=b"here"),
        lambda: other.forget_devices(ada.member, START, keep=b"here", device=None),
    ]
    await store.sign_in(b"here", ada.member, START, at(DAY))
    for number, change in enumerate(changes):
        there = b"there %d" % number
        await store.sign_in(there, ada.member, START, at(DAY))
        await change()
        assert (await store.sign_ins([b"here", there], START)).keys() == {b"here"}, number


async def test_a_recovery_code_counts_once_and_for_one_account(store: Store, other: Store) -> None:
    ada, bea = await hired(store, "Ada"), await hired(store, "Bea")
    await store.set_totp(ada.member, "SECRET", START, keep=b"", codes=[b"one", b"two"])
    assert await store.use_recovery(bea.member, b"one", START) is False
    used = await asyncio.gather(*((store, other)[i % 2].use_recovery(ada.member, b"one", START) for i in range(6)))
    assert sorted(used) == [*[False] * 5, True]
    assert await other.recovery_left(ada.member) == 1
    await store.set_recovery(ada.member, [b"three"], START)
    assert await store.use_recovery(ada.member, b"two", START) is False
    await store.set_totp(ada.member, None, START, keep=b"")
    assert await store.recovery_left(ada.member) == 0


async def test_a_browser_is_known_to_whom_it_signed_in_until_their_password_changes(store: Store) -> None:
    ada, bea = await hired(store, "Ada"), await hired(store, "Bea")
    for number, who in enumerate((ada, bea)):
        device = Device(device_hash=b"shared", expires_at=at(DAY + number))
        await store.sign_in(b"%d" % number, who.member, START, at(DAY), device)
    await store.sign_in(b"2", ada.member, START, at(DAY), Device(device_hash=b"own", expires_at=at(2 * DAY)))
    assert await store.knows_device(b"shared", ada.member, at(DAY - 1))
    assert not await store.knows_device(b"shared", ada.member, at(DAY))
    await store.set_password(ada.member, "x", START, device=b"own")
    assert not await store.knows_device(b"shared", ada.member, START)
    assert await store.knows_device(b"own", ada.member, START)
    assert await store.knows_device(b"shared", bea.member, START)


# ------------------------------------------------------------------------------------------------ passkeys


async def test_passkeys_are_few_and_nobody_elses(store: Store, other: Store) -> None:
    ada, bea = await hired(store, "Ada"), await hired(store, "Bea")
    made = [passkey(ada, b"%d" % number, created_at=at(number)) for number in range(3)]
    for each in made[:2]:
        await store.add_passkey(each, most=2, keep=b"")
    assert await other.passkeys(ada.member) == made[:2]
    assert await other.passkey(b"1") == made[1]
    await refused(store.add_passkey(made[2], most=2, keep=b""), Reason.BUSY)
    await refused(store.add_passkey(passkey(bea, b"0"), most=2, keep=b""), Reason.NAME_TAKEN)
    assert await other.remove_passkey(bea.member, b"0", START, keep=b"") is False
    assert await other.remove_passkey(ada.member, b"0", START, keep=b"") is True
    assert await store.passkeys(ada.member) == [made[1]]


async def test_a_count_that_does_not_rise_is_a_copys(store: Store, other: Store) -> None:
    ada = await hired(store, "Ada")
    await store.add_passkey(passkey(ada), most=3, keep=b"")
    assert await store.use_passkey(b"credential", 0, at(1)) is True, "it counts nothing"
    used = await asyncio.gather(*((store, other)[i % 2].use_passkey(b"credential", 7, at(2)) for i in range(4)))
    assert sorted(used) == [False, False, False, True]
    assert await store.use_passkey(b"credential", 0, at(3)) is False
    found = await store.passkey(b"credential")
    assert found is not None
    assert (found.sign_count, found.used_at) == (7, at(2))
    assert await store.use_passkey(b"none", 9, START) is False


async def test_a_question_is_answered_once_by_whom_it_was_asked_in_time(store: Store, other: Store) -> None:
    await store.add_challenge(b"question", "prove", b"browser", at(10))
    assert await other.take_challenge(b"question", "add", b"browser", START) is False
    assert await other.take_challenge(b"question", "prove", b"another", START) is False
    assert await other.take_challenge(b"question", "prove", b"browser", at(10)) is False
    taken = await asyncio.gather(
        *((store, other)[i % 2].take_challenge(b"question", "prove", b"browser", at(9)) for i in range(4))
    )
    assert sorted(taken) == [False, False, False, True]


# ------------------------------------------------------------------------------------------------ forgetting


async def test_erasing_somebody_leaves_nothing_that_opened_their_account(store: Store, database: Database) -> None:
    await hired(store, "Root", OPERATOR)
    ada = await hired(store, "Ada", member=MemberId("m_whoever"))
    await store.sign_in(b"token", ada.member, START, at(DAY), Device(device_hash=b"adas browser", expires_at=at(DAY)))
    await store.set_totp(ada.member, "ADASSECRET", START, keep=b"token", codes=[b"adas code"])
    await store.add_passkey(passkey(ada, b"adas credential", name="Adas phone"), most=3, keep=b"token")
    await store.note_failed_try(ada.member, START)
    await store.erase(ada.member, START)
    await store.note_failed_try(ada.member, START)
    assert await store.passkey(b"adas credential") is None
    assert (await acts(store))[-1].action == AccountAct.ERASED
    if database.path is not None:
        left = database.bytes()
        for trace in ("adas browser", "ADASSECRET", "adas code", "adas credential", "Adas phone"):
            assert trace.encode() not in left
