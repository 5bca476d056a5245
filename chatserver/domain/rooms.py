"""A themed room: what may be said in it, by whom, and what follows.

Pure: `decide` answers a command with events or a Refusal; `evolve` applies an event to the posts a reader holds.
Time and ids arrive as arguments.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from enum import StrEnum
from typing import Final, Literal, NewType, assert_never

import msgspec

from chatserver.domain.duty import LEAST_PACE, Attendance
from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import ChannelName, Epoch, Millis, Offset
from chatserver.domain.identity import MemberId, Person
from chatserver.domain.screening import find_contacts

RoomId = NewType("RoomId", str)
"""A room's short name in addresses: lower-case letters, digits and hyphens."""

ROOM_CHANNEL_PREFIX: Final = "room:"

_UNWANTED: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters other than tab and line feed."""
_VISIBLE: Final = re.compile(
    r"[^\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
"""Anything that a reader would see."""


def room_channel(room: RoomId) -> ChannelName:
    """The channel on which a room's publications travel."""
    return ChannelName(ROOM_CHANNEL_PREFIX + room)


def room_of(channel: ChannelName) -> RoomId:
    """The room behind a room channel."""
    return RoomId(channel.removeprefix(ROOM_CHANNEL_PREFIX))


_CLOCKS_DIFFER: Final = 60_000
"""Milliseconds by which a post may lie in the future; one that lies further was timed by a clock that is wrong."""


class RoomStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class RoomKind(StrEnum):
    THEMED = "themed"
    """In the lobby, for everybody."""
    SESSION = "session"
    """The conversation of a one-to-one session: in no lobby, for those whom the session made its members."""


class Reaction(StrEnum):
    """The small supportive set. There is no other kind, and none that can hurt."""

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
    """Rises with every change, so that nobody undoes what they have not seen."""
    split_of: RoomId | None = None
    """The room that became too full, where this one was opened beside it."""
    split_at: int = 0
    """How many may be here before the room is split by itself; 0: never."""
    attendance: Attendance = Attendance.ATTENDED
    """What follows from whether the moderator whom the room needs is there. It moves by itself, and no `revision` with
    it."""

    @property
    def pace(self) -> int:
        """The least number of seconds between two posts of one person at this moment."""
        return self.slow_mode if self.attendance is Attendance.ATTENDED else max(self.slow_mode, LEAST_PACE)


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """What one member has with one room: the agreement accepted, how far they read, when they last posted."""

    room: RoomId
    agreement_version: int
    read: Offset = Offset(0)
    last_post_at: Millis = Millis(0)


class Post(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person wrote, as it stands now. `offset` is its place in its room and its only id.

    A redacted post keeps its place and loses its text, warning and reactions.
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


# Commands: what a member asks of a room.


class WritePost(msgspec.Struct, frozen=True, kw_only=True):
    """`anyway` says that the author was told of the contact details in it, and means them."""

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
    """`counts` is the whole of the post's reactions after this one, so that replaying it twice changes nothing."""

    target: Offset
    by: MemberId
    reaction: Reaction
    on: bool
    counts: dict[Reaction, int]


class RoomChanged(msgspec.Struct, frozen=True, kw_only=True, tag="room_changed"):
    """The room's own settings after the change."""

    room: Room


RoomEvent = Posted | Edited | Redacted | Reacted | RoomChanged


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """An event in its place. The same `(channel, epoch, offset)` always names the same fact."""

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
    """What a moderator's measure forbids somebody, in one room or (`room` None) everywhere, until it is over."""

    measure: str
    kind: RestrictionKind
    room: RoomId | None
    until: Millis


class RoomState(msgspec.Struct, frozen=True, kw_only=True):
    """What `decide` needs to know, loaded in the transaction that will save its events.

    `target` is the post that the command names (by `target` or `reply_to`), if it is there; `target_reactions` are the
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
    """What happens to contact details in one-to-one sessions: with `warn` the author is told, and may send them all the
    same."""


def target_of(command: RoomCommand) -> Offset | None:
    """The post that a command names, which must be loaded before it can be decided."""
    match command:
        case WritePost(reply_to=reply_to):
            return reply_to
        case EditPost(target=target) | RedactPost(target=target) | ReactToPost(target=target):
            return target
        case _:
            assert_never(command)


def decide(
    state: RoomState, command: RoomCommand, author: Person, rules: RoomRules, now: Millis
) -> tuple[RoomEvent, ...]:
    """Answer a member's command with what happens. No events means that it was already so.

    Raises Refusal. The author's own identity and presence in the room have been checked by the caller.
    """
    if state.room.kind is RoomKind.SESSION and state.membership is None and not _takes_own_back(state, command, author):
        # Who is not of the session learns nothing of it, whatever they ask.
        raise Refusal(Reason.ROOM_UNKNOWN)
    if isinstance(command, RedactPost):
        # What somebody wrote is theirs to take back, also from a room that has closed or changed its agreement.
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
            return _write(state, state.membership, command, author, rules, now)
        case EditPost():
            return _edit(state, command, author, rules, now)
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
    """Raises MUTED, REMOVED or BANNED where somebody may not write in a room (None: may not be here at all). The
    details say by which measure, until when, and where to appeal."""
    for each in restrictions:
        if each.until <= now or each.kind not in kinds or not _covers(each, room):
            continue
        details = {"measure": each.measure, "until": each.until, "appeal": APPEAL_PATH}
        raise Refusal(_REFUSED[each.kind], retry_after=(each.until - now) / 1000, details=details)


def _covers(restriction: Restriction, room: Room | None) -> bool:
    if restriction.kind is RestrictionKind.BAN:
        return True
    if room is None:
        return False
    # Muted everywhere is in all rooms: nobody is kept from asking a listener for help.
    # Nor does a room beside it let anybody write who may not.
    return restriction.room in (room.id, room.split_of or room.id) or (
        restriction.room is None and room.kind is RoomKind.THEMED
    )


def evolve(posts: dict[Offset, Post], publication: Publication) -> dict[Offset, Post]:
    """The posts a reader holds after one more publication. Never refuses; applying one twice changes nothing, nor does
    replaying the end of a history again, if it is to its end.

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


def has_visible(text: str) -> bool:
    """Whether a reader would see anything."""
    return _VISIBLE.search(text) is not None


def clean_text(text: str) -> str:
    """A post's text without white space around it and without control characters, but for tabs and line breaks."""
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _write(
    state: RoomState, membership: Membership, command: WritePost, author: Person, rules: RoomRules, now: Millis
) -> tuple[RoomEvent, ...]:
    text, warning = _checked(command.text, command.warning, rules)
    _screen(state.room, text, warning, command.anyway, rules)
    if command.reply_to is not None and state.target is None:
        raise Refusal(Reason.POST_UNKNOWN)
    pace = state.room.pace * 1000
    wait = membership.last_post_at + pace - now
    if pace and 0 < wait <= pace + _CLOCKS_DIFFER:
        # Nobody waits longer than the rule says, whatever the clock of the worker that they posted through.
        raise Refusal(Reason.SLOW_MODE, retry_after=min(wait, pace) / 1000)
    post = Post(
        offset=Offset(0),
        author=author.id,
        name=author.name,
        text=text,
        at=now,
        warning=warning,
        reply_to=command.reply_to,
    )
    return (Posted(post),)


def _edit(state: RoomState, command: EditPost, author: Person, rules: RoomRules, now: Millis) -> tuple[RoomEvent, ...]:
    target = _own_target(state, author)
    if target.redacted:
        raise Refusal(Reason.POST_REDACTED)
    if now - target.at > rules.edit_window:
        raise Refusal(Reason.EDIT_TOO_LATE)
    text, warning = _checked(command.text, command.warning, rules)
    if (text, warning) == (target.text, target.warning):
        return ()
    _screen(state.room, text, warning, command.anyway, rules)
    return (Edited(target=command.target, text=text, warning=warning, edited_at=now),)


def _react(state: RoomState, command: ReactToPost, author: Person) -> tuple[RoomEvent, ...]:
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
    return (Reacted(target=command.target, by=author.id, reaction=command.reaction, on=command.on, counts=counts),)


def _takes_own_back(state: RoomState, command: RoomCommand, author: Person) -> bool:
    return isinstance(command, RedactPost) and state.target is not None and state.target.author == author.id


def _own_target(state: RoomState, author: Person) -> Post:
    if state.target is None:
        raise Refusal(Reason.POST_UNKNOWN)
    if state.target.author != author.id:
        raise Refusal(Reason.NOT_YOURS)
    return state.target


def _checked(text: str, warning: str | None, rules: RoomRules) -> tuple[str, str | None]:
    text = clean_text(text)
    if not has_visible(text):
        raise Refusal(Reason.TEXT_EMPTY)
    if len(text) > rules.text_length:
        raise Refusal(Reason.TEXT_TOO_LONG, details={"limit": rules.text_length})
    if warning is None:
        return text, None
    warning = clean_text(warning).replace("\n", " ")
    if len(warning) > rules.warning_length:
        raise Refusal(Reason.TEXT_TOO_LONG, details={"limit": rules.warning_length})
    return text, warning if has_visible(warning) else None


def _screen(room: Room, text: str, warning: str | None, anyway: bool, rules: RoomRules) -> None:
    """Raises CONTACT_DETAILS where they are found in a one-to-one conversation and are not, or not yet, let through.
    Its details are the `kinds` that were found and whether they `may_send` them anyway."""
    if room.kind is not RoomKind.SESSION or rules.contact_policy == "off":
        return
    may_send = rules.contact_policy == "warn"
    if may_send and anyway:
        return
    kinds = sorted({found.kind.value for part in (text, warning or "") for found in find_contacts(part)})
    if kinds:
        raise Refusal(Reason.CONTACT_DETAILS, details={"kinds": kinds, "may_send": may_send})


def _change(posts: dict[Offset, Post], target: Offset, **fields: object) -> dict[Offset, Post]:
    post = posts.get(target)
    if post is None or (post.redacted and "redacted" not in fields):
        return posts
    return {**posts, target: msgspec.structs.replace(post, **fields)}
