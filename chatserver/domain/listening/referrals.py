"""Referrals: somebody in a meeting to whom its host offered the head of the queue.

Pure: time arrives as an argument. It passes others who wait, so it is rare: once an hour for one person, and among ten
sessions that begin one after another at most one. An offer that stands, and somebody referred who waits, count as
taken: whoever was told that they would be first is first.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.changes import Changes
from chatserver.domain.listening.state import FairShare, ListeningState, Seeker

HOUR: Final = 3_600_000
STANDS: Final = 6 * 60_000
"""Milliseconds for which an offer keeps the head of the queue: a little longer than the person is shown it."""
ALL: Final = "referrals"
"""The id of the share that counts, which no member's and no network's id can be."""
BETWEEN: Final = 9
"""Sessions of others that begin between two referrals, at least."""


def refusal(state: ListeningState, member: MemberId, now: Millis) -> Refusal | None:
    """Return why nobody may offer somebody the head of the queue now, or None if they may."""
    offered_at = _offered_at(state, member)
    if offered_at is not None and now - offered_at < HOUR:
        again = (offered_at + HOUR - now) / 1000
        return Refusal(Reason.OFFERED_ALREADY, retry_after=again, details={"why": "person"})
    if not _is_due(state) or _is_kept(state, member, now):
        return Refusal(Reason.OFFERED_ALREADY, details={"why": "others"})
    return None


def offer(changes: Changes, member: MemberId, now: Millis) -> None:
    """Keep the head of the queue for somebody. Raises OFFERED_ALREADY."""
    if (found := refusal(changes.state, member, now)) is not None:
        raise found
    share = changes.state.shares.get(member) or FairShare(id=member)
    changes.set_share(replace(share, offered_at=now))


def is_offered(state: ListeningState, member: MemberId, now: Millis) -> bool:
    """Return whether the head of the queue is kept for somebody."""
    offered_at = _offered_at(state, member)
    return offered_at is not None and now - offered_at < STANDS and _is_due(state)


def begun(changes: Changes, seeker: Seeker) -> None:
    """Count a session that begins."""
    share = changes.state.shares.get(ALL)
    if seeker.is_referred:
        changes.set_share(FairShare(id=ALL))
    elif share is not None and share.others < BETWEEN:
        changes.set_share(replace(share, others=share.others + 1))


def _offered_at(state: ListeningState, member: MemberId) -> Millis | None:
    share = state.shares.get(member)
    return None if share is None else share.offered_at


def _is_due(state: ListeningState) -> bool:
    share = state.shares.get(ALL)
    return share is None or share.others >= BETWEEN


def _is_kept(state: ListeningState, but: MemberId, now: Millis) -> bool:
    """Return whether the head of the queue is kept for somebody else."""
    waits = any(each.is_referred and each.session is None and each.member != but for each in state.seekers.values())
    return waits or any(
        share.id != but and share.offered_at is not None and now - share.offered_at < STANDS
        for share in state.shares.values()
    )
