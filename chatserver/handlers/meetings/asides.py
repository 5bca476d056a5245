"""The commands of asides: a host offers somebody a listener now, and they answer.

The queue is asked first and the meeting after it, each in a transaction of its own. If this worker dies between them,
the head of the queue is kept for a few minutes for somebody who was not told; and somebody who said yes waits already,
and is shown the offer until it is over.
"""

from __future__ import annotations

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import Person
from chatserver.domain.listening import commands as listening
from chatserver.domain.listening.state import Wish
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings.decide import decide
from chatserver.domain.meetings.state import room_of_meeting
from chatserver.handlers.answer import Answer
from chatserver.handlers.connection import Connection
from chatserver.handlers.meetings.service import MeetingService
from chatserver.handlers.people import aliases
from chatserver.protocol.fields import DoneOk
from chatserver.protocol.meetings import messages as m


async def aside(meetings: MeetingService, connection: Connection, person: Person, command: m.AsideCommand) -> Answer:
    """Offer somebody, alone, the head of the queue of listeners."""
    member = aliases.in_room(meetings.node, room_of_meeting(command.meeting), command.member)
    asked = c.Aside(member=member)
    found = await meetings.picture(command.meeting)
    before = decide(found, c.ApplyDue(), person.id, meetings.now())
    # Refused before anything is kept for them; and nothing to do where the offer stands already.
    if decide(found, asked, person.id, meetings.now()).meeting == before.meeting:
        return Answer(DoneOk())
    queue = meetings.listening
    try:
        await queue.do(person.id, listening.OfferFirst(member=member, is_open=queue.is_open))
    except Refusal as refusal:
        if refusal.reason is Reason.LISTENING_CLOSED:
            raise Refusal(refusal.reason, details={"opens_at": queue.opens_at}) from None
        raise
    await meetings.do(person.id, command.meeting, asked)
    return Answer(DoneOk())


async def answer_aside(
    meetings: MeetingService, connection: Connection, person: Person, command: m.AnswerAsideCommand
) -> Answer:
    """Answer such an offer; with a yes, ask for a listener."""
    queue, answer = meetings.listening, c.AnswerAside(yes=command.yes)
    waits = queue.state.seekers.get(person.id)
    if not command.yes or (waits is not None and waits.is_referred):
        # Who asked already, with a wish of their own, keeps it. Sent again, it is answered as before.
        await meetings.do(person.id, command.meeting, c.AnswerAside(yes=False))
        return Answer(DoneOk())
    if not command.agreement:
        raise Refusal(Reason.AGREEMENT_REQUIRED)
    decide(await meetings.picture(command.meeting), answer, person.id, meetings.now())
    await queue.do(person.id, await _ask(meetings, connection, person))
    await meetings.do(person.id, command.meeting, c.AnswerAside(yes=False))
    return Answer(DoneOk())


async def _ask(meetings: MeetingService, connection: Connection, person: Person) -> listening.Ask:
    queue = meetings.listening
    waits = queue.state.seekers.get(person.id)
    networks = tuple(key.hex() for key in connection.networks if key)
    return listening.Ask(
        name=person.name,
        wish=Wish(language=queue.languages[0]) if waits is None else waits.wish,
        avoid=await meetings.node.store.blocked_with(person.id),
        is_open=queue.is_open,
        network=networks[0] if networks else "",
        around=networks[1:],
        allowance=connection.share,
    )
