"""The commands of groups and meetings: of members, of hosts, and of facilitators."""

from __future__ import annotations

import secrets
from base64 import b32encode
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.meetings import commands as c
from chatserver.domain.meetings import groups
from chatserver.domain.meetings.commands import Decided, MeetingAction
from chatserver.domain.meetings.decide import decide
from chatserver.domain.meetings.groups import WHY_LENGTH, Group, GroupEdit, GroupId
from chatserver.domain.meetings.seats import doors_at
from chatserver.domain.meetings.state import Meeting, MeetingId, room_of_meeting
from chatserver.domain.people.staff import Capability, may
from chatserver.domain.rooms.rooms import ID_PREFIXES, RoomKind
from chatserver.domain.text.cleaning import has_visible
from chatserver.handlers.answer import Answer
from chatserver.handlers.commands import Handler
from chatserver.handlers.connection import Connection
from chatserver.handlers.meetings import views
from chatserver.handlers.meetings.asides import answer_aside, aside
from chatserver.handlers.meetings.dates import series
from chatserver.handlers.meetings.service import MeetingService, viewer
from chatserver.handlers.people import aliases
from chatserver.protocol.fields import Command, DoneOk
from chatserver.protocol.meetings import messages as m
from chatserver.protocol.meetings.views import FacilitatorsOk, GroupOk, GroupsOk, MeetingOk
from chatserver.store.meeting_records import GroupWithMeetings

_GROUP_PREFIX: Final = "g-"
_ID_LENGTH: Final = 16
REASON_LENGTH: Final = 500


# ------------------------------------------------------------------------------------------------ members


async def ask_groups(meetings: MeetingService, connection: Connection, person: Person, command: m.AskGroups) -> Answer:
    """Answer with every group that goes on."""
    found = await meetings.node.store.groups()
    names = await _names(meetings, [each.group for each in found], person)
    return Answer(GroupsOk(groups=tuple(views.card_of(each, viewer(connection), names) for each in found)))


async def ask_meeting(
    meetings: MeetingService, connection: Connection, person: Person, command: m.AskMeeting
) -> Answer:
    """Answer with a meeting, and push it from now on whenever it changes."""
    found = await meetings.picture(command.meeting)
    if not views.concerns(found, person.id) and not connection.is_moderator:
        raise Refusal(Reason.MEETING_UNKNOWN)
    who = found.people.get(person.id)
    if who is not None and who.is_here and found.is_live:
        # What waited for them goes on.
        await meetings.seen(person.id, command.meeting)
        found = await meetings.picture(command.meeting)
    return Answer(MeetingOk(meeting=meetings.view(connection, found)))


async def sign_up(meetings: MeetingService, connection: Connection, person: Person, command: m.SignUpCommand) -> Answer:
    """Take places in meetings of a group, all or none."""
    group = await _group(meetings, command.group)
    groups.require_going_on(group.group)
    ahead = [each.id for each in group.meetings if doors_at(each) > meetings.now()][: groups.MOST_SIGN_UPS]
    wanted = ahead if command.meetings is None else list(dict.fromkeys(command.meetings))
    if not {*wanted} <= {each.id for each in group.meetings} or not wanted:
        raise Refusal(Reason.MEETING_UNKNOWN)

    # Whoever signs up for a meeting that is open to everybody is known in those after it.
    is_open = any(each.id in wanted and not each.is_for_known for each in group.meetings)

    def answer(found: Meeting) -> Decided:
        asked = c.SignUp(
            name=person.name,
            listens=command.side == "listen",
            is_known=is_open or views.is_known(group, person.id),
        )
        return decide(found, asked, person.id, meetings.now())

    committed = await meetings.node.store.sign_up(person.id, wanted, answer, meetings.now())
    for each in committed:
        if each.meeting is not None:
            meetings.take_in(each.meeting.id, each)
    return await _group_ok(meetings, command.group, connection)


async def sign_off(
    meetings: MeetingService, connection: Connection, person: Person, command: m.SignOffCommand
) -> Answer:
    await meetings.do(person.id, command.meeting, c.SignOff())
    return Answer(DoneOk())


async def enter(meetings: MeetingService, connection: Connection, person: Person, command: m.EnterMeeting) -> Answer:
    """Enter a meeting. Its room is joined by `join`."""
    asked = c.Enter(name=person.name, agreement=command.agreement, listens=command.side == "listen")
    committed = await meetings.do(person.id, command.meeting, asked)
    if committed.meeting is None:
        raise Refusal(Reason.MEETING_UNKNOWN)
    return Answer(MeetingOk(meeting=meetings.view(connection, committed.meeting)))


async def step_out(
    meetings: MeetingService, connection: Connection, person: Person, command: m.StepOutOfMeeting
) -> Answer:
    await meetings.do(person.id, command.meeting, c.StepOut())
    return Answer(DoneOk())


def _taking_part(make: Any) -> Handler:
    """Return a handler that carries out what `make` makes of its command."""

    async def handle(meetings: MeetingService, connection: Connection, person: Person, command: Any) -> Answer:
        action: MeetingAction = make(command)
        await meetings.do(person.id, command.meeting, action, is_moderator=connection.is_moderator)
        return Answer(DoneOk())

    return handle


# ------------------------------------------------------------------------------------------------ hosts


async def call_on(meetings: MeetingService, connection: Connection, person: Person, command: m.CallOnPerson) -> Answer:
    member = _member(meetings, command.meeting, command.member)
    await meetings.do(person.id, command.meeting, c.CallOn(member=member))
    return Answer(DoneOk())


async def send_out(
    meetings: MeetingService, connection: Connection, person: Person, command: m.SendOutPerson
) -> Answer:
    """Send somebody out. Moderators are told why."""
    reason = groups.within(command.reason, REASON_LENGTH)
    if not has_visible(reason):
        raise Refusal(Reason.TEXT_EMPTY)
    member = _member(meetings, command.meeting, command.member)
    await meetings.do(person.id, command.meeting, c.SendOut(member=member, reason=reason))
    return Answer(DoneOk())


async def cancel(meetings: MeetingService, connection: Connection, person: Person, command: m.CancelMeeting) -> Answer:
    why = groups.within(command.why, WHY_LENGTH)
    who = viewer(connection)
    await meetings.do(
        person.id, command.meeting, c.Cancel(why=why), is_moderator=who.is_moderator, is_operator=who.is_operator
    )
    return Answer(DoneOk())


def _member(meetings: MeetingService, meeting: MeetingId, alias: MemberId) -> MemberId:
    return aliases.in_room(meetings.node, room_of_meeting(meeting), alias)


# ------------------------------------------------------------------------------------------------ facilitators


async def open_group(meetings: MeetingService, connection: Connection, person: Person, command: m.OpenGroup) -> Answer:
    """Open a group. The same command again finds the group that it made."""
    id_ = GroupId(_GROUP_PREFIX + _letters(person.id, command.id))
    group = groups.open_group(id_, person.id, command.form, await _edit(meetings, command))
    await meetings.node.store.add_group(group)
    return await _group_ok(meetings, id_, connection)


async def ask_facilitators(
    meetings: MeetingService, connection: Connection, person: Person, command: m.AskFacilitators
) -> Answer:
    """Answer with the other facilitators whose accounts are active."""
    found = [
        Person(each.member, each.name)
        for each in await meetings.node.store.all_staff()
        if each.revoked_at is None and each.member != person.id and may(each.roles, Capability.FACILITATE)
    ]
    return Answer(FacilitatorsOk(facilitators=tuple(sorted(found, key=lambda each: each.name.casefold()))))


async def change_group(
    meetings: MeetingService, connection: Connection, person: Person, command: m.ChangeGroup
) -> Answer:
    edit = await _edit(meetings, command)

    def change(group: Group) -> Group:
        _require_own(group, connection)
        return groups.change_group(group, command.seen, edit)

    await meetings.node.store.change_group(command.group, change, meetings.now())
    return await _group_ok(meetings, command.group, connection)


async def end_group(meetings: MeetingService, connection: Connection, person: Person, command: m.EndGroup) -> Answer:
    why = groups.within(command.why, WHY_LENGTH)

    def may_end(group: Group) -> None:
        _require_own(group, connection)

    await meetings.node.store.end_group(command.group, why, may_end, meetings.now())
    return await _group_ok(meetings, command.group, connection)


async def plan(meetings: MeetingService, connection: Connection, person: Person, command: m.PlanMeetings) -> Answer:
    """Plan meetings, at dates or as a series. The same command again finds the meetings that it planned."""
    if (command.dates is None) == (command.first is None):
        raise Refusal(Reason.INVALID, details={"field": "$.dates", "problem": "either dates, or the first of a series"})
    dates = command.dates or []
    if command.first is not None:
        dates = series(command.first, command.zone, command.every, command.times)
    prefix = ID_PREFIXES[RoomKind.MEETING]
    ids = [MeetingId(prefix + _letters(person.id, command.id, number)) for number in range(len(dates))]

    def may_plan(group: Group) -> None:
        _require_own(group, connection, is_for_hosts=True)

    await meetings.node.store.plan_meetings(
        command.group, may_plan, dates, ids, [secrets.token_hex(8) for _ in ids], meetings.now()
    )
    return await _group_ok(meetings, command.group, connection)


def _require_own(group: Group, connection: Connection, *, is_for_hosts: bool = False) -> None:
    """Raise NOT_ALLOWED to somebody who is neither a host of a group nor an operator; with `is_for_hosts` also to
    operators."""
    asks = viewer(connection)
    if asks.member not in group.hosts and (is_for_hosts or not asks.is_operator):
        raise Refusal(Reason.NOT_ALLOWED, details={"why": "not_yours"})


async def _edit(meetings: MeetingService, command: m.OpenGroup | m.ChangeGroup) -> GroupEdit:
    cohosts = command.cohosts
    if cohosts:
        good = await meetings.node.store.good_staff(cohosts)
        if not all(each in good and may(good[each].roles, Capability.FACILITATE) for each in cohosts):
            raise Refusal(Reason.MEMBER_UNKNOWN)
    return GroupEdit(
        name=command.name,
        about=command.about,
        theme=command.theme,
        language=command.language,
        agreement=command.agreement,
        script=None if command.script is None else tuple(command.script),
        seats=command.seats,
        minutes=command.minutes,
        cohosts=None if cohosts is None else tuple(cohosts),
        no_crosstalk=command.no_crosstalk,
        closed_after=command.closed_after,
    )


async def _group(meetings: MeetingService, group: GroupId) -> GroupWithMeetings:
    found = await meetings.node.store.group(group)
    if found is None:
        raise Refusal(Reason.GROUP_UNKNOWN)
    return found


async def _group_ok(meetings: MeetingService, group: GroupId, connection: Connection) -> Answer:
    found, who = await _group(meetings, group), viewer(connection)
    assert connection.person is not None
    names = await _names(meetings, [found.group], connection.person)
    return Answer(GroupOk(group=views.card_of(found, who, names)))


async def _names(meetings: MeetingService, found: Sequence[Group], person: Person) -> dict[MemberId, str]:
    """Return the names of the hosts of those groups that somebody is a host of."""
    hosts = {host for group in found if person.id in group.hosts for host in group.hosts}
    return {member: staff.name for member, staff in (await meetings.node.store.good_staff(sorted(hosts))).items()}


def _letters(*parts: object) -> str:
    """Return letters that follow from a command, so that the same command again means the same."""
    digest = blake2b(" ".join(map(str, parts)).encode(), digest_size=10).digest()
    return b32encode(digest).decode().lower()[:_ID_LENGTH]


COMMANDS: Final[Mapping[type[Command], Handler]] = {
    m.AskGroups: ask_groups,
    m.AskMeeting: ask_meeting,
    m.SignUpCommand: sign_up,
    m.SignOffCommand: sign_off,
    m.EnterMeeting: enter,
    m.StepOutOfMeeting: step_out,
    m.SitBackCommand: _taking_part(lambda command: c.SitBack(on=command.on)),
    m.RaiseHand: _taking_part(lambda command: c.Raise(on=command.on)),
    m.FinishTurn: _taking_part(lambda command: c.Finish()),
    m.PostponeTurn: _taking_part(lambda command: c.Later()),
    m.ChooseContract: _taking_part(lambda command: c.Choose(how=command.how)),
    m.PassTurn: _taking_part(lambda command: c.Pass(on=command.on)),
    m.AnswerAsideCommand: answer_aside,
    m.StepMeeting: _taking_part(lambda command: c.Step(seen=command.seen)),
    m.CallOnPerson: call_on,
    m.AddTimeToTurns: _taking_part(lambda command: c.AddTime()),
    m.PauseMeeting: _taking_part(lambda command: c.Pause(on=command.on)),
    m.AsideCommand: aside,
    m.SendOutPerson: send_out,
    m.EndMeetingCommand: _taking_part(lambda command: c.EndMeeting(why=command.why)),
    m.OpenGroup: open_group,
    m.AskFacilitators: ask_facilitators,
    m.ChangeGroup: change_group,
    m.EndGroup: end_group,
    m.PlanMeetings: plan,
    m.CancelMeeting: cancel,
}
"""The commands of groups and meetings. Their context is a `MeetingService`."""
