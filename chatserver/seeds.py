"""The rooms that a new server starts with.

Their texts are written for somebody at 3 a.m.: short words, and no promise that a peer cannot keep. An existing room is
never overwritten.
"""

from __future__ import annotations

from typing import Final

import msgspec

from chatserver.domain.rooms.rooms import Room, RoomId
from chatserver.domain.rooms.settings import usual_split_at

_SHARED: Final = (
    "Listen first. You don't have to fix anything.",
    "Give advice only when someone asks for it.",
    "Be kind. Nobody's pain is bigger or smaller than another's.",
    "Keep contact details out: no full names, numbers, addresses or accounts, yours or anyone's.",
    "If something may be hard to read, put a content warning on it.",
    "You can say how bad it is. Please leave out ways of hurting yourself.",
    "What is said here expires. Please don't copy it or take it elsewhere.",
    "What you change, take back or erase stays sealed until it expires. Moderators see it only if it is reported.",
    'We are people with struggles of our own, not doctors. If you or someone else is in danger, open "Get help now".',
)


def _room(id_: str, name: str, about: str, topic: str, welcome: str, *rules: str, capacity: int = 50) -> Room:
    return Room(
        id=RoomId(id_),
        name=name,
        about=about,
        topic=topic,
        welcome=welcome,
        agreement="\n".join((*rules, *_SHARED)),
        capacity=capacity,
        split_at=usual_split_at(capacity),
    )


_ROOMS: Final = (
    _room(
        "company",
        "Just need company",
        "For anyone who would rather not be alone right now.",
        "Being here is enough",
        "You don't need a reason to be here. Say hello, or just read along. Small talk is welcome, and so is quiet.",
        capacity=60,
    ),
    _room(
        "anxiety",
        "Worry and panic",
        "For when your thoughts race, your chest is tight, or you fear what comes next.",
        "What helps you through the next five minutes?",
        "It's good that you came. Many of us know this feeling, and it does pass. "
        "If it's strong right now, tell us one thing you can see. We'll go slowly with you.",
    ),
    _room(
        "low-mood",
        "Low days",
        "For low mood and depression, for days that feel grey, heavy or empty.",
        "One small thing about today",
        "You made it here, and that counts. You can write one word or a whole page. Nobody will tell you to cheer up.",
    ),
    _room(
        "sleep",
        "Awake at night",
        "For anyone who can't sleep, wherever it is night for you.",
        "Who else is awake?",
        "Hello, night owl. Someone else is often awake too. "
        "Talk about what keeps you up, or about nothing much until it gets lighter.",
    ),
    _room(
        "grief",
        "Missing someone",
        "For anyone who has lost a person or an animal they love, lately or long ago.",
        "You may say their first name here",
        "We're sorry that you have a reason to be here. You can talk about who you miss, or sit with us quietly. "
        "There is no right way to grieve, and no time when it has to be over.",
        "Don't look for a bright side in someone's loss.",
        capacity=40,
    ),
    _room(
        "loneliness",
        "Feeling alone",
        "For anyone who feels lonely, with nobody near or in the middle of a crowd.",
        "Tell us about your day",
        "We're glad you're here. Lots of people feel this way and few say it out loud. "
        "You can start with something small, like what you had for breakfast.",
        "This is not a place to look for a date.",
    ),
    _room(
        "recovery",
        "Addiction and recovery",
        "For anyone who wants to drink, use or gamble less, or not at all, on good days and bad ones.",
        "One day at a time, and today is the day",
        "Welcome, whether it's day one, day one thousand or day one again. Nobody here is keeping score. "
        "If you feel the pull right now, say so. Someone here knows it.",
        "Leave out amounts, ways of using, and where to get things.",
        "A slip is not a failure. Nobody is told off here.",
    ),
    _room(
        "illness",
        "Illness and pain",
        "For anyone who lives with a long illness, a disability or pain that stays.",
        "Good hours, bad hours",
        "You don't have to prove that it hurts. Here you can be tired of being brave. "
        "Tell us about a bad day, or a good one, or the waiting.",
        "Say what helped you, not what others should take or stop taking.",
    ),
    _room(
        "carers",
        "Caring for someone",
        "For anyone who looks after a person who is ill, old or needs help.",
        "And how are you?",
        "You look after someone, and here someone asks about you. You may be tired or angry and still love them. "
        "Come when you have five minutes, and go when you must.",
        "Leave out the name of the person you care for.",
    ),
    _room(
        "new-parents",
        "New parents",
        "For anyone with a baby or a small child, and for those who are waiting for one.",
        "The hours nobody tells you about",
        "Hello, and well done for finding a free hand. It can be lovely and very hard in the same hour. "
        "You can say both here, and nobody will judge you.",
        "Every family does it differently. No right ways, no wrong ways.",
        "Leave out children's names.",
    ),
    _room(
        "lgbtq",
        "LGBTQ+",
        "For lesbian, gay, bi, trans and queer people, and for anyone who is still finding out.",
        "Come as you are",
        "You don't have to explain yourself here. Out, not out, sure or not sure: all of it is fine. "
        "Tell us what to call you, if you like.",
        "Use the names and words that people choose for themselves.",
        "Never tell anyone else who is here.",
    ),
    _room(
        "relationships",
        "Love and break-ups",
        "For anyone whose heart is sore: a break-up, a fight, someone who is far away.",
        "What you would say to them",
        "A sore heart is real pain, and you don't have to be over it yet. "
        "Tell the story as often as you need to. If someone at home hurts or scares you,"
        ' you\'ll find people who can help under "Get help now".',
        "This is not a place to look for a date.",
        "Leave out names. The other person isn't here to speak for themselves.",
    ),
)


def seed_rooms() -> list[Room]:
    """Return a dozen themed rooms in lobby order. `Store.add_rooms` adds those that do not exist yet."""
    return [msgspec.structs.replace(room, position=position) for position, room in enumerate(_ROOMS)]
