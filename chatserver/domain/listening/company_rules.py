"""Who sits together while they wait, who keeps company with them, and what time demands of it.

Pure: time and ids arrive as arguments. Everything here writes to a `Changes`. Nothing here is read by `matching.py`:
sitting down neither wins nor loses a place in the queue.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.changes import Changes
from chatserver.domain.listening.company import ROOM_NAME, Company, CompanyId, CompanyRules, Departure, Host, Seat
from chatserver.domain.listening.company_commands import (
    CloseCompanyRoom,
    DropCompanyRoom,
    KeepCompany,
    LeaveCompany,
    LeaveCompanyRoom,
    OpenCompanyRoom,
    SeatInCompany,
    SetCompanyVoice,
    SitDown,
    StandUp,
    WaitAlone,
)
from chatserver.domain.listening.matching import tongue_of
from chatserver.domain.listening.rest_rules import DAY, pause_of, taking
from chatserver.domain.listening.state import ListeningRules, ListeningState, Pause, Seeker

# ------------------------------------------------------------------------------------------------ reading


def company_of(state: ListeningState, member: MemberId) -> Company | None:
    """Return the company in which a member sits, or which they keep."""
    return next((each for each in state.companies.values() if each.is_live and member in each.people), None)


def hosted_by(state: ListeningState, member: MemberId) -> Company | None:
    return next((each for each in state.companies.values() if each.is_live and each.host == member), None)


def has_seat_for(
    company: Company, seeker: Seeker, avoid: frozenset[MemberId], now: Millis, rules: ListeningRules
) -> bool:
    """Return whether a seeker could sit down in a company, between whom and the members of `avoid` there is a block."""
    own, others = rules.company, [seat for seat in company.seats if seat.member != seeker.member]
    if not company.is_live or company.host is None or company.quiet_at is not None:
        return False
    if tongue_of(company.language) != tongue_of(seeker.wish.language) or len(others) >= own.seats:
        return False
    if now - company.hosted_at >= own.longest:
        return False
    if is_heavy(seeker, own) and sum(seat.is_heavy for seat in others) >= own.heavy_seats:
        return False
    return avoid.isdisjoint(company.people) and not any(seeker.member in seat.avoid for seat in others)


def is_heavy(seeker: Seeker, rules: CompanyRules) -> bool:
    return seeker.wish.heavy is not None and seeker.wish.heavy >= rules.heavy_from


def best_for(state: ListeningState, seeker: Seeker, now: Millis, rules: ListeningRules) -> Company | None:
    """Return the company to offer to a seeker: the one where most people sit already, so that nobody sits alone with a
    host who could be with others."""
    fitting = [each for each in state.companies.values() if has_seat_for(each, seeker, seeker.avoid, now, rules)]
    return max(fitting, key=lambda each: (len(each.seats), -each.opened_at, each.id), default=None)


def rest_of(state: ListeningState, member: MemberId, now: Millis, rules: ListeningRules) -> Millis | None:
    """Return until when somebody may not begin to keep company; None if they may."""
    ends: list[Millis] = []
    host, listener = state.hosts.get(member), state.listeners.get(member)
    if host is not None:
        if host.rests_until is not None:
            ends.append(host.rests_until)
        today = sorted(at for at in host.hosted if at > now - DAY)
        if listener is None and len(today) >= rules.sessions_a_day:
            ends.append(Millis(today[-rules.sessions_a_day] + DAY))
    if listener is not None and (paused := pause_of(listener, now, rules)) is not None:
        # A note that is due has no end: until it is written.
        ends.append(Millis(now + rules.company.pause) if paused[1] is None else paused[1])
    until = max(ends, default=now)
    return until if until > now else None


def is_busy(state: ListeningState, member: MemberId) -> bool:
    """Return whether somebody cannot keep company: they listen, are in a session, or wait for a listener themselves."""
    listener = state.listeners.get(member)
    return (
        (listener is not None and listener.wants)
        or member in state.seekers
        or any(session.is_live and member in session.people for session in state.sessions.values())
    )


# ------------------------------------------------------------------------------------------------ commands


def keep_company(changes: Changes, command: KeepCompany, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    state = changes.state
    if hosted_by(state, who) is not None:
        return
    if is_busy(state, who):
        raise Refusal(Reason.HOST_BUSY)
    if (until := rest_of(state, who, now, rules)) is not None:
        raise Refusal(Reason.HOST_RESTS, retry_after=(until - now) / 1000, details={"until": until})
    known = state.hosts.get(who) or Host(member=who, name=command.name, seen_at=now)
    changes.set_host(replace(known, name=command.name, seen_at=Millis(max(known.seen_at, now)), rests_until=None))
    waiting = [each for each in state.companies.values() if _waits_for(each, who, command)]
    if not waiting:
        if command.company in state.companies:
            raise Refusal(Reason.HOST_BUSY)
        _open(changes, command.company, who, command.language, now)
        return
    company = min(waiting, key=lambda each: (each.quiet_at or 0, each.id))
    if company.host is not None:
        _let_go(changes, company, now, rules, rests=True)
        company = changes.state.companies[company.id]
    changes.effects.append(SeatInCompany(company=company.id, member=who))
    changes.set_company(replace(company, host=who, hosted_at=now, counts=False))
    _count(changes, company.id, now)


def _waits_for(company: Company, who: MemberId, command: KeepCompany) -> bool:
    """Return whether somebody may take a company on: it has no host, or a host who is gone, and no block stands between
    them and those who sit there."""
    return (
        company.is_live
        and company.quiet_at is not None
        and tongue_of(company.language) == tongue_of(command.language)
        and not any(who in seat.avoid or seat.member in command.avoid for seat in company.seats)
    )


def leave_company(changes: Changes, command: LeaveCompany, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    company = hosted_by(changes.state, who)
    if company is not None:
        _let_go(changes, company, now, rules, rests=True)


def sit_down(changes: Changes, command: SitDown, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    seeker = _waiting_seeker(changes.state, who)
    company = changes.state.companies.get(command.company)
    if company is not None and company.is_live and company.seat_of(who) is not None:
        return
    if company is None or not has_seat_for(company, seeker, command.avoid, now, rules):
        raise Refusal(Reason.NO_SEAT)
    _stand_up(changes, who, now)
    company = changes.state.companies[command.company]
    seat = Seat(member=who, since=now, avoid=command.avoid, is_heavy=is_heavy(seeker, rules.company))
    changes.set_company(replace(company, seats=(*company.seats, seat), emptied_at=None))
    changes.effects.append(SeatInCompany(company=company.id, member=who))
    if seeker.alone:
        changes.set_seeker(replace(seeker, alone=False))
    _count(changes, company.id, now)


def stand_up(changes: Changes, command: StandUp, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    _stand_up(changes, who, now)


def wait_alone(changes: Changes, command: WaitAlone, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    seeker = _waiting_seeker(changes.state, who)
    _stand_up(changes, who, now)
    changes.set_seeker(replace(seeker, alone=True))


def keep_apart(changes: Changes, who: MemberId, other: MemberId, now: Millis) -> None:
    """Part two people of a company, one of whom hides the other from now on. The one who hides leaves, so that the
    other learns nothing of it; a host stays, and the seeker whom they hide leaves."""
    company = company_of(changes.state, who)
    if company is None or other not in company.people:
        return
    _stand_up(changes, other if company.host == who else who, now)


def renamed(changes: Changes, member: MemberId, name: str) -> None:
    if (host := changes.state.hosts.get(member)) is not None:
        changes.set_host(replace(host, name=name))


def _waiting_seeker(state: ListeningState, who: MemberId) -> Seeker:
    """Return a seeker who waits. Raises NOT_WAITING."""
    seeker = state.seekers.get(who)
    if seeker is None or not _waits(seeker):
        raise Refusal(Reason.NOT_WAITING)
    return seeker


def _waits(seeker: Seeker) -> bool:
    return seeker.session is None and seeker.lapsed_at is None


# ------------------------------------------------------------------------------------------------ what follows


def _open(changes: Changes, id_: CompanyId, host: MemberId, language: str, now: Millis) -> None:
    changes.set_company(Company(id=id_, language=language, opened_at=now, hosted_at=now, host=host))
    changes.effects.append(OpenCompanyRoom(company=id_, name=ROOM_NAME, host=host))


def _stand_up(changes: Changes, who: MemberId, now: Millis) -> None:
    for company in [*changes.state.companies.values()]:
        if company.seat_of(who) is not None:
            _free(changes, company, (who,), now)


def _free(changes: Changes, company: Company, members: Iterable[MemberId], now: Millis) -> None:
    """Free the seats of these members. When the last one is free, the time begins after which the posts go."""
    gone = tuple(members)
    left = company.left
    for member in gone:
        changes.effects.append(LeaveCompanyRoom(company=company.id, member=member))
        seeker = changes.state.seekers.get(member)
        if seeker is not None:
            left = Departure(name=seeker.name, met=seeker.session is not None, at=now)
    seats = tuple(seat for seat in company.seats if seat.member not in gone)
    changes.set_company(
        replace(company, seats=seats, left=left, emptied_at=company.emptied_at if seats else company.emptied_at or now)
    )


def _let_go(changes: Changes, company: Company, now: Millis, rules: ListeningRules, *, rests: bool) -> None:
    """Let a company go without its host, who rests if anybody sat there. With `rests` False a listener gets no pause
    from listening, because they have just begun to listen."""
    assert company.host is not None
    host = changes.state.hosts.get(company.host)
    until = Millis(now + rules.company.pause)
    if host is not None and company.counts:
        changes.set_host(replace(host, rests_until=until))
        listener = changes.state.listeners.get(host.member)
        if listener is not None and rests and (listener.paused_until or 0) < until:
            changes.set_listener(replace(listener, paused_until=until, pause=Pause.AFTER_SESSION))
    changes.effects.append(LeaveCompanyRoom(company=company.id, member=company.host))
    company = replace(company, host=None, counts=False)
    changes.set_company(company)
    _set_quiet(changes, company, now)


def _count(changes: Changes, id_: CompanyId, now: Millis) -> None:
    """Count a host's time in the caps of the day and the week like a session, once somebody sits with them."""
    company = changes.state.companies[id_]
    if company.counts or company.host is None or not company.seats:
        return
    changes.set_company(replace(company, counts=True))
    host = changes.state.hosts[company.host]
    changes.set_host(replace(host, hosted=(*(at for at in host.hosted if at > now - DAY), now)))
    if (listener := changes.state.listeners.get(company.host)) is not None:
        changes.set_listener(taking(listener, now))


def _set_quiet(changes: Changes, company: Company, quiet_at: Millis | None) -> None:
    if (company.quiet_at is None) != (quiet_at is None):
        changes.effects.append(SetCompanyVoice(company=company.id, is_open=quiet_at is None))
        changes.set_company(replace(company, quiet_at=quiet_at))


def _close(changes: Changes, company: Company, now: Millis) -> None:
    """Close a company. Whoever sits there keeps their place in the queue."""
    if company.host is not None:
        changes.effects.append(LeaveCompanyRoom(company=company.id, member=company.host))
    if company.seats:
        _free(changes, company, [seat.member for seat in company.seats], now)
        company = changes.state.companies[company.id]
    changes.set_company(replace(company, host=None, closed_at=now, counts=False))
    changes.effects.append(CloseCompanyRoom(company=company.id))


# ------------------------------------------------------------------------------------------------ time


def apply_due_to_companies(changes: Changes, now: Millis, rules: ListeningRules) -> None:
    """Carry out everything that is due in companies. Comes after everything else, and changes no seeker: what it sees
    of the queue is final."""
    for id_ in [*changes.state.companies]:
        if changes.state.companies[id_].is_live:
            _apply_due(changes, id_, now, rules)
    for company in [*changes.state.companies.values()]:
        if not company.is_live and _dropped_at(company, rules.company) <= now:
            _drop(changes, company.id)
    for host in [*changes.state.hosts.values()]:
        if hosted_by(changes.state, host.member) is None and _forget_at(host) <= now:
            changes.drop_host(host.member)


def moments_of_companies(state: ListeningState, now: Millis, rules: ListeningRules) -> Iterator[Millis]:
    """Yield when `apply_due_to_companies` would next do anything; `now` if it would already."""
    if not state.companies and not state.hosts:
        return
    attempt = Changes(state)
    apply_due_to_companies(attempt, now, rules)
    if attempt.decided().events:
        yield now
    own = rules.company
    for company in state.companies.values():
        if not company.is_live:
            yield _dropped_at(company, own)
            continue
        if company.host is not None:
            yield Millis(company.hosted_at + own.longest)
            if company.quiet_at is None and (host := state.hosts.get(company.host)) is not None:
                yield Millis(host.seen_at + own.host_grace)
        if company.quiet_at is not None:
            yield Millis(company.quiet_at + own.host_gone)
        if company.emptied_at is not None:
            yield Millis(company.emptied_at + own.keep)
    for host in state.hosts.values():
        if hosted_by(state, host.member) is None:
            yield _forget_at(host)


def _apply_due(changes: Changes, id_: CompanyId, now: Millis, rules: ListeningRules) -> None:
    own, company = rules.company, changes.state.companies[id_]
    seekers = changes.state.seekers
    gone = [seat.member for seat in company.seats if seat.member not in seekers or not _waits(seekers[seat.member])]
    if gone:
        _free(changes, company, gone, now)
    _apply_due_to_host(changes, id_, now, rules)
    company = changes.state.companies[id_]
    is_empty = company.host is None and not company.seats
    if is_empty or (company.quiet_at is not None and now - company.quiet_at >= own.host_gone):
        _close(changes, company, now)
    elif company.emptied_at is not None and now - company.emptied_at >= own.keep:
        _begin_anew(changes, company, now)


def _apply_due_to_host(changes: Changes, id_: CompanyId, now: Millis, rules: ListeningRules) -> None:
    own, company = rules.company, changes.state.companies[id_]
    if company.host is None:
        return
    host = changes.state.hosts.get(company.host)
    if host is None or now - company.hosted_at >= own.longest:
        _let_go(changes, company, now, rules, rests=True)
    elif is_busy(changes.state, host.member):
        _let_go(changes, company, now, rules, rests=False)
    else:
        is_gone = now - host.seen_at >= own.host_grace
        _set_quiet(changes, company, (company.quiet_at or now) if is_gone else None)


def _begin_anew(changes: Changes, company: Company, now: Millis) -> None:
    """Replace a company in which nobody sits any more by an empty one with the same host, so that what was written
    there goes."""
    assert company.host is not None
    _close(changes, company, now)
    _drop(changes, company.id)
    next_id = CompanyId("c--" + hashlib.blake2b(f"{company.id} {now}".encode(), digest_size=10).hexdigest())
    _open(changes, next_id, company.host, company.language, now)
    renewed = changes.state.companies[next_id]
    changes.set_company(replace(renewed, hosted_at=company.hosted_at, counts=company.counts))


def _drop(changes: Changes, id_: CompanyId) -> None:
    changes.effects.append(DropCompanyRoom(company=id_))
    changes.drop_company(id_)


def _dropped_at(company: Company, rules: CompanyRules) -> Millis:
    """Return when a closed company's posts go: at once if nobody ever sat there."""
    assert company.closed_at is not None
    return company.closed_at if company.emptied_at is None else Millis(company.emptied_at + rules.keep)


def _forget_at(host: Host) -> Millis:
    """Return when nothing that is kept of a host who keeps no company matters any more."""
    return Millis(max((*(at + DAY for at in host.hosted), host.rests_until or 0), default=0))
