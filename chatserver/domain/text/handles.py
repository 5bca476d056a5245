"""Names on other services in a text that is folded and in small letters. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from chatserver.domain.text.folding import Seen

Span = tuple[int, int]
PAUSE: Final = (-1, -1)
"""No place: other work may run first."""

APPS: Final = frozenset(
    word
    for line in (
        "insta instagram ig snap snapchat tiktok telegram tg discord whatsapp signal kik twitter facebook fb skype",
        "wechat messenger reddit steam twitch tumblr bluesky mastodon threads viber",
    )
    for word in line.split()
)
_APP: Final = (
    r"(?:insta(?:gram)?|ig|snap(?:chat)?|tik\s?tok|telegram|tg|discord|whats\s?app|signal|kik|twitter|facebook|fb|skype"
    r"|we\s?chat|messenger|reddit|steam|twitch|tumblr|bluesky|mastodon|threads|viber)"
)
_APP_WORD: Final = re.compile(rf"(?<!\w)(?:{_APP}|sc)(?![a-z0-9])")
_SIGNS: Final = frozenset({*APPS, "sc", "tok", "app", "chat"})
"""A word of every name of a service."""
_NAME: Final = r"[a-z0-9_](?:[\w.-]{1,30}\w|\w)(?:\#\d{4})?"
_LABELLED: Final = re.compile(
    rf"(?:{_APP}|sc)(?:\s{{1,3}}(?:name|handle|id|user\s?name|user|account|tag|nick))?"
    rf"\s{{0,3}}(?P<sign>:|=|->|\||//?|\bis\b|\bit's\b|-)\s{{0,3}}(?P<at>@?)(?P<name>{_NAME})(?P<after>\W{{0,3}}(?:\w+|$))"
)
_BESIDE: Final = re.compile(rf"(?:{_APP})[^\w\n]{{1,5}}(?P<name>[a-z][\w.]{{3,29}})")
_OURS: Final = (" my", "\nmy", " our")
_UPON: Final = (" on", " at")
_ADD_ME: Final = re.compile(
    rf"\b(?:add|find|follow|message|text|dm|pm|hit|write|look)\s{{1,3}}(?:me\s{{1,3}})?(?:up\s{{1,3}})?(?:to\s{{1,3}}me\s{{1,3}})?(?:on|over\s{{1,3}}on|at)"
    rf"\s{{1,3}}{_APP}\s{{0,3}}(?:,|:|-|\bat\b|\bas\b|\bunder\b|\bit's\b|\bi'm\b|\bi\s{{1,3}}am\b)?\s{{0,3}}@?(?P<name>{_NAME})"
)
_ON_APP: Final = re.compile(
    rf"\b(?:i'm|i\s{{1,3}}am|im|it's|called|named)\s{{1,3}}@?(?P<name>{_NAME})\s{{1,3}}on\s{{1,3}}{_APP}\b"
)
_AT_NAME: Final = re.compile(r"(?<![\w.@])@(?P<name>[a-z_][\w.]{1,29})")
_REDDIT: Final = re.compile(r"(?<![\w/.])/?u/[\w-]{3,20}\b")
_TAGGED: Final = re.compile(r"(?<![\w.#])[a-z][\w.]{1,31}\#\d{4}\b")
_MADE_UP: Final = re.compile(r"(?<![\w.@])(?=[a-z][a-z.\d]{2,20}_)(?=\w{0,24}\d)[\w.]{5,30}")
"""A word with an underscore and digits, which can only be a name."""
_CUE: Final = re.compile(
    r"\b(?:add|hmu|dm|pm|msg|message|text|find|follow|write|name|user|username|account|acc|handle|nick|it's|its|i'm|im"
    r"|everywhere)\b[^\n]{0,40}$"
)
_BEFORE: Final = 60
_AFTER: Final = 80
_PLACES: Final = frozenset(
    word
    for line in (
        "home work school uni college night all everyone everybody here channel room least the my hospital church",
        "lunch noon them me you him her us this that listener moderator",
    )
    for word in line.split()
)
"""After an @ that means "at"."""
_ORDINARY: Final = frozenset(
    word
    for line in (
        "private broken gone full down dead open public off on deleted hacked blocked banned boring quiet so really",
        "too just all not the an my always only very making where how what still empty now like nothing good bad",
        "better worse fine toxic hard easy evil awful fun no and but or because that this it they everyone people i",
        "you we he she when while about for with again today tonight tomorrow later please if is was are to in at as",
        "once there every after before anymore instead much pretty kind one silent depressing addictive stressful",
        "scary lonely useless helpful important cruel lost happy sad life fake over out up me him her them someone",
        "something anything everything never sometimes maybe exhausting wonderful crazy overwhelming feeling crying",
        "posting scrolling using sober addicted famous popular group family friends mum mom dad same day daily a who",
        "why then also",
    )
    for word in line.split()
)
"""Words after "my insta is" and similar phrases that are not a name."""
_GO_ON: Final = frozenset({"add", "and", "if", "dm", "hit", "so", "or", "message", "text", "write"})


def may_hold_handles(text: str, seen: Seen) -> bool:
    """Return whether `handles` can yield anything for a text in which this is seen."""
    return not _SIGNS.isdisjoint(seen.words) or "@" in text or "u/" in text or "#" in text or "_" in text


def handles(text: str, seen: Seen) -> Iterator[Span | None]:
    """Yield where names stand, None for each place that turned out to be something else, and PAUSE between kinds."""
    if not _SIGNS.isdisjoint(seen.words):
        for app in _APP_WORD.finditer(text):
            yield _beside(app, text)
        yield PAUSE
    if "@" in text:
        for match in _AT_NAME.finditer(text):
            yield None if match["name"].rstrip(".") in _PLACES else match.span()
        yield PAUSE
    if "u/" in text:
        for match in _REDDIT.finditer(text):
            yield match.span()
        yield PAUSE
    if "#" in text:
        for match in _TAGGED.finditer(text):
            yield match.span()
        yield PAUSE
    if "_" in text:
        for match in _MADE_UP.finditer(text):
            yield match.span() if _CUE.search(text, max(0, match.start() - _BEFORE), match.start()) else None


def _beside(app: re.Match[str], text: str) -> Span | None:
    """Return the name that stands beside that of a service."""
    start, end = app.span()
    before = text[max(0, start - _BEFORE) : start].rstrip()
    is_ours = f" {before}".endswith(_OURS)
    labelled = _LABELLED.match(text, start)
    if labelled is not None and (labelled["at"] or _is_name(labelled, is_ours=is_ours, is_short=app.group() == "sc")):
        return start, labelled.end("name")
    beside = _BESIDE.match(text, start)
    if beside is not None and _looks_made_up(beside["name"]):
        return start, beside.end()
    if before.endswith(_UPON):
        for pattern in (_ADD_ME, _ON_APP):
            match = pattern.search(text, max(0, start - _BEFORE), end + _AFTER)
            if match is not None and match["name"] not in _ORDINARY and not match["name"].isdigit():
                return match.span()
    return None


def _looks_made_up(name: str) -> bool:
    """Return whether a word has an underscore, or three letters and then digits."""
    bare = name.rstrip("0123456789")
    return "_" in name.strip("_") or (len(bare) >= 3 and bare.isalpha() and len(bare) < len(name))


def _is_name(match: re.Match[str], *, is_ours: bool, is_short: bool) -> bool:
    """Return whether what stands after "my insta is", or "insta:", looks like a name and not like a sentence."""
    name = match["name"]
    if name in _ORDINARY or name.isdigit():
        return False
    if re.search(r"[\d_.#]", name):
        return not is_short or is_ours
    if is_short or (match["sign"] not in {":", "=", "->", "it's"} and not is_ours):
        return False
    after = match["after"].strip(" ")
    # "snap: moonlitfox, add me" but not "Instagram: constant comparing".
    return not after[:1].isalnum() or after in _GO_ON
