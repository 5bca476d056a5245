"""The one way in which the listening state changes: a command or the passing of time becomes events and effects; events
become the next state.

Pure: time and ids arrive as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, assert_never

from msgspec.structs import replace

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening import company_rules, fair_shares, referrals, session_followup, sessions
from chatserver.domain.listening.changes import Changes
from chatserver.domain.listening.commands import (
    Accept,
    AnswerAskIn,
    ApplyDue,
    Ask,
    AskIn,
    Block,
    Decided,
    Decline,
    Dismiss,
    EndSession,
    ExpelFromRoom,
    Extend,
    Flag,
    GiveFeedback,
    GiveUpPlace,
    Hire,
    KeepApart,
    KeepDebrief,
    ListenerLeft,
    ListenerSet,
    ListeningAction,
    ListeningEvent,
    MarkReady,
    OfferFirst,
    Renamed,
    ReportSession,
    SayNobody,
    SeekerLeft,
    SeekerSet,
    SessionForgotten,
    SessionSet,
    SetAvailable,
    SetProfile,
    ShareForgotten,
    ShareSet,
    Spoke,
    StepOut,
    StillHere,
    TakePlaceBack,
    TakeWords,
    TalkAgain,
    Typed,
    WriteDebrief,
)
from chatserver.domain.listening.company_commands import (
    CompanyForgotten,
    CompanySet,
    HostLeft,
    HostSet,
    KeepCompany,
    LeaveCompany,
    SitDown,
    StandUp,
    WaitAlone,
)
from chatserver.domain.listening.matching import may_meet
from chatserver.domain.listening.rest_rules import declining, pause_of
from chatserver.domain.listening.state import Ending, Listener, ListeningRules, ListeningState, Seeker, SessionId, Wish
from chatserver.domain.listening.timers import apply_due_changes, next_due, refused

_DOING: Final = 15_000
"""Milliseconds after which a listener's activity is noted again: so a command that is sent again changes nothing."""

_Rule = Callable[[Changes, Any, MemberId, Millis, ListeningRules], SessionId | None]


def decide(
    state: ListeningState, command: ListeningAction, who: MemberId, now: Millis, rules: ListeningRules
) -> Decided:
    """Answer a command. Raises Refusal. No events means that its result already held. `who` is the member who asks; it
    is ignored for commands of the service itself."""
    changes = Changes(state)
    return changes.decided(_decide(changes, command, who, now, rules))


def apply_due(state: ListeningState, now: Millis, rules: ListeningRules) -> Decided:
    """Return what time and fairness demand. Applying it again at the same moment changes nothing."""
    changes = Changes(state)
    apply_due_changes(changes, now, rules)
    return changes.decided()


def decide_and_apply_due(
    state: ListeningState, command: ListeningAction, who: MemberId, now: Millis, rules: ListeningRules
) -> Decided:
    """Do both, as one commit. Raises the command's Refusal; then nothing that is due is applied either."""
    changes = Changes(state)
    session = _decide(changes, command, who, now, rules)
    apply_due_changes(changes, now, rules)
    return changes.decided(session)


def due_at(state: ListeningState, now: Millis, rules: ListeningRules) -> Millis | None:
    """Return when `apply_due` would next change anything, as far as the state says now; None for never. At or before
    `now` if it would change something already."""
    return next_due(state, now, rules)


def evolve(state: ListeningState, event: ListeningEvent) -> ListeningState:
    """Return the state after an event. Never refuses; the same event twice changes nothing. The version is the
    store's."""
    return evolve_all(state, (event,))


def evolve_all(state: ListeningState, events: Iterable[ListeningEvent]) -> ListeningState:
    """Return the state after many events, with one copy of what they change."""
    changes = Changes(state)
    for event in events:
        match event:
            case SeekerSet(seeker=seeker):
                changes.set_seeker(seeker)
            case SeekerLeft(member=member):
                changes.drop_seeker(member)
            case ListenerSet(listener=listener):
                changes.set_listener(listener)
            case ListenerLeft(member=member):
                changes.drop_listener(member)
            case SessionSet(session=session):
                changes.set_session(session)
            case SessionForgotten(session=session_id):
                changes.drop_session(session_id)
            case ShareSet(share=share):
                changes.set_share(share)
            case ShareForgotten(share=share_id):
                changes.drop_share(share_id)
            case CompanySet(company=company):
                changes.set_company(company)
            case CompanyForgotten(company=company_id):
                changes.drop_company(company_id)
            case HostSet(host=host):
                changes.set_host(host)
            case HostLeft(member=member):
                changes.drop_host(member)
            case _:
                assert_never(event)
    return changes.state


def _decide(
    changes: Changes, command: ListeningAction, who: MemberId, now: Millis, rules: ListeningRules
) -> SessionId | None:
    return _RULES[type(command)](changes, command, who, now, rules)


# ------------------------------------------------------------------------------------------------ seekers


def _ask(changes: Changes, command: Ask, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    seeker = changes.state.seekers.get(who)
    wish = _possible(changes.state, command.wish)
    if seeker is None:
        if not command.is_open:
            raise Refusal(Reason.LISTENING_CLOSED)
        seeker = _new_seeker(changes.state, command, who, wish, now, rules)
    elif seeker.session is not None:
        raise Refusal(Reason.IN_SESSION)
    is_referred = seeker.is_referred or referrals.is_offered(changes.state, who, now)
    changed = replace(seeker, name=command.name, wish=wish, avoid=seeker.avoid | command.avoid, is_referred=is_referred)
    changed = _back(changed, now)
    if changed.proposal is not None:
        listener = changes.state.listeners.get(changed.proposal.listener)
        if listener is None or not may_meet(changed, listener):
            # A changed wish withdraws the present proposal, as leaving does.
            changed = _withdrawn(changes, changed, command, now, rules)
    changes.set_seeker(changed)


def _new_seeker(
    state: ListeningState, command: Ask, who: MemberId, wish: Wish, now: Millis, rules: ListeningRules
) -> Seeker:
    networks = (command.network, *command.around) if command.network else ()
    fair_shares.require(state, who, networks, command.allowance, now, rules)
    rests_until = fair_shares.rests_until(state, who, networks, command.allowance, rules)
    return Seeker(
        member=who,
        name=command.name,
        asked_at=now,
        wish=wish,
        seen_at=now,
        avoid=command.avoid,
        had=fair_shares.had(state, who, now, rules),
        rests_until=None if rests_until is None or rests_until <= now else rests_until,
        is_quiet=rests_until is not None,
        network=command.network,
        around=command.around,
    )


def _offer_first(changes: Changes, command: OfferFirst, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    if not command.is_open:
        raise Refusal(Reason.LISTENING_CLOSED)
    referrals.offer(changes, command.member, now)


def _withdrawn(changes: Changes, seeker: Seeker, command: Ask, now: Millis, rules: ListeningRules) -> Seeker:
    fair_shares.withdrew(changes, seeker, now)
    rests_until = fair_shares.rests_until(changes.state, seeker.member, seeker.networks, command.allowance, rules)
    return replace(seeker, proposal=None, rests_until=rests_until, is_quiet=True)


def _withdraw(changes: Changes, command: GiveUpPlace, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    seeker = changes.state.seekers.get(who)
    if seeker is not None and seeker.session is None:
        if seeker.proposal is not None:
            fair_shares.withdrew(changes, seeker, now)
        changes.drop_seeker(who)


def _take_place_back(
    changes: Changes, command: TakePlaceBack, who: MemberId, now: Millis, rules: ListeningRules
) -> None:
    seeker = changes.state.seekers.get(who)
    if seeker is None:
        raise Refusal(Reason.PLACE_GONE)
    if seeker.lapsed_at is not None:
        changes.set_seeker(_back(seeker, now))


def _back(seeker: Seeker, now: Millis) -> Seeker:
    """Return a seeker who is here again, because they sent something."""
    if seeker.lapsed_at is None:
        return seeker
    return replace(seeker, lapsed_at=None, seen_at=Millis(max(seeker.seen_at, now)))


def _possible(state: ListeningState, wish: Wish) -> Wish:
    """Return a wish that can be met: nobody waits for one listener only who no longer listens here."""
    return wish if wish.member is None or wish.member in state.listeners else replace(wish, member=None, only=False)


# ------------------------------------------------------------------------------------------------ listeners


def _set_profile(changes: Changes, command: SetProfile, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    profile = replace(command.profile, cap=max(1, min(command.profile.cap, rules.most_cap)))
    changes.set_listener(_active(replace(changes.own_listener(who), profile=profile), now))


def _set_available(changes: Changes, command: SetAvailable, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    listener = changes.own_listener(who)
    if command.on and listener.ready_at is None:
        raise Refusal(Reason.NOT_READY)
    if command.on and not listener.wants:
        listener = replace(listener, wants=True, wanted_at=now, since=now, ignored=0)
    elif not command.on:
        listener = replace(listener, wants=False, ignored=0)
    changes.set_listener(_active(listener, now))


def _still_here(changes: Changes, command: StillHere, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    changes.set_listener(_active(changes.own_listener(who), now))


def _accept(changes: Changes, command: Accept, who: MemberId, now: Millis, rules: ListeningRules) -> SessionId:
    listener = changes.own_listener(who)
    seeker = changes.state.seekers.get(command.seeker)
    if seeker is None:
        raise Refusal(Reason.PROPOSAL_GONE)
    if seeker.session is not None:
        # If it is sent again, it is the same session.
        if who in changes.state.sessions[seeker.session].listeners:
            return seeker.session
        raise Refusal(Reason.PROPOSAL_GONE)
    is_theirs = seeker.proposal is not None and seeker.proposal.listener == who
    if not is_theirs or command.session in changes.state.sessions or pause_of(listener, now, rules) is not None:
        raise Refusal(Reason.PROPOSAL_GONE)
    sessions.begin(changes, seeker, _active(listener, now), command.session, now, rules)
    return command.session


def _decline(changes: Changes, command: Decline, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    listener = changes.own_listener(who)
    seeker = changes.state.seekers.get(command.seeker)
    if seeker is not None and seeker.proposal is not None and seeker.proposal.listener == who:
        changes.set_seeker(refused(seeker, now))
        changes.set_listener(_active(declining(replace(listener, ignored=0), now), now))


def _mark_ready(changes: Changes, command: MarkReady, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    listener = changes.own_listener(who)
    if listener.ready_at is None:
        changes.set_listener(_active(replace(listener, ready_at=now), now))


def _debrief(changes: Changes, command: WriteDebrief, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    listener = changes.own_listener(who)
    if listener.owes is None or listener.owes != command.session:
        raise Refusal(Reason.SESSION_UNKNOWN)
    changes.set_listener(_active(replace(listener, owes=None, since=now), now))
    changes.effects.append(KeepDebrief(listener=who, note=command.note, at=now, session=command.session))


def _active(listener: Listener, now: Millis) -> Listener:
    """Return a listener who just did something. Noted coarsely: a command that is sent again changes nothing."""
    if now - listener.active_at < _DOING:
        return listener
    return replace(listener, active_at=now, seen_at=Millis(max(listener.seen_at, now)))


# ------------------------------------------------------------------------------------------------ the service itself


def _apply_due(changes: Changes, command: ApplyDue, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    """Do nothing more: what time demands follows every command."""


def _hire(changes: Changes, command: Hire, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    person = command.person
    if person.id not in changes.state.listeners:
        changes.set_listener(Listener(member=person.id, name=person.name, since=now))
    _rename(changes, person)


def _dismiss(changes: Changes, command: Dismiss, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    """Remove a member as if they had vanished, at once. Of an erased member nothing is left but that they were
    there."""
    member = command.member
    ending = Ending.ERASED if command.is_erased else Ending.STAFF
    changes.drop_listener(member)
    for session in [*changes.state.sessions.values()]:
        if not session.is_live:
            continue
        if member in session.listeners:
            sessions.lose_listener(changes, session, member, ending, now, rules)
        elif session.asked is not None and session.asked.listener == member:
            changes.set_session(replace(session, asked=None))
        elif command.is_erased and session.seeker == member:
            sessions.end(changes, session, ending, now, rules)
    for seeker in [*changes.state.seekers.values()]:
        if seeker.wish.member == member:
            changes.set_seeker(replace(seeker, wish=_possible(changes.state, seeker.wish)))
    if command.is_erased:
        erased = changes.state.seekers.get(member)
        if erased is not None and erased.proposal is not None:
            # Their network's share keeps it; their own share is removed with them.
            fair_shares.withdrew(changes, erased, now)
        changes.drop_seeker(member)
        changes.drop_share(member)
        changes.drop_host(member)
        for session in [*changes.state.sessions.values()]:
            if member in session.people or member in session.names:
                changes.set_session(sessions.without(session, member))


def _step_out(changes: Changes, command: StepOut, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    """Remove a listener as if they had vanished, and from everything that was written, also in sessions that are over.
    The sessions' records stay, or nobody could report the listener any more."""
    member = command.member
    changes.drop_host(member)
    for session in [*changes.state.sessions.values()]:
        if member in session.listeners:
            if session.is_live:
                sessions.lose_listener(changes, session, member, Ending.STAFF, now, rules)
            changes.effects.append(ExpelFromRoom(session=session.id, member=member))
        elif session.is_live and session.asked is not None and session.asked.listener == member:
            changes.set_session(replace(session, asked=None))


def _keep_apart(changes: Changes, command: KeepApart, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    company_rules.keep_apart(changes, who, command.other, now)
    for member, listener in ((who, command.other), (command.other, who)):
        seeker = changes.state.seekers.get(member)
        if seeker is not None and listener in changes.state.listeners:
            changes.set_seeker(replace(seeker, avoid=seeker.avoid | {listener}))


def _renamed(changes: Changes, command: Renamed, who: MemberId, now: Millis, rules: ListeningRules) -> None:
    _rename(changes, command.person)


def _rename(changes: Changes, person: Person) -> None:
    if (listener := changes.state.listeners.get(person.id)) is not None:
        changes.set_listener(replace(listener, name=person.name))
    company_rules.renamed(changes, person.id, person.name)
    if (seeker := changes.state.seekers.get(person.id)) is not None:
        changes.set_seeker(replace(seeker, name=person.name))
    for session in [*changes.state.sessions.values()]:
        if session.seeker == person.id:
            changes.set_session(replace(session, seeker_name=person.name))
        elif person.id in session.names:
            changes.set_session(replace(session, names={**session.names, person.id: person.name}))


_RULES: Final[dict[type[ListeningAction], _Rule]] = {
    Ask: _ask,
    OfferFirst: _offer_first,
    GiveUpPlace: _withdraw,
    TakePlaceBack: _take_place_back,
    GiveFeedback: session_followup.give_feedback,
    SetProfile: _set_profile,
    SetAvailable: _set_available,
    StillHere: _still_here,
    Accept: _accept,
    Decline: _decline,
    SayNobody: sessions.say_nobody,
    MarkReady: _mark_ready,
    WriteDebrief: _debrief,
    EndSession: sessions.end_session,
    Extend: sessions.extend,
    TalkAgain: session_followup.talk_again,
    TakeWords: session_followup.take_words,
    Flag: sessions.flag,
    AskIn: sessions.ask_in,
    AnswerAskIn: sessions.answer_ask_in,
    Block: sessions.block,
    ReportSession: sessions.report,
    Spoke: sessions.spoke,
    Typed: sessions.typed,
    KeepCompany: company_rules.keep_company,
    LeaveCompany: company_rules.leave_company,
    SitDown: company_rules.sit_down,
    StandUp: company_rules.stand_up,
    WaitAlone: company_rules.wait_alone,
    ApplyDue: _apply_due,
    Hire: _hire,
    Dismiss: _dismiss,
    StepOut: _step_out,
    KeepApart: _keep_apart,
    Renamed: _renamed,
}
