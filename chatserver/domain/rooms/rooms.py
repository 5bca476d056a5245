"""A themed room: what may be said in it, by whom, and what follows.

Pure: `decide` answers a command with events or a Refusal; `evolve` applies an event to the posts a reader holds.
Time and ids arrive as arguments.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from enum import StrEnum
from typing import Final, Literal, NewType, assert_never

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Epoch, Millis, Offset
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms.coverage import LEAST_PACE, Attendance
from chatserver.domain.text.cleaning import clean_text, has_visible
from chatserver.domain.text.contact_details import ContactKind, find_contacts

RoomId = NewType("RoomId", str)
"""A room's short name in addresses: lower-case letters, digits and hyphens."""

SESSION_PREFIX: Final = "s-"
"""How the id of a session's closed room begins."""

ROOM_CHANNEL_PREFIX: Final = "room:"


def is_session_room(room: RoomId) -> bool:
    """Return whether a room is the closed room of a session. No other room may have such an id."""
    return room.startswith(SESSION_PREFIX)


def room_channel(room: RoomId) -> ChannelName:
    """Return the channel on which a room's publications travel."""
    return ChannelName(ROOM_CHANNEL_PREFIX + room)


def room_of(channel: ChannelName) -> RoomId:
    """Return the room of a room channel."""
    return RoomId(channel.removeprefix(ROOM_CHANNEL_PREFIX))


_UNSEEN: Final = 3
"""How many times its limit a text may be long before it is cleaned."""
_CLOCKS_DIFFER: Final = 60_000
"""Milliseconds by which a post may lie in the future; one that lies further was timed by a wrong clock."""


class RoomStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class RoomKind(StrEnum):
    THEMED = "themed"
    """In the lobby, for everybody."""
    SESSION = "session"
    """The conversation of a one-to-one session: in no lobby, only for the members whom the session admitted."""


class Reaction(StrEnum):
    """The small supportive set. There is no other reaction, and none that can hurt."""

    WITH_YOU = "with_you"
    SAME_HERE = "same_here"
    STRENGTH = "strength"
    THANK_YOU = "thank_you"
    HUG = "hug"


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A standing place with a theme. `slow_mode` is the least number of seconds between two posts of one person."""

    id: RoomId
    name: str
    about: str
    topic: str = ""
    welcome: str = ""
    agreement: str = ""
    agreement_version: int = 1
    capacity: int = 200
    slow_mode: int = 0
    status: RoomStatus = RoomStatus.OPEN
    position: int = 0
    """The place of the room in the lobby."""
    kind: RoomKind = RoomKind.THEMED
    needs_moderator: bool = False
    """Whether people may write here only while a moderator is at hand."""
    revision: int = 0
    """Rises with every change, so that nobody overwrites a change that they have not seen."""
    split_of: RoomId | None = None
    """The room that became too full, beside which this one was opened."""
    split_at: int = 0
    """How many members the room may have before it is split automatically; 0: never."""
    attendance: Attendance = Attendance.ATTENDED
    """The state that follows from whether a needed moderator is there. It changes by itself, without a new
    `revision`."""

    @property
    def pace(self) -> int:
        """Return the least number of seconds between two posts of one person at this moment."""
        return self.slow_mode if self.attendance is Attendance.ATTENDED else max(self.slow_mode, LEAST_PACE)


class RoomEdit(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different in a room; None is as it is. `slow_mode` in seconds; `split_at` 0: never by itself."""

    name: str | None = None
    about: str | None = None
    topic: str | None = None
    welcome: str | None = None
    agreement: str | None = None
    capacity: int | None = None
    slow_mode: int | None = None
    needs_moderator: bool | None = None
    split_at: int | None = None
    status: RoomStatus | None = None


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """A member's state in a room: the agreement accepted, how far they read, when they last posted."""

    room: RoomId
    agreement_version: int
    read: Offset = Offset(0)
    last_post_at: Millis = Millis(0)


class Post(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person wrote, in its present state. `offset` is its place in its room and its only id.

    A redacted post keeps its place and loses its text, warning and reactions. `generation` says under which of their
    names the author wrote it.
    """

    offset: Offset
    author: MemberId
    name: str
    text: str
    at: Millis
    warning: str | None = None
    reply_to: Offset | None = None
    edited_at: Millis | None = None
    redacted: bool = False
    reactions: dict[Reaction, int] = {}
    generation: int = 0


# Commands: what a member asks of a room.


class WritePost(msgspec.Struct, frozen=True, kw_only=True):
    """`anyway` says that the author was told of the contact details in the text, and wants to send them."""

    text: str
    warning: str | None = None
    reply_to: Offset | None = None
    anyway: bool = False


class EditPost(msgspec.Struct, frozen=True, kw_only=True):
    """`anyway` as in `WritePost`."""

    target: Offset
    text: str
    warning: str | None = None
    anyway: bool = False


class RedactPost(msgspec.Struct, frozen=True, kw_only=True):
    target: Offset


class ReactToPost(msgspec.Struct, frozen=True, kw_only=True):
    target: Offset
    reaction: Reaction
    on: bool


RoomCommand = WritePost | EditPost | RedactPost | ReactToPost


# Events: what happened. Each becomes one publication.


class Posted(msgspec.Struct, frozen=True, tag="posted"):
    """A post was written. Its own offset is its publication's, so `post.offset` is 0 until it is saved."""

    post: Post


class Edited(msgspec.Struct, frozen=True, kw_only=True, tag="edited"):
    target: Offset
    text: str
    warning: str | None
    edited_at: Millis


class Redacted(msgspec.Struct, frozen=True, kw_only=True, tag="redacted"):
    target: Offset


class Reacted(msgspec.Struct, frozen=True, kw_only=True, tag="reacted"):
    """`counts` is the whole of the post's reactions after this one, so that replaying it twice changes nothing.
    `generation` says under which of their names the member reacted."""

    target: Offset
    by: MemberId
    reaction: Reaction
    on: bool
    counts: dict[Reaction, int]
    generation: int = 0


class RoomChanged(msgspec.Struct, frozen=True, kw_only=True, tag="room_changed"):
    """The room's own settings after the change."""

    room: Room


RoomEvent = Posted | Edited | Redacted | Reacted | RoomChanged


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its place. The same `(channel, epoch, offset)` always names the same fact."""

    channel: ChannelName
    epoch: Epoch
    offset: Offset
    at: Millis
    event: RoomEvent


class RestrictionKind(StrEnum):
    MUTE = "mute"
    REMOVE = "remove"
    BAN = "ban"


class Restriction(msgspec.Struct, frozen=True, kw_only=True):
    """What a moderator's measure forbids a member, in one room or (`room` None) everywhere, until it is over."""

    measure: str
    kind: RestrictionKind
    room: RoomId | None
    until: Millis


class RoomState(msgspec.Struct, frozen=True, kw_only=True):
    """What `decide` needs to know, loaded in the transaction that will save its events.

    `target` is the post that the command names (by `target` or `reply_to`), if it exists; `target_reactions` are the
    author's own reactions on it; `restrictions` are what moderators forbade the author.
    """

    room: Room
    membership: Membership | None
    target: Post | None = None
    target_reactions: frozenset[Reaction] = frozenset()
    restrictions: tuple[Restriction, ...] = ()


class RoomRules(msgspec.Struct, frozen=True, kw_only=True):
    """The limits that an operator may set. Lengths in characters (code points), times in milliseconds."""

    text_length: int = 2_000
    warning_length: int = 80
    edit_window: int = 10 * 60 * 1000
    contact_policy: Literal["off", "warn", "refuse"] = "warn"
    """How contact details in one-to-one sessions are treated: with `warn` the author is told, and may send them all the
    same."""
    room_contact_policy: Literal["off", "warn", "refuse"] = "warn"
    """The same in themed rooms, where newcomers may not send them at all."""

    def contacts_in(self, kind: RoomKind) -> Literal["off", "warn", "refuse"]:
        """Return how contact details in a room of this kind are treated."""
        return self.contact_policy if kind is RoomKind.SESSION else self.room_contact_policy


class Noticed(msgspec.Struct, frozen=True, kw_only=True):
    """What was noticed in a text before it is decided: kinds of contact details, including those that it completes
    together with the author's last post, and whether the author came here within the last hour."""

    contacts: frozenset[ContactKind] = frozenset()
    is_newcomer: bool = False


def target_of(command: RoomCommand) -> Offset | None:
    """Return the post that a command names, which must be loaded before it can be decided."""
    match command:
        case WritePost(reply_to=reply_to):
            return reply_to
        case EditPost(target=target) | RedactPost(target=target) | ReactToPost(target=target):
            return target
        case _:
            assert_never(command)


def decide(
    state: RoomState,
    command: RoomCommand,
    author: Persona,
    rules: RoomRules,
    now: Millis,
    noticed: Noticed | None = None,
) -> tuple[RoomEvent, ...]:
    """Answer a member's command with events. No events means that its result already held.

    `noticed` is what is known of its text already; if None, the text is checked now. Raises Refusal. The caller has
    checked the author's identity and presence in the room.
    """
    if state.room.kind is RoomKind.SESSION and state.membership is None and not _takes_own_back(state, command, author):
        # Somebody outside the session learns nothing of it, whatever they ask.
        raise Refusal(Reason.ROOM_UNKNOWN)
    if isinstance(command, RedactPost):
        # Authors may redact their posts also in a room that has closed or changed its agreement (decision 0013).
        return () if _own_target(state, author).redacted else (Redacted(target=command.target),)
    require_unrestricted(state.restrictions, state.room, now)
    if state.room.status is not RoomStatus.OPEN:
        raise Refusal(Reason.ROOM_CLOSED)
    if state.room.attendance is Attendance.READ_ONLY:
        raise Refusal(Reason.UNATTENDED)
    if state.membership is None or state.membership.agreement_version < state.room.agreement_version:
        raise Refusal(Reason.AGREEMENT_REQUIRED)
    match command:
        case WritePost():
            return _write(state, state.membership, command, author, rules, now, noticed)
        case EditPost():
            return _edit(state, state.membership, command, author, rules, now, noticed)
        case ReactToPost():
            return _react(state, command, author)
        case _:
            assert_never(command)


_REFUSED: Final = {
    RestrictionKind.MUTE: Reason.MUTED,
    RestrictionKind.REMOVE: Reason.REMOVED,
    RestrictionKind.BAN: Reason.BANNED,
}
APPEAL_PATH: Final = "/api/identity/appeal"


def require_unrestricted(
    restrictions: Iterable[Restriction],
    room: Room | None,
    now: Millis,
    kinds: Container[RestrictionKind] = tuple(RestrictionKind),
) -> None:
    """Raise MUTED, REMOVED or BANNED if a member may not write in a room (None: may not be here at all). The details
    say by which measure, until when, and where to appeal."""
    for each in restrictions:
        if each.until <= now or each.kind not in kinds or not _covers(each, room):
            continue
        details = {"measure": each.measure, "until": each.until, "appeal": APPEAL_PATH}
        raise Refusal(_REFUSED[each.kind], retry_after=(each.until - now) / 1000, details=details)


def _covers(restriction: Restriction, room: Room | None) -> bool:
    if restriction.kind is RestrictionKind.BAN:
        return True
    if room is None or room.kind is not RoomKind.THEMED:
        # No measure but a ban keeps anybody from a listener, or puts them out of a conversation.
        return False
    # Nor does a room beside it let anybody write who may not.
    return restriction.room in (None, room.id, room.split_of or room.id)


def evolve(posts: dict[Offset, Post], publication: Publication) -> dict[Offset, Post]:
    """Return the posts a reader holds after one more publication. Never refuses; applying one twice changes nothing,
    nor does replaying the end of a history again, up to its end.

    An event about a post that the reader does not hold changes nothing either.
    """
    event = publication.event
    match event:
        case Posted(post=post):
            if publication.offset in posts:
                # Held already, and perhaps edited or redacted since.
                return posts
            return {**posts, publication.offset: msgspec.structs.replace(post, offset=publication.offset)}
        case Edited():
            return _change(posts, event.target, text=event.text, warning=event.warning, edited_at=event.edited_at)
        case Redacted():
            return _change(posts, event.target, text="", warning=None, redacted=True, reactions={})
        case Reacted():
            return _change(posts, event.target, reactions=event.counts)
        case RoomChanged():
            return posts
        case _:
            assert_never(event)


def _write(
    state: RoomState,
    membership: Membership,
    command: WritePost,
    author: Persona,
    rules: RoomRules,
    now: Millis,
    noticed: Noticed | None,
) -> tuple[RoomEvent, ...]:
    text, warning = checked(command.text, command.warning, rules)
    if command.reply_to is not None and state.target is None:
        raise Refusal(Reason.POST_UNKNOWN)
    _keep_pace(state.room, membership, now)
    # Last, since it may cost most.
    _screen(state.room, text, warning, command.anyway, rules, noticed)
    post = Post(
        offset=Offset(0),
        author=author.id,
        name=author.name,
        text=text,
        at=now,
        warning=warning,
        reply_to=command.reply_to,
        generation=author.generation,
    )
    return (Posted(post),)


def _keep_pace(room: Room, membership: Membership, now: Millis) -> None:
    """Raise SLOW_MODE if the member's last post is too recent."""
    pace = room.pace * 1000
    wait = membership.last_post_at + pace - now
    if pace and 0 < wait <= pace + _CLOCKS_DIFFER:
        # Nobody waits longer than the rule says, whatever the clock of the worker through which they posted.
        raise Refusal(Reason.SLOW_MODE, retry_after=min(wait, pace) / 1000)


def is_first_correction(post: Post) -> bool:
    """Return whether a post was not edited yet: the first correction may come at once, also in slow mode. Each edit
    after that is like a post for its readers, and has to keep the pace."""
    return post.edited_at is None


def _edit(
    state: RoomState,
    membership: Membership,
    command: EditPost,
    author: Persona,
    rules: RoomRules,
    now: Millis,
    noticed: Noticed | None,
) -> tuple[RoomEvent, ...]:
    target = _own_target(state, author)
    if target.redacted:
        raise Refusal(Reason.POST_REDACTED)
    if now - target.at > rules.edit_window:
        raise Refusal(Reason.EDIT_TOO_LATE)
    text, warning = checked(command.text, command.warning, rules)
    if (text, warning) == (target.text, target.warning):
        return ()
    if not is_first_correction(target):
        _keep_pace(state.room, membership, now)
    _screen(state.room, text, warning, command.anyway, rules, noticed, before=(target.text, target.warning or ""))
    return (Edited(target=command.target, text=text, warning=warning, edited_at=now),)


def _react(state: RoomState, command: ReactToPost, author: Persona) -> tuple[RoomEvent, ...]:
    target = state.target
    if target is None:
        raise Refusal(Reason.POST_UNKNOWN)
    if target.redacted:
        raise Refusal(Reason.POST_REDACTED)
    if command.on == (command.reaction in state.target_reactions):
        return ()
    counts = dict(target.reactions)
    counts[command.reaction] = counts.get(command.reaction, 0) + (1 if command.on else -1)
    counts = {reaction: count for reaction, count in counts.items() if count > 0}
    return (
        Reacted(
            target=command.target,
            by=author.id,
            reaction=command.reaction,
            on=command.on,
            counts=counts,
            generation=author.generation,
        ),
    )


def _takes_own_back(state: RoomState, command: RoomCommand, author: Persona) -> bool:
    return isinstance(command, RedactPost) and state.target is not None and state.target.author == author.id


def _own_target(state: RoomState, author: Persona) -> Post:
    if state.target is None:
        raise Refusal(Reason.POST_UNKNOWN)
    if state.target.author != author.id:
        raise Refusal(Reason.NOT_YOURS)
    return state.target


def checked(text: str, warning: str | None, rules: RoomRules) -> tuple[str, str | None]:
    """Return a text and its warning in the form in which they are stored. Raises TEXT_EMPTY or TEXT_TOO_LONG."""
    text = _within(text, rules.text_length)
    if not has_visible(text):
        raise Refusal(Reason.TEXT_EMPTY)
    if warning is None:
        return text, None
    warning = _within(warning, rules.warning_length, between=" ")
    return text, warning if has_visible(warning) else None


def _within(text: str, limit: int, between: str = "\n") -> str:
    # Invisible characters do not count, but nobody needs as many of them as of visible ones.
    if len(text) <= _UNSEEN * limit and len(cleaned := clean_text(text).replace("\n", between)) <= limit:
        return cleaned
    raise Refusal(Reason.TEXT_TOO_LONG, details={"limit": limit})


def _screen(
    room: Room,
    text: str,
    warning: str | None,
    anyway: bool,
    rules: RoomRules,
    noticed: Noticed | None,
    before: tuple[str, ...] = (),
) -> None:
    """Raise CONTACT_DETAILS if they are found and not, or not yet, allowed. Kinds that stood in the texts `before` were
    allowed then: an author who corrects a slip is not asked again. The refusal's details are the `kinds` that were
    found and whether they `may_send` them anyway."""
    policy = rules.contacts_in(room.kind)
    if policy == "off":
        return
    is_kept_out = noticed is not None and noticed.is_newcomer and room.kind is RoomKind.THEMED
    may_send = policy == "warn" and not is_kept_out
    if may_send and anyway:
        return
    kinds = (
        {found.kind for part in (text, warning or "") for found in find_contacts(part)}
        if noticed is None
        else noticed.contacts
    )
    if kinds and before:
        kinds = kinds - {found.kind for part in before for found in find_contacts(part)}
    if kinds:
        raise Refusal(Reason.CONTACT_DETAILS, details={"kinds": sorted(kinds), "may_send": may_send})


def _change(posts: dict[Offset, Post], target: Offset, **fields: object) -> dict[Offset, Post]:
    post = posts.get(target)
    if post is None or (post.redacted and "redacted" not in fields):
        return posts
    return {**posts, target: msgspec.structs.replace(post, **fields)}
