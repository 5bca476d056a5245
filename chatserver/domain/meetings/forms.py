"""The table of forms: what each kind of meeting is made of.

Pure. The numbers are defaults; a group may ask for fewer seats, and for other lengths within bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from chatserver.domain.meetings.state import MINUTE, Form, Phase, PhaseKind


class FormRules(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for the meetings of one form. Places are numbers of people, times minutes.

    `seats` is the default, and `most_seats` what a group may ask for at most; `listeners` are places without turns.
    With `is_for_all` anybody may come while there is a seat; otherwise seats are closed once `share` begins.
    `needs_host` says that the meeting does not go on without a host. Somebody who comes once it has begun is shown
    what was said before only where `shows_all`. It begins by itself with at least `least` people, hosts among them; a
    host may begin it with fewer. `is_of_two` says that nobody but the two who were paired may ever be in it, and that
    it ends when one of them leaves; no group has such meetings.
    """

    phases: tuple[Phase, ...]
    seats: int
    most_seats: int
    listeners: int = 0
    is_for_all: bool = True
    needs_host: bool = True
    shows_all: bool = False
    kept_minutes: int = 60
    least: int = 3
    is_of_two: bool = False

    @property
    def keep(self) -> int:
        """Return for how many milliseconds what was written is kept after the end."""
        return self.kept_minutes * MINUTE


def _script(**minutes: int) -> tuple[Phase, ...]:
    # Further phases of one kind have a number behind their name.
    return tuple(Phase(PhaseKind(name.rstrip("0123456789")), length) for name, length in minutes.items())


FORMS: Final[Mapping[Form, FormRules]] = {
    Form.CIRCLE: FormRules(
        phases=_script(gather=10, welcome=3, checkin=4, prepare=3, share=36, open=10, closing=5),
        seats=6,
        most_seats=8,
        listeners=6,
        is_for_all=False,
        shows_all=True,
    ),
    Form.HANDS: FormRules(
        phases=_script(gather=5, welcome=5, checkin=6, hands=40, closing=5, linger=10),
        seats=12,
        most_seats=15,
    ),
    Form.THEMED: FormRules(phases=_script(gather=5, welcome=3, checkin=5, open=40, closing=5), seats=12, most_seats=15),
    Form.QUIET: FormRules(
        phases=_script(gather=3, checkin=3, quiet=25, open=5, quiet2=25, closing=3),
        seats=15,
        most_seats=15,
        needs_host=False,
        kept_minutes=15,
        least=2,
    ),
    Form.EXCHANGE: FormRules(
        phases=_script(contract=3, share=25, closing=3),
        seats=2,
        most_seats=2,
        is_for_all=False,
        needs_host=False,
        shows_all=True,
        least=2,
        is_of_two=True,
    ),
}
SHORTEST: Final = 1
LONGEST: Final = 90
"""Minutes that a group may give a phase."""
DOORS: Final = 10 * MINUTE
"""Milliseconds before its beginning at which a meeting's doors open."""
SEATS_FREED: Final = 5 * MINUTE
"""Milliseconds after its beginning at which the seats of those who did not come go to those who are there."""
GATHERING: Final = 10 * MINUTE
"""Milliseconds after its beginning at which a meeting that needs a host begins by itself, or not at all."""
OVERRUN: Final = MINUTE
"""Milliseconds for which a turn goes on after its time, so that somebody can finish."""
HAND_TURN: Final = 5 * MINUTE
"""The longest turn of somebody who raised a hand."""
LEAST_TURN: Final = 15_000
"""A rest of a turn that is shorter is not offered."""
ADDED: Final = 2 * MINUTE
MOST_ADDED: Final = 12 * MINUTE
"""What a host adds to each turn at once, and in all to a meeting."""
ROUND_LENGTH: Final = 200
"""The most characters of a line in a round."""
OPEN_PACE: Final = 10
"""Seconds between two posts of one person in the open phase."""
ANSWERS: Final = 2 * MINUTE
"""Milliseconds after a share in which everybody may answer it."""
ANSWERS_PACE: Final = 20
"""Seconds between two answers of one person."""
BREATH: Final = MINUTE
"""Milliseconds between the turns of two people, in which nobody writes."""
TWO_GONE: Final = 3 * MINUTE
"""Milliseconds without a connection after which one of two people has left."""
ASIDE_LENGTH: Final = 140
ASIDE_PACE: Final = 20
"""Characters that the other of two people may write at once while one has the turn, and seconds between two of
those."""
OFFERED: Final = 5 * MINUTE
"""Milliseconds for which somebody can say yes to talking with one listener."""
ONE_HOST_SEATS: Final = 8
"""The most people whose turns one host holds together; more need a second."""
MOST_NOTES: Final = 20
"""The most notes of screening that hosts are shown; the newest stay."""
MISSES: Final = 2
"""Meetings of a group, missed in a row, after which somebody's seats in the next ones are free again."""
LOST: Final = MINUTE
"""Milliseconds without a connection after which a turn is set aside, and the others are told that a host is gone."""
HOST_LOST: Final = 3 * MINUTE
"""Milliseconds without any host after which a meeting that needs one goes to its closing."""
HOLD: Final = 10 * MINUTE
"""For how long, in all, hosts can hold a meeting."""
DEAD: Final = 12 * 60 * MINUTE
"""Milliseconds after its beginning at which a meeting ends in any case."""
CANCELLED_KEPT: Final = 60 * MINUTE
CALLED: Final = 12 * 60 * MINUTE
CALLED_ON_THE_DAY: Final = 30 * MINUTE
"""For how long a freed seat is held for the first who waits, and for how long on the day of the meeting."""
ON_THE_DAY: Final = 24 * 60 * MINUTE
EVERY_ALLOTMENT: Final = 15_000
LEAST_ALLOTMENT, MOST_ALLOTMENT = 2 * MINUTE, 12 * MINUTE


def allotment(minutes: int, sharers: int) -> int:
    """Return the length of each turn in a share of so many minutes, in milliseconds: equal for all."""
    each = (minutes - sharers) * MINUTE // sharers
    return max(LEAST_ALLOTMENT, min(MOST_ALLOTMENT, each)) // EVERY_ALLOTMENT * EVERY_ALLOTMENT


def two_turns(minutes: int) -> int:
    """Return the length of each turn of two people in a share of so many minutes, with the breath between them."""
    return (minutes * MINUTE - BREATH) // 2


def planned(phases: tuple[Phase, ...], answered: int = 0) -> int:
    """Return how long a script is planned to take after its beginning, in milliseconds. `answered` is how many people
    share whom others may answer."""
    shares = sum(phase.kind is PhaseKind.SHARE for phase in phases)
    return sum(phase.minutes for phase in phases) * MINUTE + shares * answered * ANSWERS
