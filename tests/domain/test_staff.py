"""Who of the staff may do what, what they may be called, and the second factor."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.staff import (
    ALLOWED,
    CONFIRMED_FOR,
    Capability,
    Role,
    Staff,
    clean_login,
    clean_staff_name,
    fold_login,
    hash_secret,
    in_order,
    is_totp_secret,
    keep_an_operator,
    may,
    require,
    require_confirmed,
    spare_oneself,
    staff_keys,
    totp_step,
    totp_uri,
)


def account(name: str, *roles: Role, revoked: bool = False) -> Staff:
    return Staff(
        member=MemberId(f"m_{name}"),
        login=name,
        name=name,
        roles=frozenset(roles),
        created_at=Millis(1),
        revoked_at=Millis(2) if revoked else None,
    )


# ------------------------------------------------------------------------------------------------ who may do what

EXPECTED = {
    Role.LISTENER: {Capability.LISTEN, Capability.KEEP_COMPANY},
    Role.FACILITATOR: {Capability.FACILITATE, Capability.RUN_GROUPS, Capability.KEEP_COMPANY},
    Role.MODERATOR: {
        Capability.MODERATE,
        Capability.SUPERVISE,
        Capability.SEE_LOAD,
        Capability.SEE_STAFF,
        Capability.KEEP_COMPANY,
    },
    Role.OPERATOR: {
        Capability.RUN_GROUPS,
        Capability.MODERATE,
        Capability.SUPERVISE,
        Capability.OPERATE,
        Capability.SEE_LOAD,
        Capability.SEE_STAFF,
        Capability.MANAGE_STAFF,
    },
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("capability", list(Capability))
def test_each_role_may_do_what_is_its_own(role: Role, capability: Capability) -> None:
    assert may({role}, capability) == (capability in EXPECTED[role])


def test_every_capability_is_somebodys() -> None:
    assert ALLOWED.keys() == set(Capability)
    assert all(ALLOWED.values())


@pytest.mark.parametrize("capability", list(Capability))
def test_who_is_not_staff_may_nothing(capability: Capability) -> None:
    with pytest.raises(Refusal) as caught:
        require(frozenset(), capability)
    assert caught.value.reason is Reason.NOT_ALLOWED


@given(st.sets(st.sampled_from(Role)))
def test_several_roles_may_what_each_may(roles: set[Role]) -> None:
    for capability in Capability:
        assert may(roles, capability) == any(may({role}, capability) for role in roles)
    assert set(in_order(roles)) == roles


# ------------------------------------------------------------------------------------------------ the last operator


def test_no_operator_takes_that_role_from_themselves() -> None:
    me, other = MemberId("m_me"), MemberId("m_other")
    spare_oneself(me, other, ())
    spare_oneself(me, me, (Role.OPERATOR, Role.LISTENER))
    for roles in ((), (Role.MODERATOR,)):
        with pytest.raises(Refusal) as caught:
            spare_oneself(me, me, roles)
        assert (caught.value.reason, caught.value.details) == (Reason.NOT_ALLOWED, {"why": "self"})


def test_the_last_operator_can_be_neither_demoted_nor_revoked() -> None:
    anna = account("anna", Role.OPERATOR, Role.LISTENER)
    others = [
        account("ben", Role.MODERATOR),
        account("cleo", Role.OPERATOR, revoked=True),
    ]
    for roles in ((), (Role.LISTENER,), (Role.MODERATOR, Role.LISTENER)):
        with pytest.raises(Refusal) as caught:
            keep_an_operator([anna, *others], anna.member, roles, Millis(9))
        assert caught.value.reason is Reason.NOT_ALLOWED
        assert caught.value.details == {"why": "last_operator"}
        keep_an_operator([anna, *others, account("dora", Role.OPERATOR)], anna.member, roles, Millis(9))
    keep_an_operator([anna, *others], anna.member, (Role.OPERATOR,), Millis(9))
    for other in others:
        keep_an_operator([anna, *others], other.member, (), Millis(9))


# ------------------------------------------------------------------------------------------------- logins and names


@pytest.mark.parametrize(
    ("typed", "login"),
    [("anna", "anna"), (" Anna.Berg ", "anna.berg"), ("a", "a"), ("ＡＮＮＡ", "anna"), ("x_1-2", "x_1-2"), ("7", "7")],  # noqa: RUF001
)
def test_a_login_is_folded(typed: str, login: str) -> None:
    assert clean_login(typed) == login == fold_login(typed)


@pytest.mark.parametrize(
    "typed", ["", " ", "a b", ".a", "a.", "-", "a@b", "änna", "a" * 41, "anna\n\x00", "\ud800", "\u0430"]
)
def test_what_is_no_login_is_refused(typed: str) -> None:
    with pytest.raises(Refusal) as caught:
        clean_login(typed)
    assert caught.value.details == {"why": "login"}


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        # As for a member, so that nobody finds out by it who works here.
        *((name, Reason.NAME_TAKEN) for name in ("Anna Berg", "anna berg", "Anna  Berg", "Anna Berg 2", "Anna Bergg")),
        ("Ann\u0430 Berg", Reason.NAME_REFUSED),
        ("Moderator", Reason.NAME_REFUSED),
    ],
)
def test_staff_may_not_imitate_one_another_or_say_a_role(typed: str, reason: Reason) -> None:
    with pytest.raises(Refusal) as caught:
        clean_staff_name(typed, max_length=24, others=[account("Anna Berg", Role.LISTENER)])
    assert caught.value.reason is reason


def test_the_name_of_one_who_was_revoked_is_free_again() -> None:
    gone = account("Anna Berg", Role.LISTENER, revoked=True)
    assert clean_staff_name("Anna Berg", max_length=24, others=[gone]).name == "Anna Berg"
    assert staff_keys([gone]) == frozenset()


# ---------------------------------------------------------------------------------------------- tokens and the clock


def test_only_what_has_the_shape_of_a_secret_is_looked_up() -> None:
    secret = base64.urlsafe_b64encode(bytes(range(32))).rstrip(b"=").decode()
    hashed = hash_secret(secret)
    assert hashed is not None
    assert len(hashed) == 32
    assert secret.encode() not in hashed
    for wrong in ("", secret[:-1], secret + "A", secret + "\n", secret[:-1] + "é", "." * 43, "\ud800" * 43):
        assert hash_secret(wrong) is None


def test_a_password_counts_as_just_given_for_ten_minutes() -> None:
    require_confirmed(Millis(5), Millis(5 + CONFIRMED_FOR))
    with pytest.raises(Refusal) as caught:
        require_confirmed(Millis(5), Millis(6 + CONFIRMED_FOR))
    assert caught.value.reason is Reason.CONFIRMATION_REQUIRED


# ------------------------------------------------------------------------------------------------ the second factor

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    """Appendix B, in six digits."""
    assert totp_step(RFC_SECRET, code, Millis(seconds * 1000), 0) == seconds // 30


def test_a_code_is_good_a_step_early_and_late_and_then_no_more() -> None:
    step = 1111111111 // 30
    for away, is_good in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        now = Millis((step + away) * 30_000 + 15_000)
        assert totp_step(RFC_SECRET, "050471", now, 0) == (step if is_good else None)


def test_a_code_counts_once_and_none_before_it_counts_again() -> None:
    now, step = Millis(1111111111_000), 1111111111 // 30
    assert totp_step(RFC_SECRET, "050471", now, step - 1) == step
    for used in (step, step + 1):
        assert totp_step(RFC_SECRET, "050471", now, used) is None


@pytest.mark.parametrize("typed", ["", "05047", "0504711", "abcdef", "٠٥٠٤٧١", "050471\x00", "-50471"])
def test_what_is_no_code_opens_nothing(typed: str) -> None:
    assert totp_step(RFC_SECRET, typed, Millis(1111111111_000), 0) is None


def test_spaces_in_a_code_do_not_matter() -> None:
    assert totp_step(RFC_SECRET, " 050 471 ", Millis(1111111111_000), 0) is not None


def test_the_clock_may_stand_at_its_beginning() -> None:
    assert totp_step(RFC_SECRET, "755224", Millis(0), -1) == 0


def test_the_uri_is_what_apps_read() -> None:
    secret = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    uri = urlsplit(totp_uri(secret, "anna", "Peer support"))
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Peer%20support:anna")
    assert parse_qs(uri.query) == {"secret": [secret], "issuer": ["Peer support"]}


def test_a_secret_has_160_bits() -> None:
    assert is_totp_secret("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    for wrong in ("", "A" * 31, "A" * 33, "a" * 32, "1" * 32, "A" * 32 + "\n"):
        assert not is_totp_secret(wrong)
