"""Passwords are judged by their length, and refused only where they stand first in everybody's list."""

from __future__ import annotations

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.people.passwords import LONGEST, check_password, clean_password


@pytest.mark.parametrize(
    "password",
    [
        "lamp river boots sky",
        "lampriverboots",
        "großer gelber Regenschirm",
        "ひつじがいっぴき、にひき",
        "x7#kQ2!mZ9p$",
        "anna likes her old bicycle",
        "my password is a long story",
        "a" + "bcdefghik lm" * 20,
    ],
)
def test_what_is_long_enough_is_taken(password: str) -> None:
    check_password(clean_password(password), "anna")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "short"),
        ("elevenchars", "short"),
        ("   shorter   ", "short"),
        ("x7#k" * 100, "long"),
        ("aaaaaaaaaaaaaaa", "repeated"),
        ("abababababababab", "repeated"),
        ("123456789012", "repeated"),
        ("210987654321", "repeated"),
        ("qwertyuiopas", "repeated"),
        ("ABCDEFGHIJKLM", "repeated"),
        ("anna.berg2026", "login"),
        ("ANNA.BERG anna.berg", "login"),
        ("password1234", "common"),
        ("P4ssw0rd!!!!", "common"),
        ("password1password2", "common"),
        ("Moderator-2026", "common"),
        ("correct horse battery staple", "common"),
        ("1qwertyuiop1", "common"),
    ],
)
def test_what_is_tried_first_is_refused(password: str, why: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_password(clean_password(password), "anna.berg")
    assert caught.value.reason is Reason.PASSWORD_WEAK
    assert caught.value.details is not None
    assert caught.value.details["why"] == why
    assert password not in str(caught.value.details.values()) or not password


def test_a_refusal_says_the_bound() -> None:
    for password, bound in (("short", {"shortest": 12}), ("x7#k" * 100, {"longest": LONGEST})):
        with pytest.raises(Refusal) as caught:
            check_password(password, "anna")
        assert dict(caught.value.details or {}).items() >= bound.items()


def test_a_short_login_is_no_reason_to_refuse() -> None:
    check_password("a lamp by a river", "a")


def test_two_ways_to_type_one_letter_are_one_password() -> None:
    assert clean_password("u\u0308ber den Wolken") == clean_password("\u00fcber den Wolken")
