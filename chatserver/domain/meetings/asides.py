"""Asides: a host offers one person of a meeting, alone, to talk with a listener now.

Pure. Who is taken first in the queue, and how often, is decided there (`domain/listening/referrals.py`).
"""

from __future__ import annotations

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.meetings.draft import Draft
from chatserver.domain.meetings.forms import OFFERED
from chatserver.domain.meetings.state import Attendee, Place


def offer(draft: Draft, member: MemberId) -> None:
    """Offer somebody who is in the meeting to talk with one listener. Raises MEMBER_UNKNOWN and NOT_ALLOWED."""
    found = draft.inside(member)
    if found is None:
        raise Refusal(Reason.MEMBER_UNKNOWN)
    if found.place is Place.HOST:
        raise Refusal(Reason.NOT_ALLOWED)
    if found.offered_until is None:
        draft.put(replace(found, offered_until=Millis(draft.time + OFFERED)))


def answer(draft: Draft, who: Attendee, *, yes: bool) -> None:
    """Note that somebody answered the offer. Raises OFFER_GONE for a yes to none."""
    if who.offered_until is not None:
        draft.put(replace(who, offered_until=None))
    elif yes:
        raise Refusal(Reason.OFFER_GONE)


def take_back_one(draft: Draft) -> bool:
    """Take back an offer that was not answered in time. Return whether there was one."""
    for each in draft.meeting.people.values():
        if each.offered_until is not None and draft.time >= each.offered_until:
            draft.put(replace(each, offered_until=None))
            return True
    return False
