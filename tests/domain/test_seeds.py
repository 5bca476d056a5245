"""The rooms that a new server opens with."""

from __future__ import annotations

import re

import pytest

from chatserver.domain.rooms.rooms import Room, RoomStatus, room_channel, room_of
from chatserver.seeds import seed_rooms

ROOMS = seed_rooms()
EACH = pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.id)
COLD = re.compile(
    r"!|\b(?:users?|invalid|errors?|submit|oops|sorry for the inconvenience|please note|must)\b", re.IGNORECASE
)


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.?])\s+", text) if part]


def test_there_are_a_dozen_rooms_for_what_people_come_with() -> None:
    assert len(ROOMS) >= 12
    assert {
        "anxiety",
        "carers",
        "company",
        "grief",
        "illness",
        "lgbtq",
        "loneliness",
        "low-mood",
        "new-parents",
        "recovery",
        "relationships",
        "sleep",
    } <= {room.id for room in ROOMS}


def test_ids_names_and_places_stand_once() -> None:
    assert len({room.id for room in ROOMS}) == len(ROOMS)
    assert len({room.name for room in ROOMS}) == len(ROOMS)
    assert [room.position for room in ROOMS] == list(range(len(ROOMS)))


@EACH
def test_an_id_is_a_short_address(room: Room) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]{1,30}", room.id)
    assert room_of(room_channel(room.id)) == room.id


@EACH
def test_a_room_is_open_and_of_human_size(room: Room) -> None:
    assert room.status is RoomStatus.OPEN
    assert 40 <= room.capacity <= 60
    assert room.agreement_version == 1


@EACH
def test_a_room_says_in_one_line_whom_it_is_for(room: Room) -> None:
    assert room.about.startswith("For ")
    assert len(room.about) <= 120
    assert 0 < len(room.topic) <= 60
    assert 0 < len(room.name) <= 30


@EACH
def test_a_welcome_is_a_few_short_sentences(room: Room) -> None:
    assert 2 <= len(sentences(room.welcome)) <= 4
    assert all(len(sentence.split()) <= 25 for sentence in sentences(room.welcome))


@EACH
def test_an_agreement_is_short_and_holds_what_keeps_people_safe(room: Room) -> None:
    rules = room.agreement.split("\n")
    assert 8 <= len(rules) <= 11
    assert all(0 < len(rule) <= 120 for rule in rules)
    text = room.agreement.lower()
    for kept in ("listen", "advice", "contact details", "content warning", "expires", "not doctors", "get help now"):
        assert kept in text


@EACH
def test_the_voice_is_warm_and_plain(room: Room) -> None:
    for text in (room.name, room.about, room.topic, room.welcome, room.agreement):
        assert not COLD.search(text.replace("when you must", "")), text
        assert text == text.strip()
        words = re.findall(r"[a-z']+", text.lower())
        # Reading age about ten: few long words.
        assert sum(len(word) > 9 for word in words) <= max(1, len(words) // 25), text
