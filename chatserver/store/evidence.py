"""Sealed copies of removed words, and what a case keeps of erased people. Sans-I/O, like `rooms_log`.

A sealed copy is kept as long as its post would have been, and dropped with the post's row. Only these open it: a report
of the post, of its author, or of the session that it is in; an escalation that the post raises; and its author's
export.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from chatserver.domain.history import ChannelName, Millis, Offset
from chatserver.domain.identity import MemberId
from chatserver.domain.moderation.evidence import EarlierVersion, Ended, is_alias, survives_erasure
from chatserver.domain.rooms.rooms import Post
from chatserver.store import evidence_statements as sql
from chatserver.store.core.compiler import Call, Op, Params, Row, Statement
from chatserver.store.core.sealing import Sealer
from chatserver.store.records import KeptCopy
from chatserver.store.report_rows import SNAPSHOT, decode_posts, encode_posts

MOST_VERSIONS: Final = 20
"""The most versions of one post that a case holds: half of them the first ones, half the last ones."""
MOST_POSTS: Final = 4 * SNAPSHOT
"""The most posts that a report holds, however often it was repeated."""
_IN_A_CASE: Final = "case"
"""What is sealed in a report's row is not bound to that row, because cards pass their content on to each other."""

NOBODY: Final = MemberId("m_erased")
"""The author of posts that erased people left: shorter than any member's id, and the same for all of them."""

_T = TypeVar("_T")
_replace = msgspec.structs.replace
_encode: Final = msgspec.msgpack.Encoder().encode
_version: Final = msgspec.msgpack.Decoder(EarlierVersion).decode


class Nobody(msgspec.Struct, frozen=True):
    """The id and name that replace an erased person where a record needs somebody."""

    id: MemberId
    name: str


class Held(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a case holds sealed: earlier versions of posts, posts of erased people, and (None if nobody was erased) the
    note of an escalation: the matched words and the phrase of the list."""

    earlier: tuple[EarlierVersion, ...] = ()
    posts: tuple[Post, ...] = ()
    note: str | None = None


_held: Final = msgspec.msgpack.Decoder(Held).decode

# ------------------------------------------------------------------------------------------------ sealing


def copy_row(channel: ChannelName, post: Post, part: Offset, until: Millis, ended: Ended, sealer: Sealer) -> Params:
    """Return the row that keeps `post` as it is before the event at `part` edits or empties it at `until`."""
    version = EarlierVersion(
        offset=post.offset,
        author=post.author,
        name=post.name,
        text=post.text,
        warning=post.warning,
        at=post.edited_at or post.at,
        until=until,
        ended=ended,
    )
    body = sealer.seal(_encode(version), _place(channel, post.offset, part))
    return (channel, post.offset, part, sealer.alias(post.author), body)


def _place(channel: str, offset: int, part: int) -> str:
    return f"copy {channel} {offset} {part}"


def _opened(channel: str, row: Row, sealer: Sealer) -> EarlierVersion | None:
    offset, part, _, body = row
    plain = sealer.open(bytes(body), _place(channel, offset, part))
    return None if plain is None else _version(plain)


# ------------------------------------------------------------------------------------------------ opening for a case


class Opened(msgspec.Struct, frozen=True):
    """What a case shows of posts: the snapshot, in which erased people have their aliases, and earlier versions.
    `about` is whom the case is about."""

    posts: tuple[Post, ...]
    earlier: tuple[EarlierVersion, ...]
    about: MemberId | None

    @property
    def has_erased(self) -> bool:
        """Return whether the case holds words of somebody who is erased."""
        return is_alias(self.about) or any(is_alias(version.author) for version in self.earlier)


def of_post(channel: ChannelName, post: Post, posts: Sequence[Post], sealer: Sealer) -> Op[Opened]:
    """Open the copies of one post, for a report of it or an escalation that it raised.

    `posts` is the snapshot around it, in which posts of erased people have the author `NOBODY`.
    """
    rows = yield Call(sql.COPIES_OF_POST, [(channel, post.offset)])
    authors = yield from _authors(channel, posts)
    about = authors.get(post.offset, post.author)
    return Opened(_named(posts, authors), _versions(channel, rows, authors, sealer), about)


def of_person(channel: ChannelName, about: MemberId, posts: Sequence[Post], sealer: Sealer) -> Op[Opened]:
    """Open the copies of what one person wrote among the posts of a snapshot. `about` may be an alias."""
    whose = about if is_alias(about) else sealer.alias(about)
    return (yield from _of_some(channel, posts, sealer, about, sql.COPIES_OF_PERSON, whose))


def of_session(
    channel: ChannelName,
    by: MemberId | None,
    about: MemberId | None,
    posts: Sequence[Post],
    sealer: Sealer,
) -> Op[Opened]:
    """Open the copies of what everybody but the reporter wrote in a conversation.

    The reporter's own removed words stay sealed. `about` is `NOBODY` if the person whom the report is about was erased.
    """
    own = "" if by is None else sealer.alias(by)
    opened = yield from _of_some(channel, posts, sealer, about, sql.COPIES_OF_OTHERS, own)
    if about != NOBODY:
        return opened
    gone = {post.author for post in opened.posts if is_alias(post.author)}
    # If several people were erased, nobody can tell which one is meant: each is named by the alias on their own posts.
    return _replace(opened, about=gone.pop() if len(gone) == 1 else None)


def _of_some(
    channel: ChannelName,
    posts: Sequence[Post],
    sealer: Sealer,
    about: MemberId | None,
    copies: Statement,
    whose: str,
) -> Op[Opened]:
    if not posts:
        return Opened((), (), about)
    authors = yield from _authors(channel, posts)
    rows = yield Call(copies, [(channel, posts[0].offset, posts[-1].offset, whose, MOST_VERSIONS // 2)])
    there = {post.offset for post in posts}
    wanted = [row for row in rows if row[0] in there]
    return Opened(_named(posts, authors), _versions(channel, wanted, authors, sealer), about)


def _authors(channel: ChannelName, posts: Sequence[Post]) -> Op[dict[Offset, MemberId]]:
    """Return the aliases of erased people who wrote in a snapshot, by the posts' offsets."""
    erased = {post.offset for post in posts if post.author == NOBODY}
    if not erased:
        return {}
    rows = yield Call(sql.AUTHORS_AMONG, [(channel, min(erased), max(erased))])
    return {Offset(row[0]): MemberId(row[1]) for row in rows if row[0] in erased}


def _named(posts: Sequence[Post], authors: dict[Offset, MemberId]) -> tuple[Post, ...]:
    return tuple(_replace(post, author=authors.get(post.offset, post.author)) for post in posts)


def _versions(
    channel: ChannelName, rows: Sequence[Row], authors: dict[Offset, MemberId], sealer: Sealer
) -> tuple[EarlierVersion, ...]:
    # A copy that was sealed under a different secret cannot be opened.
    few = _few(rows, lambda row: row[0])
    found = [version for row in few if (version := _opened(channel, row, sealer)) is not None]
    return tuple(_replace(version, author=authors.get(version.offset, version.author)) for version in found)


def _few(versions: Iterable[_T], post_of: Callable[[_T], int]) -> list[_T]:
    """Return the first and the last of each post's versions, at most `MOST_VERSIONS` of a post. They must be in
    order."""
    by_post: dict[int, list[_T]] = {}
    for version in versions:
        by_post.setdefault(post_of(version), []).append(version)
    half = MOST_VERSIONS // 2
    return [
        each for own in by_post.values() for each in (own if len(own) <= MOST_VERSIONS else own[:half] + own[-half:])
    ]


# ------------------------------------------------------------------------------------------------ what a case holds


def sealed_for(held: Held, sealer: Sealer) -> bytes | None:
    """Return the sealed content for a report's row, or None if there is nothing to seal."""
    return None if held == Held() else sealer.seal(_encode(held), _IN_A_CASE)


def add_to(which: str, opened: Opened, now: Millis, sealer: Sealer, *, most: int = MOST_POSTS) -> Op[bool]:
    """Add to an open report what was written since it was made, because somebody reports the same again.

    Posts that it holds stay as they were, unless their earlier versions are held too. If it holds `most` posts already,
    only changes to those are added. Return whether anything is new.
    """
    ((snapshot, sealed, erased_at),) = yield Call(sql.HELD, [(which,)])
    before, held = {post.offset: post for post in decode_posts(snapshot)}, held_by(sealed, sealer)
    has_room = len(before) < most
    has_versions = {version.offset for version in opened.earlier}
    new = [
        post
        for post in opened.posts
        if (post.offset not in before and has_room)
        or (
            post.offset in before
            and post.offset in has_versions
            and not post.redacted
            and post.text != before[post.offset].text
        )
    ]
    there = before.keys() | {post.offset for post in new}
    added = (each for each in opened.earlier if each.offset in there and each not in held.earlier)
    # A post has at most `MOST_VERSIONS` versions in a case, however often it is edited and reported again.
    earlier = tuple(_few((*held.earlier, *added), lambda version: version.offset))
    if not new and earlier == held.earlier:
        return False
    posts = sorted((before | {post.offset: post for post in new}).values(), key=lambda post: post.offset)
    if len(posts) > MOST_POSTS:
        # The posts of the first report, and the newest ones.
        posts = posts[:SNAPSHOT] + posts[SNAPSHOT - MOST_POSTS :]
    kept = sealed_for(_replace(held, earlier=earlier), sealer)
    erased = now if opened.has_erased else erased_at
    yield Call(sql.SET_HELD, [(encode_posts(posts).decode(), kept, erased, which)])
    return True


def held_by(sealed: bytes | None, sealer: Sealer) -> Held:
    """Return what a report's row holds sealed: nothing if it was sealed under a different secret."""
    plain = None if sealed is None else sealer.open(bytes(sealed), _IN_A_CASE)
    return Held() if plain is None else _held(plain)


def shown(posts: Iterable[Post], held: Held) -> tuple[Post, ...]:
    """Return a snapshot in which the posts that the case holds of erased people replace the emptied ones."""
    kept = {post.offset: post for post in held.posts}
    return tuple(kept.get(post.offset, post) for post in posts)


# ------------------------------------------------------------------------------------------------ erasing


def withdraw(who: MemberId, nobody: Nobody, now: Millis, sealer: Sealer) -> Op[bool]:
    """Remove a person's words from reports, before their own reports lose their name.

    A case about what they did to others keeps the words, sealed and under an alias; every other case loses them. Return
    whether there were any.
    """
    alias = sealer.alias(who)
    had_words = False
    for id_, by, about, reason, level, note, snapshot, sealed, erased_at in (
        yield Call(sql.CASES_WITH, [(who, f"%{who}%")])
    ):
        posts = decode_posts(snapshot)
        own = tuple(post for post in posts if post.author == who)
        if about != who and not own:
            continue
        had_words = True
        before = held_by(sealed, sealer)
        # If a session's report names nobody, it may be about anybody but its maker.
        is_meant = about == who or (about is None and level is None and by != who)
        if is_meant and survives_erasure(level=level, reason=reason):
            held = _left(before, own, who, alias, None if level is None else note)
        else:
            held = _without(before, who)
        emptied = [_emptied(post, nobody) if post.author == who else post for post in posts]
        row = (
            alias if about == who else about,
            note if level is None or about != who else "",
            encode_posts(emptied).decode(),
            sealed_for(held, sealer),
            now if is_meant else erased_at,
            id_,
        )
        yield Call(sql.SET_CASE, [row])
    return had_words


def _left(before: Held, own: tuple[Post, ...], who: MemberId, alias: MemberId, note: str | None) -> Held:
    return Held(
        earlier=tuple(
            _replace(version, author=alias) if version.author == who else version for version in before.earlier
        ),
        posts=(*before.posts, *(_replace(post, author=alias, reactions={}) for post in own)),
        note=before.note if note is None else note,
    )


def _without(before: Held, who: MemberId) -> Held:
    return _replace(before, earlier=tuple(version for version in before.earlier if version.author != who))


def _emptied(post: Post, nobody: Nobody) -> Post:
    return _replace(post, author=nobody.id, name=nobody.name, text="", warning=None, redacted=True, reactions={})


def keep_measures(who: MemberId, sealer: Sealer) -> Op[bool]:
    """Keep measures that still forbid an erased person something, under an alias and without their answer. Measures
    that forbid nothing (a notice, a removed post) are dropped. Return whether any of the latter existed."""
    dropped = yield Call(sql.DROP_MILD_MEASURES, [(who,)])
    yield Call(sql.ALIAS_MEASURES, [(sealer.alias(who), who)])
    return bool(dropped)


# ------------------------------------------------------------------------------------------------ showing to its author


def copies_of(who: MemberId, sealer: Sealer) -> Op[tuple[KeptCopy, ...]]:
    """Return the sealed copies of what somebody wrote themselves. The caller finds out when each is dropped."""
    found: list[KeptCopy] = []
    for room, kind, channel, offset, part, at, body in (yield Call(sql.COPIES_BY, [(sealer.alias(who),)])):
        version = _opened(channel, (offset, part, None, body), sealer)
        if version is not None:
            found.append(
                KeptCopy(
                    room=room,
                    offset=version.offset,
                    name=version.name,
                    text=version.text,
                    warning=version.warning,
                    at=version.at,
                    ended_at=version.until,
                    ended=version.ended,
                    is_in_session=kind == "session",
                    post_at=at,
                )
            )
    return tuple(found)
