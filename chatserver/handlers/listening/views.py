"""What each person in the listening state is shown: their own view of it, made from one picture.

Nothing here waits or changes anything. A view holds only what its reader may know: a seeker learns nothing of the
others in the queue but how many are before them, and a listener nothing of a seeker who was not proposed to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Literal

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening import matching, rest_rules
from chatserver.domain.listening.company import CompanyId
from chatserver.domain.listening.state import (
    Asked,
    Ending,
    Left,
    Listener,
    ListeningRules,
    ListeningState,
    Seeker,
    Session,
    SessionId,
    room_of_session,
)
from chatserver.domain.rooms.aliases import Aliases
from chatserver.domain.rooms.rooms import RoomId
from chatserver.handlers.listening import company_views
from chatserver.protocol.listening.company import HostingOk, HostingPush
from chatserver.protocol.listening.views import (
    Colleague,
    ConsoleOk,
    ConsolePush,
    InvitationView,
    LeftSession,
    ProfileView,
    ProposalView,
    SessionPerson,
    SessionView,
    StandingOk,
    StandingPush,
)
from chatserver.protocol.moderation.views import DeclinesView

View = StandingOk | ConsoleOk | HostingOk
ViewKind = Literal["standing", "console", "hosting"]

_COARSE_SECONDS: Final = 30
"""Estimates are told in steps: seconds would be a promise that nobody can keep."""
_IDLE_COARSE: Final = 30_000


class Picture:
    """The listening state at one moment, with what many views need computed once."""

    def __init__(
        self,
        state: ListeningState,
        rules: ListeningRules,
        aliases: Aliases,
        *,
        hides: Callable[[MemberId, MemberId], bool],
        is_open: bool,
        opens_at: Millis | None,
        languages: tuple[str, ...],
        topics: tuple[RoomId, ...],
        due: Millis | None,
        now: Millis,
        held: frozenset[MemberId] = frozenset(),
    ) -> None:
        self.state = state
        self.rules = rules
        self.aliases = aliases
        self.hides = hides
        """Whether somebody who is connected here hides somebody."""
        self.is_open = is_open
        self.opens_at = opens_at
        self.languages = languages
        self.topics = topics
        self.now = now
        self.held = held
        """Those who wait and whom a moderator is to talk with: they are not offered company."""
        self.due = due
        """When settling would next change anything, by what was known then."""
        self.queue = matching.queue(state)
        self.places = {seeker.member: place for place, seeker in enumerate(self.queue, 1)}
        self.listening = [each for each in state.listeners.values() if rest_rules.is_here(each, now, rules)]
        self.free = {each.member for each in matching.free_listeners(state, now, rules)}
        self.asked = {each.proposal.listener: each for each in self.queue if each.proposal is not None}
        self.sessions: dict[MemberId, list[Session]] = {}
        """Everybody's sessions, live ones and those not yet forgotten, oldest first."""
        self.left: dict[MemberId, list[Session]] = {}
        """Those that a listener left before the end, while they are kept."""
        for session in sorted(state.sessions.values(), key=lambda each: (each.started_at, each.id)):
            for member in session.people:
                self.sessions.setdefault(member, []).append(session)
            for member in session.left:
                self.left.setdefault(member, []).append(session)
        self.companies = {member: each for each in state.companies.values() if each.is_live for member in each.people}
        """The live company of everybody who is in one."""
        self.people: frozenset[MemberId] = frozenset((*state.seekers, *state.listeners, *state.hosts))
        self.pace = matching.pace(state, now, rules)
        self.prospects = matching.Prospects(self.listening)

    def concerns(self, member: MemberId) -> bool:
        """Return whether a member is a seeker, a listener or a host in this state."""
        return member in self.people

    def may_enter(self, room: RoomId, member: MemberId) -> bool:
        """Return whether a member belongs to the session or the company whose room this is."""
        company = self.state.companies.get(CompanyId(room))
        if company is not None:
            return member in company.people
        session = self.state.sessions.get(SessionId(room))
        return session is not None and member in session.people


def standing(picture: Picture, member: MemberId) -> StandingOk:
    """Return the view of a seeker, or of a member who might become one."""
    seeker = picture.state.seekers.get(member)
    session = _newest([each for each in picture.sessions.get(member, ()) if each.seeker == member])
    state: Literal["none", "waiting", "lapsed", "session", "ended"] = "none"
    if session is not None and session.is_live:
        state = "session"
    elif seeker is not None:
        state = "lapsed" if seeker.lapsed_at is not None else "waiting"
    elif session is not None:
        state = "ended"
    rules = picture.rules
    view = StandingOk(
        version=0,
        state=state,
        open=picture.is_open,
        listeners=len(picture.listening),
        free=len(picture.free),
        waiting=len(picture.queue),
        kept_seconds=rules.grace // 1000,
        length_minutes=rules.length // 60_000,
        idle_minutes=rules.idle // 60_000,
        languages=picture.languages,
        topics=picture.topics,
        opens_at=picture.opens_at,
        session=None if session is None else _session(picture, session, member),
    )
    return view if seeker is None or state not in {"waiting", "lapsed"} else _waiting(picture, view, seeker)


def console(picture: Picture, member: MemberId) -> ConsoleOk | None:
    """Return the view of a listener; None for a member who is none."""
    listener = picture.state.listeners.get(member)
    if listener is None:
        return None
    rules = picture.rules
    pause = rest_rules.pause_of(listener, picture.now, rules)
    live = [each for each in picture.sessions.get(member, ()) if each.is_live]
    ended = [each for each in picture.sessions.get(member, ()) if not each.is_live]
    suggested = picture.asked.get(member)
    oldest = min((each.asked_at for each in picture.queue), default=None)
    return ConsoleOk(
        version=0,
        state=rest_rules.state_of(picture.state, listener, picture.now, rules).value,
        wants=listener.wants,
        profile=_profile(listener),
        most_cap=rules.most_cap,
        languages=picture.languages,
        topics=picture.topics,
        today=rest_rules.taken_today(listener, picture.now),
        day_cap=rules.sessions_a_day,
        week=rest_rules.taken_this_week(listener, picture.now),
        week_cap=rules.sessions_a_week,
        waiting=len(picture.queue),
        pause=None if pause is None else pause[0],
        paused_until=None if pause is None else pause[1],
        lease_until=Millis(listener.active_at + rules.lease) if listener.wants else None,
        oldest_asked_at=oldest,
        owes=listener.owes,
        proposal=None if suggested is None else _proposal(picture, suggested),
        invitations=tuple(
            _session(picture, each, member)
            for each in picture.state.sessions.values()
            if each.is_live and each.asked is not None and each.asked.listener == member and each.asked.agreed
        ),
        sessions=tuple(_session(picture, each, member) for each in (*live, *ended)),
        colleagues=tuple(
            Colleague(
                id=picture.aliases.of(colleagues_of(member), each.member, 0),
                name=each.name,
                free=each.member in picture.free,
            )
            for each in sorted(picture.listening, key=lambda each: each.name)
            if each.member != member
        ),
        left=tuple(_left(picture, each, each.left[member]) for each in picture.left.get(member, ())),
    )


def hosting(picture: Picture, member: MemberId) -> HostingOk:
    """Return the view of somebody who keeps company with seekers who wait, or might."""
    return company_views.hosting(
        picture.state, member, picture.aliases, len(picture.queue), picture.languages, picture.now, picture.rules
    )


def declines(picture: Picture) -> tuple[DeclinesView, ...]:
    """Returns what supervisors see of listeners who declined proposals lately, or let them pass."""
    now, rules = picture.now, picture.rules
    found = [
        DeclinesView(
            listener=Person(each.member, each.name),
            hour=rest_rules.declined_within(each, rest_rules.HOUR, now),
            hour_cap=rules.declines_an_hour,
            day=rest_rules.declined_within(each, rest_rules.DAY, now),
            sessions=rest_rules.taken_today(each, now),
        )
        for each in picture.state.listeners.values()
    ]
    return tuple(sorted((each for each in found if each.day), key=lambda each: (-each.day, each.listener.name)))


def is_same(view: View, before: View) -> bool:
    """Return whether a view shows nothing new to a connection that was shown `before`."""
    return msgspec.structs.replace(before, version=view.version) == view


def push(view: View) -> StandingPush | ConsolePush | HostingPush:
    """Return a view as it is pushed."""
    fields = {name: getattr(view, name) for name in view.__struct_fields__}
    if isinstance(view, HostingOk):
        return HostingPush(**fields)
    return StandingPush(**fields) if isinstance(view, StandingOk) else ConsolePush(**fields)


def _waiting(picture: Picture, view: StandingOk, seeker: Seeker) -> StandingOk:
    place = picture.places.get(seeker.member)
    seconds, samples = (None, 0) if place is None else picture.pace.estimate(place)
    rest = 0 if seeker.rests_until is None else max(0, seeker.rests_until - picture.now) / 1000
    if not picture.prospects.can_tell(seeker) or (seeker.had and not _is_next(picture, place)):
        # Whoever asks behind others cannot be told how many of them are still to come.
        seconds = None
    elif seconds is not None:
        seconds = max(seconds, round(rest))
    state, company = picture.state, picture.companies.get(seeker.member)
    has_seat = company is not None and company.host != seeker.member
    can_sit = seeker.lapsed_at is None and not has_seat
    return msgspec.structs.replace(
        view,
        place=place,
        asked_at=seeker.asked_at,
        estimate_seconds=None if seconds is None else _coarse(seconds),
        estimate_from=samples,
        being_asked=seeker.proposal is not None,
        is_first=seeker.is_first or seeker.is_referred,
        lapsed_at=seeker.lapsed_at,
        after_others=seeker.had > 0 and not (seeker.is_first or seeker.is_referred),
        company=company_views.company(state, company, seeker.member, picture.aliases, picture.rules)
        if company is not None and has_seat
        else None,
        offer=company_views.offer(state, seeker, seconds, picture.held, picture.now, picture.rules)
        if can_sit
        else None,
        gone_at=None if seeker.lapsed_at is None else Millis(seeker.lapsed_at + picture.rules.grace),
    )


def _is_next(picture: Picture, place: int | None) -> bool:
    """Return whether a listener is free for somebody at this place."""
    return place is not None and place <= len(picture.free)


def _session(picture: Picture, session: Session, me: MemberId) -> SessionView:
    rules, is_listener = picture.rules, me != session.seeker
    return SessionView(
        id=session.id,
        room=room_of_session(session.id),
        people=tuple(_person(picture, session, member) for member in session.people),
        me=_alias(picture, session, me),
        started_at=session.started_at,
        ends_at=session.ends_at,
        # Every post moves it, and writing; it is told in steps, or each would be news.
        idle_at=Millis((session.quiet_since(rules) + rules.idle) // _IDLE_COARSE * _IDLE_COARSE),
        can_extend=session.is_live and session.ends_at + rules.extension <= session.started_at + rules.longest,
        extension_minutes=rules.extension // 60_000,
        extend=tuple(sorted(_alias(picture, session, each) for each in session.extend_by)),
        invitation=_invitation(picture, session, session.asked),
        why=session.why if is_listener else (),
        flagged=session.flagged and is_listener,
        heavy=session.wish.heavy if is_listener else None,
        need=session.wish.need,
        topics=session.wish.topics,
        ended_at=session.ended_at,
        ending=_ending(session, me),
        forget_at=session.forget_at,
        again=me in session.again,
        hides=any(picture.hides(me, each) for each in session.people if each != me),
        # Only the seeker learns that both said it, and only after saying it too: nobody is asked by another's wish.
        again_both=not is_listener and me in session.again and bool(session.again.intersection(session.listeners)),
        nobody_at=Millis(session.started_at + rules.nobody_after)
        if is_listener and session.is_live and not session.spoken
        else None,
        heard=None if is_listener else session.heard,
        heavy_after=None if is_listener else session.heavy_after,
    )


def proposed_to(listener: MemberId) -> str:
    """Returns the scope of the ids of what is proposed to a listener. One says nothing of who waits, and is another
    when they are proposed again."""
    return f"proposed to {listener}"


def colleagues_of(listener: MemberId) -> str:
    """Returns the scope of the ids by which a listener knows the others who listen."""
    return f"colleagues of {listener}"


def _alias(picture: Picture, session: Session, member: MemberId) -> MemberId:
    return picture.aliases.in_room(room_of_session(session.id), member, 0)


def _person(picture: Picture, session: Session, member: MemberId) -> SessionPerson:
    return SessionPerson(
        id=_alias(picture, session, member),
        name=session.seeker_name if member == session.seeker else session.names.get(member, ""),
        role="seeker" if member == session.seeker else "listener",
        gone_since=session.gone.get(member),
    )


def _left(picture: Picture, session: Session, left: Left) -> LeftSession:
    return LeftSession(
        id=session.id,
        seeker=SessionPerson(id=_alias(picture, session, session.seeker), name=session.seeker_name, role="seeker"),
        started_at=session.started_at,
        left_at=left.at,
        flagged=left.flagged,
    )


def _invitation(picture: Picture, session: Session, asked: Asked | None) -> InvitationView | None:
    if asked is None or not session.is_live:
        return None
    listener = picture.state.listeners.get(asked.listener)
    name = session.names.get(asked.listener, "") if listener is None else listener.name
    person = SessionPerson(id=_alias(picture, session, asked.listener), name=name, role="listener")
    return InvitationView(
        listener=person, handover=asked.is_handover, waits_for="listener" if asked.agreed else "seeker"
    )


def _ending(session: Session, me: MemberId) -> Literal["you", "other", "length", "idle", "gone", "staff"] | None:
    if session.ending is None:
        return None
    is_seeker = me == session.seeker
    match session.ending:
        case Ending.SEEKER:
            return "you" if is_seeker else "other"
        case Ending.LISTENER:
            return "other" if is_seeker else "you"
        case Ending.LENGTH:
            return "length"
        case Ending.IDLE:
            return "idle"
        case Ending.NOBODY:
            # To the seeker it was quiet, which is true, and accuses them of nothing.
            return "idle" if is_seeker else "you"
        case Ending.LISTENER_GONE | Ending.SEEKER_GONE:
            return "gone"
        case Ending.BLOCKED:
            # Who was blocked is told only that it is over, and so is, for the same reason, who blocked.
            return "other"
        case Ending.STAFF | Ending.ERASED:
            return "staff"


def _proposal(picture: Picture, seeker: Seeker) -> ProposalView:
    proposal = seeker.proposal
    assert proposal is not None
    wish = seeker.wish
    return ProposalView(
        id=picture.aliases.of(proposed_to(proposal.listener), seeker.member, proposal.deadline),
        asked_at=seeker.asked_at,
        deadline=proposal.deadline,
        topics=wish.topics,
        need=wish.need,
        language=wish.language,
        minutes=wish.minutes,
        heavy=wish.heavy,
        why=proposal.why,
        came_back=seeker.is_first,
        quiet=seeker.is_quiet,
    )


def _profile(listener: Listener) -> ProfileView:
    profile = listener.profile
    return ProfileView(
        languages=profile.languages,
        traits=profile.traits,
        lived=profile.lived,
        not_topics=profile.not_topics,
        needs=profile.needs,
        most_minutes=profile.most_minutes,
        cap=profile.cap,
        openings=profile.openings,
    )


def _newest(sessions: Iterable[Session]) -> Session | None:
    return max(sessions, key=lambda each: (each.is_live, each.started_at), default=None)


def _coarse(seconds: float) -> int:
    return max(_COARSE_SECONDS, round(seconds / _COARSE_SECONDS) * _COARSE_SECONDS)
