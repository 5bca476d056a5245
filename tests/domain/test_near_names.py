"""Names that may be taken for somebody else's, and names that claim a role."""

from __future__ import annotations

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.people.names import clean_name, ends_of, is_near, name_key

VICTIM = name_key("Gentle Otter")


@pytest.mark.parametrize(
    "raw",
    [
        "Gentle Otterr", "Gentle Otters", "The Gentle Otter", "Gentle Otter 2", "gentle 0tter", "Gentle Oter",
        "Gentl Otter", "Gentle Ottter", "entle Otter", "Real Gentle Otter",
    ],
)  # fmt: skip
def test_a_name_that_may_be_taken_for_another_is_near_and_is_found_by_its_ends(raw: str) -> None:
    key = name_key(raw)
    for one, other in ((key, VICTIM), (VICTIM, key)):
        assert is_near(one, other)
        ends = ends_of(one)
        assert ends is not None
        assert other[:3] in ends[0] or other[-3:] in ends[1]


@pytest.mark.parametrize("raw", ["Gentle Heron", "Quiet Otter", "Otter", "Gentle", "Gentle Otter and Wren"])
def test_other_names_are_left_free(raw: str) -> None:
    assert not is_near(name_key(raw), VICTIM)


def test_short_names_have_too_many_honest_neighbours() -> None:
    assert not is_near(name_key("Anna"), name_key("Anne"))
    assert ends_of(name_key("Anna")) is None


@pytest.mark.parametrize(
    "raw",
    [
        "Suppport", "Helper", "The Helper", "Hellper", "Safe Adult", "safe-adult", "Mentor", "Menttor", "Moderator",
        "Volunteer", "Volunter", "Zuhörer", "Zuhoerer", "Zuhörerin", "Bénévole", "Benevole", "Your Mentor",
    ],
)  # fmt: skip
def test_a_name_claims_no_role(raw: str) -> None:
    with pytest.raises(Refusal) as refusal:
        clean_name(raw, max_length=24)
    assert refusal.value.details == {"why": "reserved"}


def test_the_sign_that_stood_before_a_role_is_in_no_name() -> None:
    with pytest.raises(Refusal) as refusal:
        clean_name("Otter \u00b7 mod", max_length=24)
    assert refusal.value.details == {"why": "symbol"}


def test_a_name_of_the_staff_is_taken_like_any_other() -> None:
    with pytest.raises(Refusal) as refusal:
        clean_name("Nils Brook", max_length=24, staff_keys=[name_key("Nils Brook")])
    assert (refusal.value.reason, refusal.value.details) == (Reason.NAME_TAKEN, None)
