"""What somebody could do in a meeting at this moment: every command is tried in the very function that decides it.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from chatserver.domain.errors import Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings.commands import MeetingAction
from chatserver.domain.meetings.decide import carry_out
from chatserver.domain.meetings.draft import Draft
from chatserver.domain.meetings.state import Contract, Meeting
from chatserver.domain.meetings.timers import apply_due


class Options:
    """A meeting at one moment, with what is due carried out: that is the same for everybody who asks."""

    def __init__(
        self, meeting: Meeting, now: Millis, may_refer: Callable[[MemberId], bool] = lambda member: True
    ) -> None:
        """`may_refer` says whether the queue of listeners would take somebody first to whom a host offered it."""
        draft = Draft(meeting, now)
        apply_due(draft)
        self._meeting = None if draft.is_forgotten else draft.meeting
        self._now = now
        self._may_refer = may_refer

    def of(self, who: MemberId, *, is_moderator: bool = False, is_operator: bool = False) -> list[str]:
        """Return what somebody could do, by the words of the wire: what is not refused, and would change something."""
        meeting = self._meeting
        if meeting is None:
            return []
        steers = is_moderator or meeting.is_host(who)

        def is_open(command: MeetingAction) -> bool:
            if isinstance(command, c.Aside) and not self._may_refer(command.member):
                return False
            draft = Draft(meeting, self._now)
            try:
                carry_out(draft, command, who, is_moderator=is_moderator, is_operator=is_operator)
            except Refusal:
                return False
            return bool(draft.effects) or (draft.meeting is not meeting and draft.meeting != meeting)

        return [
            word
            for word, candidates in _CANDIDATES.items()
            if (steers or word not in _OF_HOSTS) and any(map(is_open, candidates(meeting)))
        ]


def may(
    meeting: Meeting, who: MemberId, now: Millis, *, is_moderator: bool = False, is_operator: bool = False
) -> list[str]:
    """Return what one person could do, as `Options.of`."""
    return Options(meeting, now).of(who, is_moderator=is_moderator, is_operator=is_operator)


_CANDIDATES: Final[dict[str, Callable[[Meeting], Iterable[MeetingAction]]]] = {
    "sign_up": lambda meeting: [c.SignUp(name="", listens=each) for each in (False, True)],
    "sign_off": lambda meeting: [c.SignOff()],
    "enter": lambda meeting: [
        c.Enter(name="", agreement=meeting.agreement_version, listens=each) for each in (False, True)
    ],
    "step_out": lambda meeting: [c.StepOut()],
    "sit_back": lambda meeting: [c.SitBack(on=each) for each in (True, False)],
    "raise": lambda meeting: [c.Raise(on=each) for each in (True, False)],
    "finish": lambda meeting: [c.Finish()],
    "later": lambda meeting: [c.Later()],
    "pass": lambda meeting: [c.Pass(on=each) for each in (True, False)],
    "choose": lambda meeting: [c.Choose(how=each) for each in Contract],
    "answer_aside": lambda meeting: [c.AnswerAside(yes=False)],
    "step": lambda meeting: [c.Step(seen=meeting.step)],
    "call_on": lambda meeting: [c.CallOn(member=each) for each in meeting.hands],
    "add_time": lambda meeting: [c.AddTime()],
    "pause": lambda meeting: [c.Pause(on=each) for each in (True, False)],
    "aside": lambda meeting: [c.Aside(member=each) for each in meeting.people],
    "send_out": lambda meeting: [c.SendOut(member=each, reason="") for each in meeting.people],
    "end_meeting": lambda meeting: [c.EndMeeting()],
    "cancel": lambda meeting: [c.Cancel(why="")],
}
"""By the word of a command on the wire, the ways in which it may be given."""
_OF_HOSTS: Final = frozenset(("step", "call_on", "add_time", "pause", "aside", "send_out", "end_meeting", "cancel"))
