"""The commands of the exchange. Those that end one, or look back at one, work where it is off, too."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.exchange import decide as d
from chatserver.domain.exchange import practice
from chatserver.domain.exchange.state import Participant, Wish
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.meetings.state import MeetingId
from chatserver.domain.text.cleaning import clean_text
from chatserver.handlers.answer import Answer
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.exchange.service import ExchangeService
from chatserver.handlers.people.members import hiding_changed
from chatserver.protocol.exchange import messages as m
from chatserver.protocol.exchange.views import ExchangeOk, ExchangePracticeOk, ExchangeScene
from chatserver.protocol.fields import Command, DoneOk

NOTE_LENGTH: Final = 2_000
_SCENES: Final = tuple(
    ExchangeScene(title=each.title, says=each.says, answers=each.answers, right=each.right, why=each.why)
    for each in practice.SCENES
)


async def ask_exchange(
    exchange: ExchangeService, connection: Connection, person: Person, command: m.AskExchange
) -> Answer:
    """Answer with the exchange, and push it from now on whenever it changes."""
    exchange.require_enabled()
    await exchange.node.store.see_in_exchange([person.id], exchange.now())
    return _shown(exchange, connection, await exchange.record(person.id))


async def practise(
    exchange: ExchangeService, connection: Connection, person: Person, command: m.PractiseExchange
) -> Answer:
    """Answer with the practice, and note that somebody finished it."""
    exchange.require_enabled()
    if not command.answers:
        who = await exchange.record(person.id)
        return Answer(ExchangePracticeOk(scenes=_SCENES, practised=who.practised_at is not None))
    again = practice.check(command.answers)
    if not again:
        await exchange.do(person.id, d.Practise())
    return Answer(ExchangePracticeOk(scenes=_SCENES, again=again, practised=not again))


async def join(exchange: ExchangeService, connection: Connection, person: Person, command: m.JoinExchange) -> Answer:
    """Take a place in the line."""
    exchange.require_enabled()
    if not command.agreement:
        raise Refusal(Reason.AGREEMENT_REQUIRED)
    language = exchange.languages[0] if command.language is None else command.language.lower()
    _require_known("language", language in exchange.languages)
    rooms = exchange.node.rooms
    _require_known("topics", all(each in rooms for each in command.topics))
    await exchange.require_able(person.id)
    who = await exchange.do(
        person.id,
        d.Join(
            name=person.name,
            wish=Wish(
                minutes=command.minutes,
                language=language,
                heavy=command.heavy,
                topics=tuple(room for room in rooms if room in command.topics),
            ),
            networks=tuple(key.hex() for key in connection.networks if key),
            allowance=connection.share,
        ),
    )
    return _shown(exchange, connection, who)


async def leave(exchange: ExchangeService, connection: Connection, person: Person, command: m.LeaveExchange) -> Answer:
    return _shown(exchange, connection, await exchange.do(person.id, d.Leave()))


async def answer(
    exchange: ExchangeService, connection: Connection, person: Person, command: m.AnswerExchange
) -> Answer:
    """Say yes to somebody who was found, or let it pass."""
    exchange.require_enabled()
    if command.yes:
        await exchange.require_able(person.id)
        await exchange.look_at_other(person.id)
    who = await exchange.do(person.id, d.AnswerOffer(id=command.offer, yes=command.yes))
    return _shown(exchange, connection, who)


async def say_afterwards(
    exchange: ExchangeService, connection: Connection, person: Person, command: m.SayAfterExchange
) -> Answer:
    said = d.SayAfterwards(meeting=command.meeting, heard=command.heard, again=command.again)
    return _shown(exchange, connection, await exchange.do(person.id, said))


async def block(exchange: ExchangeService, connection: Connection, person: Person, command: m.BlockExchange) -> Answer:
    """Hide the other before the exchange ends, so that nobody pairs the two in between."""
    other = await _other(exchange, person.id, command.meeting)
    if other:
        known = await exchange.node.store.member(other)
        # However many they hide already, this is not refused.
        generation = 0 if known is None else known.generation
        await exchange.node.store.set_mute(person.id, other, True, sys.maxsize, generation)
        for part in exchange.node.parts:
            await part.member_hidden(person.id, other)
        await hiding_changed(exchange.node, person.id, other)
    await exchange.step_out(person.id, command.meeting)
    return Answer(DoneOk())


async def report(
    exchange: ExchangeService, connection: Connection, person: Person, command: m.ReportExchange
) -> Answer:
    """Tell the moderators about the other. The exchange goes on unless it is left."""
    note = clean_text(command.note)
    if len(note) > NOTE_LENGTH:
        raise Refusal(Reason.TEXT_TOO_LONG, details={"limit": NOTE_LENGTH})
    other = await _other(exchange, person.id, command.meeting)
    store, now = exchange.node.store, exchange.now()
    await store.require_report(person.id, now)
    await store.report_exchange(command.meeting, person.id, other or None, command.reason, note, now)
    return Answer(DoneOk())


def _shown(exchange: ExchangeService, connection: Connection, who: Participant) -> Answer:
    return Answer(ExchangeOk(exchange=exchange.watch(connection, who)))


def _require_known(field: str, is_known: bool) -> None:
    if not is_known:
        raise Refusal(Reason.INVALID, details={"field": f"$.{field}", "problem": "not one that can be chosen here"})


async def _other(exchange: ExchangeService, member: MemberId, meeting: MeetingId) -> MemberId:
    """Return the other of an exchange that goes on, or was over within the hour; empty if they were erased. Raises
    MEETING_UNKNOWN."""
    who = await exchange.record(member)
    for each in (who.running, who.after):
        if each is not None and each.meeting == meeting:
            return each.other
    raise Refusal(Reason.MEETING_UNKNOWN)


COMMANDS: Final[Mapping[type[Command], Handler]] = {
    m.AskExchange: ask_exchange,
    m.PractiseExchange: practise,
    m.JoinExchange: join,
    m.LeaveExchange: leave,
    m.AnswerExchange: answer,
    m.SayAfterExchange: say_afterwards,
    m.BlockExchange: block,
    m.ReportExchange: report,
}
"""The commands of the exchange. Their context is an `ExchangeService`."""
