"""What may be said in a room, by whom, and what follows: commands become events, and events the next posts."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Final, assert_never

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.history import Millis, Offset
from chatserver.domain.identity import Persona
from chatserver.domain.rooms.coverage import Attendance
from chatserver.domain.rooms.rooms import (
    APPEAL_PATH,
    Edited,
    EditPost,
    Membership,
    Noticed,
    Post,
    Posted,
    Publication,
    Reacted,
    ReactToPost,
    Redacted,
    RedactPost,
    Restriction,
    RestrictionKind,
    Room,
    RoomChanged,
    RoomCommand,
    RoomEvent,
    RoomKind,
    RoomRules,
    RoomState,
    RoomStatus,
    Voice,
    WritePost,
)
from chatserver.domain.text.cleaning import clean_text, has_visible
from chatserver.domain.text.contact_details import find_contacts

_UNSEEN: Final = 3
"""How many times its limit a text may be long before it is cleaned."""


_CLOCKS_DIFFER: Final = 60_000
"""Milliseconds by which a post may lie in the future; one that lies further was timed by a wrong clock."""


_REFUSED: Final = {
    RestrictionKind.MUTE: Reason.MUTED,
    RestrictionKind.REMOVE: Reason.REMOVED,
    RestrictionKind.BAN: Reason.BANNED,
}


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
    if state.room.kind.is_closed and state.membership is None and not _takes_own_back(state, command, author):
        # Somebody outside a closed room learns nothing of it, whatever they ask.
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
    if room is None or room.kind is RoomKind.SESSION:
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
    _require_voice(state.room, membership, author, text)
    if command.reply_to is not None and state.target is None:
        raise Refusal(Reason.POST_UNKNOWN)
    _keep_pace(state.room, membership, author, now)
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


def _keep_pace(room: Room, membership: Membership, author: Persona, now: Millis) -> None:
    """Raise SLOW_MODE if the member's last post is too recent."""
    voice = room.voice
    is_aside = voice is not None and voice.aside_length > 0 and not voice.is_of(author.id)
    pace = 1000 * (voice.aside_pace if is_aside and voice is not None else room.pace)
    wait = membership.last_post_at + pace - now
    if pace and 0 < wait <= pace + _CLOCKS_DIFFER:
        # Nobody waits longer than the rule says, whatever the clock of the worker through which they posted.
        raise Refusal(Reason.SLOW_MODE, retry_after=min(wait, pace) / 1000)


def _require_voice(room: Room, membership: Membership, author: Persona, text: str) -> None:
    """Raise NOT_YOUR_TURN, SAID_ONCE or TEXT_TOO_LONG if the room's voice does not allow a post. The details of the
    first two are the `phase` and `until` when it lasts."""
    voice = room.voice
    if voice is None:
        return
    details: dict[str, object] = {"phase": voice.phase}
    if voice.until is not None:
        details["until"] = voice.until
    if not voice.is_of(author.id):
        if not voice.aside_length:
            raise Refusal(Reason.NOT_YOUR_TURN, details=details)
        if len(text) > voice.aside_length:
            raise Refusal(Reason.TEXT_TOO_LONG, details={"limit": voice.aside_length})
        return
    if voice.once and membership.last_post_at >= voice.since:
        raise Refusal(Reason.SAID_ONCE, details=details)
    _require_length(voice, text)


def _require_voice_to_edit(state: RoomState, target: Post, author: Persona, text: str, warning: str | None) -> None:
    """Raise EDIT_TOO_LATE for a post that somebody in the room must not see, because the edit would show it to them.
    Raise NOT_YOUR_TURN where the author may not write at this moment and the edit adds to what they wrote."""
    voice = state.room.voice
    if target.offset <= state.hidden_upto:
        raise Refusal(Reason.EDIT_TOO_LATE)
    if voice is None:
        return
    if voice.is_of(author.id):
        _require_length(voice, text)
    elif len(text) + len(warning or "") > len(target.text) + len(target.warning or ""):
        raise Refusal(Reason.NOT_YOUR_TURN, details={"phase": voice.phase})


def _require_length(voice: Voice, text: str) -> None:
    if voice.length and len(text) > voice.length:
        raise Refusal(Reason.TEXT_TOO_LONG, details={"limit": voice.length})


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
        _keep_pace(state.room, membership, author, now)
    _require_voice_to_edit(state, target, author, text, warning)
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
    is_kept_out = noticed is not None and noticed.is_newcomer and room.kind is not RoomKind.SESSION
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
