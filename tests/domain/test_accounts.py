"""Operators who wait, failed tries that are folded, recovery codes, and the cookie of a known browser."""

from __future__ import annotations

import itertools
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.errors import Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.account_acts import FOLDED_FOR, FoldedTries, is_owed, tried
from chatserver.domain.people.devices import hash_device, sign_device
from chatserver.domain.people.recovery_codes import hash_recovery_code, make_recovery_code
from chatserver.domain.people.staff import (
    OPERATOR_WAIT,
    Authority,
    Role,
    Staff,
    agree,
    authority,
    counts_from,
    roles_at,
)

NOW = Millis(1_767_225_600_000)
ADA, BEN, CLEO = MemberId("m_ada"), MemberId("m_ben"), MemberId("m_cleo")
KEY = b"k" * 32


def operator(member: MemberId, *, waits_until: int | None = None, is_revoked: bool = False) -> Staff:
    return Staff(
        member=member,
        login=member,
        name=member,
        roles=frozenset({Role.OPERATOR, Role.LISTENER}),
        created_at=NOW,
        operator_from=None if waits_until is None else Millis(waits_until),
        revoked_at=NOW if is_revoked else None,
    )


def test_a_new_operator_waits_where_another_counts_and_only_there() -> None:
    first, waiting = operator(ADA), operator(BEN, waits_until=NOW + OPERATOR_WAIT)
    assert counts_from([], NOW) is None
    assert counts_from([waiting, operator(CLEO, is_revoked=True)], NOW) is None
    assert counts_from([first], NOW) == NOW + OPERATOR_WAIT


def test_who_waits_has_every_role_but_that_one_until_the_time_is_over() -> None:
    waiting = operator(BEN, waits_until=NOW + 10)
    assert (authority(waiting, NOW), roles_at(waiting, NOW)) == (Authority.WAITING, frozenset({Role.LISTENER}))
    later = Millis(NOW + 10)
    assert (authority(waiting, later), roles_at(waiting, later)) == (Authority.COUNTS, waiting.roles)
    assert authority(operator(BEN, is_revoked=True), NOW) is Authority.NONE
    assert authority(msgspec.structs.replace(waiting, roles=frozenset({Role.LISTENER})), NOW) is Authority.NONE


def test_it_takes_a_second_person_to_agree_to_somebody_who_waits() -> None:
    waiting = operator(BEN, waits_until=NOW + 10)
    assert agree(waiting, ADA, CLEO, NOW).operator_from is None
    assert agree(waiting, None, ADA, NOW).operator_from is None
    for granted_by, by, at, why in (
        (ADA, ADA, NOW, "self"),
        (ADA, BEN, NOW, "self"),
        (ADA, CLEO, Millis(NOW + 10), "not_waiting"),
    ):
        with pytest.raises(Refusal) as caught:
            agree(waiting, granted_by, by, at)
        assert caught.value.details == {"why": why}


@given(st.lists(st.integers(0, 3 * FOLDED_FOR), min_size=1, max_size=200))
def test_however_many_tries_there_are_an_hour_makes_one_entry_and_none_is_lost(waits: list[int]) -> None:
    now, tries, entries = NOW, FoldedTries(), list[tuple[int, int]]()
    for wait in waits:
        now = Millis(now + wait)
        tries, due = tried(tries, now)
        if due:
            entries.append((now, due))
    assert all(later - earlier >= FOLDED_FOR for (earlier, _), (later, _) in itertools.pairwise(entries))
    assert sum(due for _, due in entries) + tries.unlogged == tries.count == len(waits)
    assert is_owed(tries, Millis(now + FOLDED_FOR)) is (tries.unlogged > 0)


def test_a_recovery_code_is_read_however_it_is_typed_and_opens_one_account() -> None:
    code = make_recovery_code(random.Random(7).randrange)
    assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
    hashed = hash_recovery_code(ADA, code)
    assert hashed is not None
    for typed in (code.upper(), code.replace("-", " "), code.replace("-", ""), f" {code}\n"):
        assert hash_recovery_code(ADA, typed) == hashed
    assert hash_recovery_code(ADA, code.replace("0", "o").replace("1", "l")) == hashed
    assert hash_recovery_code(BEN, code) not in (None, hashed)
    for wrong in ("", "123456", code[:-1], code + "a", "é" * 16):
        assert hash_recovery_code(ADA, wrong) is None


def test_only_a_cookie_that_we_signed_is_a_known_browsers() -> None:
    made = sign_device("A" * 43, KEY)
    assert hash_device(made, KEY) is not None
    for forged in ("", "A" * 43, made[:-1] + "z", "B" + made[1:], made + "0"):
        assert hash_device(forged, KEY) is None
    assert hash_device(made, b"j" * 32) is None
