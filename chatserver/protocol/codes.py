"""The message of every refusal and whether it is temporary, and the close codes with what a client should do."""

from __future__ import annotations

import math
from enum import IntEnum, StrEnum
from typing import Final

from chatserver.domain.errors import Reason, Refusal
from chatserver.protocol.messages import ErrorBody

_MESSAGES: Final[dict[Reason, tuple[str, bool]]] = {
    Reason.MALFORMED: ("This frame could not be read.", False),
    Reason.UNKNOWN_COMMAND: ("This command is not known here.", False),
    Reason.INVALID: ("A field of this command is missing or of the wrong kind.", False),
    Reason.TOO_LARGE: ("This is larger than the limit.", False),
    Reason.DUPLICATE_ID: ("This id was used before for something else.", False),
    Reason.HELLO_REQUIRED: ("Say hello first.", False),
    Reason.ALREADY_SAID_HELLO: ("Hello was said before on this connection.", False),
    Reason.RATE_LIMITED: ("That is a little too fast. Please wait a moment.", True),
    Reason.IDENTITY_REQUIRED: ("We don't know yet who you are.", False),
    Reason.IDENTITY_UNKNOWN: ("This identity is not known here any more.", False),
    Reason.NAME_TAKEN: ("Somebody here has this name, or one that looks like it.", False),
    Reason.NAME_REFUSED: ("This name cannot be used here.", False),
    Reason.CODE_UNKNOWN: ("We don't know this come-back code.", False),
    Reason.MEMBER_UNKNOWN: ("This person is not known here any more.", False),
    Reason.ROOM_UNKNOWN: ("There is no such room.", False),
    Reason.ROOM_CLOSED: ("This room is closed.", False),
    Reason.ROOM_FULL: ("This room is full so that everyone can be heard.", True),
    Reason.AGREEMENT_REQUIRED: ("Please read and accept the room's agreement first.", False),
    Reason.NOT_IN_ROOM: ("Join the room first.", False),
    Reason.TOO_MANY_ROOMS: ("You are in as many rooms as one connection can hold.", False),
    Reason.SLOW_MODE: ("This room takes it slowly. You can write again in a moment.", True),
    Reason.NOT_YOUR_TURN: ("It is not your turn to write at this moment.", False),
    Reason.SAID_ONCE: ("Everybody writes once here, and you have.", False),
    Reason.TEXT_EMPTY: ("There is nothing in it yet.", False),
    Reason.TEXT_TOO_LONG: ("This is longer than fits.", False),
    Reason.POST_UNKNOWN: ("This post is not here any more.", False),
    Reason.POST_REDACTED: ("This post was removed.", False),
    Reason.NOT_YOURS: ("Only the person who wrote this can change it.", False),
    Reason.EDIT_TOO_LATE: ("It can no longer be changed, but you can still remove it.", False),
    Reason.EPOCH_STALE: ("This room was set back, so this may be another post now. Please look again.", False),
    Reason.SEATS_USED: ("You have a place in as many rooms as one person can. Leave one of them first.", False),
    Reason.ONLY_READING: ("Your place here went to somebody else while you were away. Join again to write.", False),
    Reason.TOO_MANY_MUTES: ("You hide as many people as one person can.", False),
    Reason.LISTENING_CLOSED: ("No listeners are here at this hour.", False),
    Reason.SESSIONS_USED: (
        "You have talked with listeners as often as one person can for now. The rooms and helplines are open.",
        False,
    ),
    Reason.PLACES_USED: (
        "Several people from where you are wait for a listener already. Please try again a little later.",
        True,
    ),
    Reason.NOT_NOBODY: ("They wrote something, or have only just come.", False),
    Reason.IN_SESSION: ("You are in a session already.", False),
    Reason.PLACE_GONE: ("This place in the queue is no more.", False),
    Reason.PROPOSAL_GONE: ("This person is not waiting for you any more.", False),
    Reason.SESSION_UNKNOWN: ("This session is not here any more.", False),
    Reason.SESSION_OVER: ("This session is over.", False),
    Reason.NO_MORE_TIME: ("A session cannot become longer than this.", False),
    Reason.NOT_HOLDING: ("Only the listener who holds this session can do that.", False),
    Reason.LISTENER_BUSY: ("This listener has no room for it at the moment.", True),
    Reason.NOT_READY: ("Please go through the practice and the check first.", False),
    Reason.NOT_LISTENER: ("This is for listeners.", False),
    Reason.WORDS_UNKNOWN: ("We don't know these words, or they are too old.", False),
    Reason.NO_WORDS_YET: ("There are no come-back words for this session.", False),
    Reason.CONTACT_DETAILS: ("There seems to be a way to reach somebody elsewhere in it.", False),
    Reason.HOST_BUSY: ("You can't keep company while you listen, talk or wait for a listener yourself.", False),
    Reason.HOST_RESTS: ("You can keep company again after a rest.", False),
    Reason.NOT_WAITING: ("This is for people who wait for a listener.", False),
    Reason.NO_SEAT: ("There is no seat for you there at the moment.", True),
    Reason.GROUP_UNKNOWN: ("There is no such group.", False),
    Reason.GROUP_ENDED: ("This group has come to its end.", False),
    Reason.GROUP_CHANGED: ("A colleague has changed this group meanwhile. Look again first.", False),
    Reason.GROUP_CLOSED: ("This group takes nobody new any more.", False),
    Reason.TOO_MANY_MEETINGS: ("As many meetings as possible are planned for this time. Choose another.", False),
    Reason.OFFERED_ALREADY: ("Somebody was offered the next listener a short while ago.", True),
    Reason.OFFER_GONE: ("This offer is over. You can ask for a listener at any time.", False),
    Reason.MEETING_UNKNOWN: ("There is no such meeting.", False),
    Reason.MEETING_FULL: ("There is no place left in this meeting.", False),
    Reason.NOT_YET: ("It is too early for that.", False),
    Reason.DOORS_CLOSED: ("This meeting lets nobody in any more.", False),
    Reason.SENT_OUT: ("You can come back to the next meeting, but not to this one.", False),
    Reason.PHASE_OVER: ("The meeting has gone on since. This is not possible at this moment.", False),
    Reason.TOO_MANY_SIGN_UPS: ("You have signed up for as many meetings as one can.", False),
    Reason.EXCHANGE_OFF: ("There is no exchange here.", False),
    Reason.NOT_PRACTISED: ("Practise first. It takes about three minutes.", False),
    Reason.IN_EXCHANGE: ("You are in an exchange at this moment.", False),
    Reason.EXCHANGES_USED: ("Listening takes strength. You can have another exchange a little later.", False),
    Reason.LISTENER_FIRST: (
        "An exchange means listening, too. At this moment a listener may be the better person for you.",
        False,
    ),
    Reason.MUTED: ("A moderator decided that you can't write here for now. You can answer that.", False),
    Reason.REMOVED: (
        "A moderator decided that you can't be in this room for now. You can answer that.",
        False,
    ),
    Reason.BANNED: ("A moderator decided that you can't be here for now. You can answer that.", False),
    Reason.MEASURE_UNKNOWN: ("There is no such decision, or it is over.", False),
    Reason.APPEALED: ("You have answered this already.", False),
    Reason.REPORT_UNKNOWN: ("There is no such report any more.", False),
    Reason.REPORT_TAKEN: ("A colleague has this report now.", False),
    Reason.REPORT_CLOSED: ("This report is closed.", False),
    Reason.NOT_CLAIMED: ("Take this report first.", False),
    Reason.REPORT_CHANGED: ("Something was added. Please look again.", False),
    Reason.NOT_PROPOSED: ("Nobody has proposed how to close this report.", False),
    Reason.NOT_ALLOWED: ("This is not yours to do here.", False),
    Reason.SIGN_IN_REFUSED: ("This name, password or code is not right.", False),
    Reason.CONFIRMATION_REQUIRED: ("Please give your password again first.", False),
    Reason.INVITATION_UNKNOWN: ("This invitation was used, or is too old.", False),
    Reason.PASSWORD_WEAK: ("This password is too easy to guess.", False),
    Reason.ROOM_CHANGED: ("A colleague has changed this room meanwhile. Look again first.", False),
    Reason.ROOM_NAME_TAKEN: ("Another room is called like that.", False),
    Reason.ROOM_SPLIT: ("This room was full and has rooms beside it now. There is more space in one of them.", False),
    Reason.TOO_FEW: ("There are too few people here for two rooms.", False),
    Reason.NOTICE_UNKNOWN: ("This announcement is over.", False),
    Reason.HOURS_CHANGED: ("A colleague has changed the hours meanwhile. Look again first.", False),
    Reason.SCREENING_CHANGED: ("A colleague has changed the screening meanwhile. Look again first.", False),
    Reason.RAID_UNKNOWN: ("This is over already.", False),
    Reason.JOINS_SLOWED: ("Many people are coming in at this moment. You are let in shortly.", True),
    Reason.CHALLENGE: ("Your device has to do a small sum first.", False),
    Reason.READ_ONLY: ("Who has just come can only read here for a while.", False),
    Reason.UNATTENDED: ("No moderator is here at the moment, so this room can only be read until one is.", False),
    Reason.WORKER_UNKNOWN: ("There is no such worker any more.", False),
    Reason.LAST_WORKER: ("This is the only worker: nobody would be left to serve.", False),
    Reason.STORAGE_UNAVAILABLE: ("We can't save anything right now. Nothing you wrote is lost; try again.", True),
    Reason.BUSY: ("Too many people at this moment. Please try again shortly.", True),
    Reason.DRAINING: ("This server is restarting. Please come back in a moment.", True),
    Reason.INTERNAL: ("Something went wrong on our side. Please try again.", True),
}


def error_body(refusal: Refusal) -> ErrorBody:
    """Return the wire's form of a Refusal."""
    message, temporary = _MESSAGES[refusal.reason]
    return ErrorBody(
        code=refusal.reason.value,
        message=message,
        temporary=temporary,
        retry_after=_whole_millis(refusal.retry_after) if refusal.retry_after is not None else None,
        details=dict(refusal.details) if refusal.details is not None else None,
    )


def _whole_millis(seconds: float) -> float:
    """Round up, so that waiting as long as told is long enough, and nobody is told to wait 0 s."""
    return max(1, math.ceil(round(seconds * 1000, 6))) / 1000


class Close(IntEnum):
    """Why a worker closes a connection. The range says what the client should do (`advice`)."""

    # RFC 6455, section 7.4.1
    NORMAL = 1000
    UNSUPPORTED_DATA = 1003
    INVALID_TEXT = 1007
    MESSAGE_TOO_BIG = 1009
    SERVICE_RESTART = 1012
    # 4000-4199: come back now, with jitter
    TOO_SLOW = 4000
    WENT_SILENT = 4001
    # 4200-4399: back off: at least ten seconds, growing
    HELLO_TIMEOUT = 4200
    TOO_FAST = 4201
    INTERNAL = 4202
    # 4400-4599: stay away until the cause is resolved
    TOO_MANY_BAD_FRAMES = 4400
    IDENTITY_ENDED = 4401
    BANNED = 4402
    SIGNED_OUT = 4403


class Advice(StrEnum):
    COME_BACK_NOW = "come back now"
    BACK_OFF = "back off"
    STAY_AWAY = "stay away"


def advice(code: int) -> Advice:
    """Return what a client should do after a close with `code`. A code that is not listed means a lost network: come
    back."""
    if 4200 <= code <= 4399:
        return Advice.BACK_OFF
    if 4400 <= code <= 4599 or code in (1002, 1003, 1007, 1008, 1009, 1010):
        return Advice.STAY_AWAY
    return Advice.COME_BACK_NOW
