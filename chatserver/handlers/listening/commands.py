"""The commands of one-to-one listening: of seekers, of listeners, and of both within a session."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable, Mapping
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.listening import commands as actions
from chatserver.domain.listening import fair_shares, training
from chatserver.domain.listening.commands import ListeningAction
from chatserver.domain.listening.state import Profile, Session, SessionId, Wish, room_of_session
from chatserver.domain.text.cleaning import clean_text
from chatserver.handlers.answer import Answer
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.listening import views
from chatserver.handlers.listening.service import ListeningService
from chatserver.handlers.people import aliases
from chatserver.handlers.people.members import hiding_changed
from chatserver.protocol.fields import Command, DoneOk
from chatserver.protocol.listening.messages import (
    AcceptProposal,
    AnswerCheck,
    AnswerInvitation,
    AskConsole,
    AskForListener,
    AskPractice,
    AskStanding,
    BeAvailable,
    BlockPerson,
    ChangeProfile,
    DebriefNote,
    DeclineProposal,
    EndTalk,
    ExtendTalk,
    Feedback,
    FlagTalk,
    Invite,
    LeaveQueue,
    MakeWords,
    ReportPerson,
    SayNobody,
    StillThere,
    TakeBack,
    TalkAgainCommand,
)
from chatserver.protocol.listening.views import CheckOk, PracticeOk, QuestionView, SceneLine, SceneView, TalkOk, WordsOk

NOTE_LENGTH = 2_000
"""Characters of a report's or a debrief's note."""

# --------------------------------------------------------------------------------------------------------- seekers


async def standing(listening: ListeningService, connection: Connection, person: Person, command: AskStanding) -> Answer:
    """Answer with the seeker's view, and push it from now on whenever it changes."""
    await listening.arrived(person.id)
    return Answer(listening.watch(connection, "standing"))


async def ask(listening: ListeningService, connection: Connection, person: Person, command: AskForListener) -> Answer:
    """Take a place in the queue."""
    if not command.agreement:
        raise Refusal(Reason.AGREEMENT_REQUIRED)
    networks = tuple(key.hex() for key in connection.networks if key)
    if person.id not in listening.state.seekers:
        # As the store will say: asking again and again must not hold the lock of the state.
        fair_shares.require(listening.state, person.id, networks, connection.share, listening.now(), listening.rules)
    wanted: MemberId | None = None
    if command.words is not None and command.words.strip():
        # Each try costs a core a moment, and is a guess.
        await connection.address_limits.admit_words()
        wanted = await listening.identities.listener_of_words(command.words)
    language = listening.languages[0] if command.language is None else command.language.lower()
    _require_known("language", (language,), listening.languages)
    wish = Wish(
        topics=_topics(listening, "topics", command.topics),
        need=command.need,
        language=language,
        minutes=command.minutes,
        not_with=command.not_with,
        rather_with=command.rather_with,
        heavy=command.heavy,
        member=wanted,
        only=command.only and wanted is not None,
    )
    avoid = await listening.node.store.blocked_with(person.id)
    wanted_place = actions.Ask(
        name=person.name,
        wish=wish,
        avoid=avoid,
        is_open=listening.is_open,
        network=networks[0] if networks else "",
        around=networks[1:],
        allowance=connection.share,
    )
    try:
        await listening.do(person.id, wanted_place)
    except Refusal as refusal:
        if refusal.reason is Reason.LISTENING_CLOSED:
            raise Refusal(refusal.reason, details={"opens_at": listening.opens_at}) from None
        raise
    return Answer(listening.watch(connection, "standing"))


async def leave_queue(
    listening: ListeningService, connection: Connection, person: Person, command: LeaveQueue
) -> Answer:
    await listening.do(person.id, actions.GiveUpPlace())
    return Answer(listening.watch(connection, "standing"))


async def take_back(listening: ListeningService, connection: Connection, person: Person, command: TakeBack) -> Answer:
    await listening.do(person.id, actions.TakePlaceBack())
    return Answer(listening.watch(connection, "standing"))


async def feedback(listening: ListeningService, connection: Connection, person: Person, command: Feedback) -> Answer:
    return await _done(
        listening,
        person,
        actions.GiveFeedback(session=command.session, heard=command.heard, heavy=command.heavy),
    )


async def words(listening: ListeningService, connection: Connection, person: Person, command: MakeWords) -> Answer:
    """Make come-back words for a session whose members both want to meet again. They are hashed before it is known
    whether these members may have them, because hashing takes a moment."""
    _require_session(listening, command.session, person)
    phrase, hashed = await listening.identities.make_words()
    await listening.do(person.id, actions.TakeWords(session=command.session, words_hash=hashed))
    return Answer(WordsOk(words=phrase, expires_at=listening.words_expire_at()))


# ----------------------------------------------------------------------------------------------------- either side


async def end(listening: ListeningService, connection: Connection, person: Person, command: EndTalk) -> Answer:
    return await _done(listening, person, actions.EndSession(session=command.session))


async def extend(listening: ListeningService, connection: Connection, person: Person, command: ExtendTalk) -> Answer:
    return await _done(listening, person, actions.Extend(session=command.session, on=command.on))


async def again(
    listening: ListeningService, connection: Connection, person: Person, command: TalkAgainCommand
) -> Answer:
    return await _done(listening, person, actions.TalkAgain(session=command.session, on=command.on))


async def block(listening: ListeningService, connection: Connection, person: Person, command: BlockPerson) -> Answer:
    """End a session, hide the other person in rooms too, and never propose these two to each other again."""
    session = _require_session(listening, command.session, person)
    others = [each for each in session.people if each != person.id] if person.id == session.seeker else [session.seeker]
    for other in others:
        # Before it ends, so that nobody asks in between. However many they hide already, this is not refused.
        known = await listening.node.store.member(other)
        await listening.node.store.set_mute(
            person.id, other, True, sys.maxsize, 0 if known is None else known.generation
        )
        await hiding_changed(listening.node, person.id, other)
    await listening.do(person.id, actions.Block(session=command.session))
    return Answer(DoneOk())


async def report(listening: ListeningService, connection: Connection, person: Person, command: ReportPerson) -> Answer:
    """Report a session to the moderators. A listener's silent call is never refused for the number of reports before
    it."""
    session = listening.state.sessions.get(command.session)
    if not (command.call and session is not None and person.id in session.listeners):
        await listening.node.store.require_report(person.id, listening.node.now())
    return await _done(
        listening,
        person,
        actions.ReportSession(
            session=command.session,
            reason=command.reason,
            note=_note(command.note),
            is_call=command.call,
            about=None if command.about is None else aliases.in_session(listening.node, command.session, command.about),
        ),
    )


async def answer_invitation(
    listening: ListeningService, connection: Connection, person: Person, command: AnswerInvitation
) -> Answer:
    return await _done(listening, person, actions.AnswerAskIn(session=command.session, yes=command.yes))


# ------------------------------------------------------------------------------------------------------- listeners


async def console(listening: ListeningService, connection: Connection, person: Person, command: AskConsole) -> Answer:
    """Answer with the listener's view, and push it from now on whenever it changes."""
    await _enter(listening, person)
    await listening.arrived(person.id)
    return Answer(listening.watch(connection, "console"))


async def profile(
    listening: ListeningService, connection: Connection, person: Person, command: ChangeProfile
) -> Answer:
    await _enter(listening, person)
    listener = listening.state.listeners.get(person.id)
    # What stood there before may stay, whatever the operator has changed since.
    kept = () if listener is None else listener.profile.languages
    languages = tuple(language.lower() for language in command.languages)
    _require_known("languages", languages, (*listening.languages, *kept))
    return await _done(
        listening,
        person,
        actions.SetProfile(
            profile=Profile(
                languages=languages,
                traits=command.traits,
                lived=_topics(listening, "lived", command.lived),
                not_topics=_topics(listening, "not_topics", command.not_topics),
                needs=command.needs,
                most_minutes=command.most_minutes,
                cap=command.cap,
                openings=tuple(text for text in map(clean_text, command.openings) if text),
            )
        ),
    )


async def available(
    listening: ListeningService, connection: Connection, person: Person, command: BeAvailable
) -> Answer:
    await _enter(listening, person)
    return await _done(listening, person, actions.SetAvailable(on=command.on))


async def still_here(
    listening: ListeningService, connection: Connection, person: Person, command: StillThere
) -> Answer:
    await _enter(listening, person)
    return await _done(listening, person, actions.StillHere())


async def accept(
    listening: ListeningService, connection: Connection, person: Person, command: AcceptProposal
) -> Answer:
    """Accept a proposal. Accepting the same one twice leads to the same session."""
    new = listening.identities.new_session_id()
    seeker = _proposed(listening, person, command.proposal)
    waits = listening.state.seekers.get(seeker)
    committed = await listening.do(person.id, actions.Accept(seeker=seeker, session=new))
    assert committed.session is not None
    if committed.session == new and waits is not None and waits.is_referred:
        listening.node.metrics.floor_referred.inc()
    return Answer(TalkOk(session=committed.session, room=room_of_session(committed.session)))


async def decline(
    listening: ListeningService, connection: Connection, person: Person, command: DeclineProposal
) -> Answer:
    return await _done(listening, person, actions.Decline(seeker=_proposed(listening, person, command.proposal)))


async def nobody(listening: ListeningService, connection: Connection, person: Person, command: SayNobody) -> Answer:
    """End a session to which the seeker did not come."""
    return await _done(listening, person, actions.SayNobody(session=command.session))


async def flag(listening: ListeningService, connection: Connection, person: Person, command: FlagTalk) -> Answer:
    return await _done(listening, person, actions.Flag(session=command.session, on=command.on))


async def invite(listening: ListeningService, connection: Connection, person: Person, command: Invite) -> Answer:
    colleague = listening.node.aliases.open(views.colleagues_of(person.id), command.listener)
    if colleague is None:
        raise Refusal(Reason.LISTENER_BUSY)
    wanted = actions.AskIn(session=command.session, listener=colleague.member, is_handover=command.handover)
    return await _done(listening, person, wanted)


async def debrief(listening: ListeningService, connection: Connection, person: Person, command: DebriefNote) -> Answer:
    note = _note(command.note)
    if not note:
        raise Refusal(Reason.TEXT_EMPTY)
    return await _done(listening, person, actions.WriteDebrief(session=command.session, note=note))


async def practise(listening: ListeningService, connection: Connection, person: Person, command: AskPractice) -> Answer:
    scenes = tuple(
        SceneView(
            says=scene.says,
            answers=tuple(_line(each) for each in scene.answers),
        )
        for scene in training.SCENES
    )
    questions = tuple(QuestionView(text=each.text, answers=each.answers) for each in training.QUESTIONS)
    return Answer(PracticeOk(scenes=scenes, questions=questions))


async def check(listening: ListeningService, connection: Connection, person: Person, command: AnswerCheck) -> Answer:
    """Take the answers to the readiness check, and mark a listener as ready whose answers are all right."""
    to_think_about = training.check(command.answers)
    if not to_think_about:
        await _enter(listening, person)
        await listening.do(person.id, actions.MarkReady())
    return Answer(CheckOk(passed=not to_think_about, again=to_think_about))


# ----------------------------------------------------------------------------------------------------------- parts


async def _enter(listening: ListeningService, person: Person) -> None:
    """Add a listener to the listening state, if they are not in it yet, whatever command they give first."""
    if person.id not in listening.state.listeners:
        await listening.do(person.id, actions.Hire(person=person))


async def _done(listening: ListeningService, person: Person, command: ListeningAction) -> Answer:
    await listening.do(person.id, command)
    return Answer(DoneOk())


def _proposed(listening: ListeningService, person: Person, proposal: str) -> MemberId:
    """Return the seeker behind a proposal to this listener. Raises PROPOSAL_GONE for one that was never made to
    them."""
    named = listening.node.aliases.open(views.proposed_to(person.id), proposal)
    if named is None:
        raise Refusal(Reason.PROPOSAL_GONE)
    return named.member


def _line(answer: training.TrainingAnswer) -> SceneLine:
    return SceneLine(
        text=answer.text, reply=answer.reply, advice=answer.advice, is_good=answer.is_good, next=answer.next_scene
    )


def _require_session(listening: ListeningService, session: SessionId, person: Person) -> Session:
    found = listening.state.sessions.get(session)
    if found is None or person.id not in found.people:
        raise Refusal(Reason.SESSION_UNKNOWN)
    return found


def _topics(listening: ListeningService, field: str, asked: tuple[str, ...]) -> tuple[str, ...]:
    """Return topics in the lobby's order. Raises INVALID for a topic that is no room. A room that has closed since it
    was offered is accepted: a listener can still know its theme."""
    _require_known(field, asked, listening.node.rooms)
    return tuple(room for room in listening.node.rooms if room in asked)


def _require_known(field: str, asked: Iterable[str], known: Container[str]) -> None:
    """Raise INVALID where a seeker asks for something that no listener here can offer, because they would wait in
    vain."""
    if not all(each in known for each in asked):
        raise Refusal(Reason.INVALID, details={"field": f"$.{field}", "problem": "not one that can be chosen here"})


def _note(text: str) -> str:
    text = clean_text(text)
    if len(text) > NOTE_LENGTH:
        raise Refusal(Reason.TEXT_TOO_LONG, details={"limit": NOTE_LENGTH})
    return text


COMMANDS: Final[Mapping[type[Command], Handler]] = {
    AskStanding: standing,
    AskForListener: ask,
    LeaveQueue: leave_queue,
    TakeBack: take_back,
    Feedback: feedback,
    EndTalk: end,
    ExtendTalk: extend,
    TalkAgainCommand: again,
    MakeWords: words,
    BlockPerson: block,
    ReportPerson: report,
    AnswerInvitation: answer_invitation,
    AskConsole: console,
    ChangeProfile: profile,
    BeAvailable: available,
    StillThere: still_here,
    AcceptProposal: accept,
    DeclineProposal: decline,
    SayNobody: nobody,
    FlagTalk: flag,
    Invite: invite,
    DebriefNote: debrief,
    AskPractice: practise,
    AnswerCheck: check,
}
"""The commands of one-to-one listening. Their context is a `ListeningService`."""
