"""Aliases: the same for everybody who may make them, and telling nobody else anything."""

from __future__ import annotations

import string
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms.aliases import OWN_ALIASES, Aliases, Named
from chatserver.domain.rooms.hiding import NOBODY_HIDDEN, Hiding, Unseen
from chatserver.domain.rooms.rooms import RoomId
from chatserver.protocol.fields import MemberName

ALIASES = Aliases(b"k" * 32)
ANNA = MemberId("m_" + "a" * 16)
SLEEP, GRIEF, TALK = RoomId("sleep"), RoomId("grief"), RoomId("s-" + "x" * 16)

ids = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=40).map(MemberId)
scopes = st.text(string.printable[:95], min_size=1, max_size=64)
generations = st.integers(0, 2**53)


@given(scope=scopes, member=ids, generation=generations)
def test_an_alias_leads_back_and_only_in_its_scope(scope: str, member: MemberId, generation: int) -> None:
    alias = ALIASES.of(scope, member, generation)
    assert alias == Aliases(b"k" * 32).of(scope, member, generation), "every worker makes the same"
    assert ALIASES.open(scope, alias) == Named(member, generation)
    assert ALIASES.open(scope + "x", alias) is None
    assert Aliases(b"another key, as long").open(scope, alias) is None
    assert ALIASES.find(["nowhere", scope], alias) == (scope, Named(member, generation))


@given(one=st.tuples(scopes, ids, generations), other=st.tuples(scopes, ids, generations))
def test_no_two_share_an_alias(one: tuple[str, MemberId, int], other: tuple[str, MemberId, int]) -> None:
    assert (ALIASES.of(*one) == ALIASES.of(*other)) == (one == other)


@given(st.text(max_size=80))
def test_whatever_somebody_sends_names_nobody_or_is_an_alias(text: str) -> None:
    for sent in (text, f"p_{text}"):
        assert ALIASES.open(SLEEP, sent) is None


@given(place=st.integers(0, 24), bit=st.integers(0, 7))
def test_an_altered_alias_names_nobody(place: int, bit: int) -> None:
    sealed = bytearray(urlsafe_b64decode(ALIASES.of(SLEEP, ANNA, 0)[2:] + "=="))
    sealed[place] ^= 1 << bit
    assert ALIASES.open(SLEEP, "p_" + urlsafe_b64encode(sealed).decode().rstrip("=")) is None


@pytest.mark.parametrize("tail", ["=", "==", "A", "\n", "!"])
def test_an_alias_is_written_in_one_way_only(tail: str) -> None:
    assert ALIASES.open(SLEEP, ALIASES.of(SLEEP, ANNA, 0) + tail) is None


def test_rooms_and_names_do_not_show_that_they_are_one_persons() -> None:
    """Neither a common part, nor the number of the name."""
    shown = [ALIASES.in_room(room, ANNA, generation) for room in (SLEEP, GRIEF) for generation in (0, 1, 100)]
    assert len({alias[2:8] for alias in shown}) == len(shown)
    assert len({alias[-6:] for alias in shown}) == len(shown)
    assert len({len(alias) for alias in shown}) == 1
    for alias in shown:
        msgspec.convert(alias, MemberName)


def test_in_a_session_everybody_has_one_id_under_all_names() -> None:
    assert ALIASES.in_room(TALK, ANNA, 0) == ALIASES.in_room(TALK, ANNA, 7)
    assert ALIASES.own(TALK, ANNA, 7) == [ALIASES.in_room(TALK, ANNA, 0)]


def test_ones_own_are_told_newest_first_and_not_without_end() -> None:
    assert ALIASES.own(SLEEP, ANNA, 2) == [ALIASES.in_room(SLEEP, ANNA, each) for each in (2, 1, 0)]
    many = ALIASES.own(SLEEP, ANNA, 5_000)
    assert (len(many), many[0]) == (OWN_ALIASES, ALIASES.in_room(SLEEP, ANNA, 5_000))


# ------------------------------------------------------------------------------------------------ hiding


def test_hiding_goes_with_a_name_in_every_room_and_with_the_next_one_where_it_was_taken() -> None:
    hiding = Hiding(
        hidden=(Persona(ANNA, "Anna", 3),), unseen=frozenset({Unseen(ANNA, 3, None), Unseen(ANNA, 4, SLEEP)})
    )
    seen = {
        (generation, room): not hiding.is_unseen(Persona(ANNA, "?", generation), room)
        for generation in (2, 3, 4, 5)
        for room in (SLEEP, GRIEF)
    }
    assert [key for key, is_seen in seen.items() if not is_seen] == [(3, SLEEP), (3, GRIEF), (4, SLEEP)]
    assert hiding.others == {ANNA}


def test_who_hides_somebody_is_not_shown_to_them_under_the_name_they_had() -> None:
    hiding = Hiding(hidden_from=frozenset({Unseen(ANNA, 1, None)}))
    assert hiding.is_unseen(Persona(ANNA, "?", 1), SLEEP)
    assert not hiding.is_unseen(Persona(ANNA, "?", 2), SLEEP), "a new name is a stranger, who is shown"
    assert not NOBODY_HIDDEN.is_unseen(Persona(ANNA, "?", 1), SLEEP)
