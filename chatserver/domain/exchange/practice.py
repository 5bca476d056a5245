"""What everybody practises before their first exchange: four moments, three minutes.

Pure: words only. They name no means of harm, and are short: a tired person whose first language is another one reads
them too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec


class ExchangeScene(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of an exchange. `right` is the number of the answer that helps, `why` is shown with it."""

    title: str
    says: str
    answers: tuple[str, ...]
    right: int
    why: str


SCENES: Final[tuple[ExchangeScene, ...]] = (
    ExchangeScene(
        title="Say it back",
        says="I've been up since four again. By noon I snap at everyone.",
        answers=(
            "That's nothing, I was up at three.",
            "So you're awake in the small hours, and it wears you thin.",
            "You should talk to your doctor about sleep.",
        ),
        right=1,
        why="A few of their own words show that you heard them. Your own story has its own time.",
    ),
    ExchangeScene(
        title="Ask openly",
        says="My sister called yesterday. It was the usual.",
        answers=("Did you fight?", "Why don't you stop answering?", "What was that like for you?"),
        right=2,
        why="A question that begins with what or how leaves the answer to them.",
    ),
    ExchangeScene(
        title="No advice",
        says="I don't know whether to stay in this job.",
        answers=(
            "It sounds like you're pulled both ways.",
            "Leave. Life is short.",
            "Make a list of pros and cons.",
        ),
        right=0,
        why="They can ask you for ideas. Until they do, it is their own thinking that helps.",
    ),
    ExchangeScene(
        title="Stop when it is too much",
        says="There's something much worse that I haven't told anybody.",
        answers=(
            "Say nothing, and leave.",
            "Thank you for trusting me. I can't hold this well today. Would a listener be better for it?",
            "Stay, whatever it costs you.",
        ),
        right=1,
        why="You may stop at any time. Saying so is kinder than going without a word, and listeners are there for it.",
    ),
)
"""The moments of the practice, in their order."""


def check(answers: Sequence[int]) -> tuple[int, ...]:
    """Return the numbers of the scenes, from 0, whose answer is not the one that helps. A missing answer is none. The
    practice is done if nothing is returned."""
    given = dict(enumerate(answers))
    return tuple(number for number, scene in enumerate(SCENES) if given.get(number) != scene.right)
