"""Inputs that would be slow if the code were careless: tests count their work, `bench/cpu_bounds.py` their seconds."""

from __future__ import annotations

from typing import Final

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.state import ListeningState, Seeker, Wish
from tests.domain.listening_kit import START, Stage

CRISIS_TEXTS: Final = (
    "want to " * 500,
    "i " * 2000,
    "a" * 4000,
    "!" * 4000,
    "want" + "\u0300" * 3990,
    "*" * 4000,
    "k*" * 2000,
    "\u200b" * 4000,
    ("thinking " * 440)[:4000],
    '"' * 4000,
    ". " * 2000,
    "(" * 4000,
)
CONTACT_PARTS: Final = (
    "a", "1 ", "a.", "@", "one ", " at ", "insta: ", "-", "my insta is ", "a@", "a dot ", "(1) ", "a-", "call 1",
)  # fmt: skip
"""To be repeated up to the longest text."""


def full_queue() -> Stage:
    """1,200 people ask; of 200 listeners each has one of them."""
    stage = Stage()
    stage.state = ListeningState(
        seekers={
            member: Seeker(member=member, name="", asked_at=START, wish=Wish(topics=("sleep",)), seen_at=Millis(START))
            for member in (MemberId(f"m_{number}") for number in range(1_200))
        }
    )
    for number in range(200):
        stage.hire(MemberId(f"m_listener_{number}"), cap=1)
    for seeker in [*stage.state.seekers.values()]:
        if seeker.proposal is not None:
            stage.accept(seeker.proposal.listener, seeker.member)
    assert len(stage.state.sessions) == 200
    return stage


def crowd_with_haters() -> tuple[list[MemberId], list[tuple[MemberId, MemberId]]]:
    """A crowd of 240, of whom 20 hide everybody; and all the pairs that are to be apart."""
    crowd = [MemberId(f"m-{number:03}") for number in range(240)]
    return crowd, [(hater, other) for hater in crowd[:20] for other in crowd if other != hater]
