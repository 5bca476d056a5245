"""What people are shown of company while waiting."""

from __future__ import annotations

from collections.abc import Container

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening import company_rules
from chatserver.domain.listening.company import Company, room_of_company
from chatserver.domain.listening.state import ListeningRules, ListeningState, Seeker
from chatserver.domain.rooms.aliases import Aliases
from chatserver.protocol.listening.company import CompanyOffer, CompanyPerson, CompanyView, DepartureView, HostingOk


def company(
    state: ListeningState, found: Company, me: MemberId, aliases: Aliases, rules: ListeningRules
) -> CompanyView:
    """Return a company as one of its people sees it."""
    room, own = room_of_company(found.id), rules.company

    def person(member: MemberId) -> CompanyPerson:
        is_host = member == found.host
        known = state.hosts.get(member) if is_host else state.seekers.get(member)
        return CompanyPerson(
            id=aliases.in_room(room, member, 0),
            name="" if known is None else known.name,
            role="host" if is_host else "seeker",
        )

    left = found.left
    return CompanyView(
        id=found.id,
        room=room,
        me=aliases.in_room(room, me, 0),
        people=tuple(person(member) for member in found.people),
        seats=own.seats,
        until=None if found.host is None else Millis(found.hosted_at + own.longest),
        quiet_since=found.quiet_at,
        closes_at=None if found.quiet_at is None else Millis(found.quiet_at + own.host_gone),
        left=None if left is None else DepartureView(name=left.name, met=left.met, at=left.at),
    )


def offer(
    state: ListeningState,
    seeker: Seeker,
    seconds: float | None,
    held: Container[MemberId],
    now: Millis,
    rules: ListeningRules,
) -> CompanyOffer | None:
    """Return where a seeker could sit, or None. `seconds` is their estimated wait. Nobody of `held` is offered company:
    a moderator is to talk with them."""
    if seeker.member in held:
        return None
    found = company_rules.best_for(state, seeker, now, rules)
    if found is None or found.host is None:
        return None
    is_long = seconds is None or seconds * 1000 > rules.company.offer_after
    return CompanyOffer(
        id=found.id,
        host=state.hosts[found.host].name,
        sit=len(found.seats),
        ask=is_long and not seeker.alone,
    )


def hosting(
    state: ListeningState,
    member: MemberId,
    aliases: Aliases,
    waiting: int,
    languages: tuple[str, ...],
    now: Millis,
    rules: ListeningRules,
) -> HostingOk:
    """Return the view of somebody who keeps company, or might."""
    kept = company_rules.hosted_by(state, member)
    return HostingOk(
        version=0,
        waiting=waiting,
        sitting=sum(len(each.seats) for each in state.companies.values() if each.is_live),
        minutes=rules.company.longest // 60_000,
        languages=languages,
        company=None if kept is None else company(state, kept, member, aliases, rules),
        busy=company_rules.is_busy(state, member),
        rests_until=None if kept is not None else company_rules.rest_of(state, member, now, rules),
    )
