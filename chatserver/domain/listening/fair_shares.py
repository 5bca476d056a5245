"""Fair shares: how many sessions one member, and one network, may have.

Pure: time arrives as an argument. A `FairShare` remembers the sessions that a member began in the last day, what a
listener said of them, and proposals that they withdrew from; the same is remembered of the network that they asked
from, for an hour. `docs/decisions/0118` gives the reasons.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening import referrals
from chatserver.domain.listening.changes import Changes
from chatserver.domain.listening.rest_rules import DAY
from chatserver.domain.listening.state import FairShare, ListeningRules, ListeningState, Seeker, Session
from chatserver.domain.sources import WIDENING

HOUR: Final = 3_600_000
BEHIND_ALL: Final = 1_000
"""`Seeker.had` of a member whom listeners found absent several times today: more than anybody can have had."""
_REMEMBERED: Final = 32
"""The most withdrawals that a share remembers; further ones change nothing."""
_NETWORK: Final = "net:"
_NEVER: Final = Millis(2**53)


def network_id(network: str) -> str:
    """Return the id of a network's share, which no member's id can be."""
    return _NETWORK + network


def is_network(share: FairShare) -> bool:
    """Return whether a share is a network's, which is kept for an hour, and not a member's, which is kept for a day."""
    return share.id.startswith(_NETWORK)


def expires_at(share: FairShare) -> Millis:
    """Return when a share no longer matters and must be dropped. What counts referrals always matters."""
    if share.id == referrals.ALL:
        return _NEVER
    span = HOUR if is_network(share) else DAY
    last = max((*share.sessions, *share.nobody), default=None)
    ends = [] if last is None else [last + span]
    ends.extend(at + HOUR for at in share.withdrawn[-1:])
    if share.offered_at is not None:
        ends.append(share.offered_at + HOUR)
    return Millis(max(ends, default=0))


# ------------------------------------------------------------------------------------------------ asking


def require(
    state: ListeningState, who: MemberId, networks: tuple[str, ...], allowance: int, now: Millis, rules: ListeningRules
) -> None:
    """Refuse a new place in the queue to a member, or a network, that has had its share.

    `networks` are the keyed hashes of the address that they ask from and of the wider networks around it, in
    hexadecimal, narrowest first, or none if they are not known. `allowance` multiplies what a network may have, and a
    wider one has as many times more as `WIDENING` says. Raises SESSIONS_USED with `details.again_at` (milliseconds) if
    the member's sessions of the day are used up, and PLACES_USED if their network's places or hour are.
    """
    if (again_at := _member_again_at(state.shares.get(who), now, rules)) is not None:
        raise _refusal(Reason.SESSIONS_USED, again_at, now)
    for network, scale in zip(networks, WIDENING, strict=False):
        _require_of_network(state, who, network, scale * allowance, now, rules)


def _require_of_network(
    state: ListeningState, who: MemberId, network: str, allowance: int, now: Millis, rules: ListeningRules
) -> None:
    waiting = sum(
        network in seeker.networks and seeker.session is None
        for member, seeker in state.seekers.items()
        if member != who
    )
    if waiting >= rules.places_per_network * allowance:
        raise Refusal(Reason.PLACES_USED, retry_after=60.0)
    share = state.shares.get(network_id(network))
    begun = [] if share is None else [at for at in share.sessions if at > now - HOUR]
    most = rules.network_sessions_an_hour * allowance
    if len(begun) >= most:
        raise _refusal(Reason.PLACES_USED, Millis(begun[len(begun) - most] + HOUR), now)
    if len(begun) + waiting >= most:
        raise Refusal(Reason.PLACES_USED, retry_after=60.0)


def had(state: ListeningState, who: MemberId, now: Millis, rules: ListeningRules) -> int:
    """Return how many sessions of today count against a member: seekers with fewer come first."""
    share = state.shares.get(who)
    if share is None:
        return 0
    if len(_recent(share.nobody, now, DAY)) >= rules.nobody_behind:
        return BEHIND_ALL
    return len(_recent(share.sessions, now, DAY))


def rests_until(
    state: ListeningState, who: MemberId, networks: tuple[str, ...], allowance: int, rules: ListeningRules
) -> Millis | None:
    """Return until when nobody is asked about a member who withdrew from proposals, or None.

    The rest begins with the last withdrawal and doubles with each of the last hour. A network's withdrawals count
    together, beyond one for each place that it may have.
    """
    ends = [_rest_ends(state.shares.get(who), 0, rules)]
    for network, scale in zip(networks, WIDENING, strict=False):
        free = rules.places_per_network * scale * allowance
        ends.append(_rest_ends(state.shares.get(network_id(network)), free, rules))
    found = [end for end in ends if end is not None]
    return max(found, default=None)


def _member_again_at(share: FairShare | None, now: Millis, rules: ListeningRules) -> Millis | None:
    if share is None:
        return None
    ends: list[int] = []
    begun, nobody = _recent(share.sessions, now, DAY), _recent(share.nobody, now, DAY)
    if len(begun) >= rules.member_sessions_a_day:
        ends.append(begun[len(begun) - rules.member_sessions_a_day] + DAY)
    if len(nobody) >= rules.nobody_most and nobody[-1] + rules.nobody_rest > now:
        ends.append(nobody[-1] + rules.nobody_rest)
    return Millis(max(ends)) if ends else None


def _rest_ends(share: FairShare | None, free: int, rules: ListeningRules) -> Millis | None:
    if share is None or not share.withdrawn:
        return None
    last = share.withdrawn[-1]
    counted = len(_recent(share.withdrawn, last, HOUR)) - free
    if counted <= 0:
        return None
    return Millis(last + min(rules.rest << min(counted - 1, 20), rules.longest_rest))


def _refusal(reason: Reason, again_at: Millis, now: Millis) -> Refusal:
    return Refusal(reason, retry_after=max(1.0, (again_at - now) / 1000), details={"again_at": again_at})


def _recent(moments: tuple[Millis, ...], now: Millis, span: int) -> tuple[Millis, ...]:
    return tuple(at for at in moments if at > now - span)


# ------------------------------------------------------------------------------------------------ what is remembered


def begun(changes: Changes, seeker: Seeker, now: Millis) -> None:
    """Remember that a member, and the network that they asked from, began a session."""
    for share in _shares_of(changes, seeker):
        span = HOUR if is_network(share) else DAY
        changes.set_share(replace(share, sessions=(*_recent(share.sessions, now, span), now)))


def withdrew(changes: Changes, seeker: Seeker, now: Millis) -> None:
    """Remember that a member withdrew a proposal about which a listener was being asked."""
    for share in _shares_of(changes, seeker):
        kept = _recent(share.withdrawn, now, HOUR)[-_REMEMBERED + 1 :]
        changes.set_share(replace(share, withdrawn=(*kept, now)))


def was_nobody(changes: Changes, session: Session, now: Millis) -> None:
    """Remember that a listener found nobody in a session of a member."""
    share = changes.state.shares.get(session.seeker) or FairShare(id=session.seeker)
    changes.set_share(replace(share, nobody=(*_recent(share.nobody, now, DAY), now)))


def give_back(changes: Changes, session: Session, *, to_network: bool = True) -> None:
    """Forget a session that ended before it was of use to its seeker, through nothing that they did. Without
    `to_network` it was their own doing, so that it counts for the network they asked from. The network is not kept with
    the session: the moment at which it began says which shares have it."""
    for share in [*changes.state.shares.values()]:
        is_theirs = share.id == session.seeker or (to_network and is_network(share))
        if is_theirs and session.started_at in share.sessions:
            _forget_one(changes, share, session.started_at)


def _forget_one(changes: Changes, share: FairShare, began: Millis) -> None:
    at = share.sessions.index(began)
    kept = replace(share, sessions=share.sessions[:at] + share.sessions[at + 1 :])
    if kept == FairShare(id=share.id):
        changes.drop_share(share.id)
    else:
        changes.set_share(kept)


def _shares_of(changes: Changes, seeker: Seeker) -> list[FairShare]:
    ids = [seeker.member, *(network_id(network) for network in seeker.networks)]
    return [changes.state.shares.get(each) or FairShare(id=each) for each in ids]
