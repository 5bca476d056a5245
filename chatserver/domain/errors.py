"""Expected refusals: every reason the service may refuse something, and the exception that carries it.

The reasons are also the error codes on the wire (`protocol/codes.py` has the message of each).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """Why something was refused. The value is the wire's error `code` and never changes its meaning."""

    # The frame or the command itself.
    MALFORMED = "malformed"
    UNKNOWN_COMMAND = "unknown_command"
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    DUPLICATE_ID = "duplicate_id"
    HELLO_REQUIRED = "hello_required"
    ALREADY_SAID_HELLO = "already_said_hello"
    RATE_LIMITED = "rate_limited"
    # Who somebody is.
    IDENTITY_REQUIRED = "identity_required"
    IDENTITY_UNKNOWN = "identity_unknown"
    NAME_TAKEN = "name_taken"
    NAME_REFUSED = "name_refused"
    CODE_UNKNOWN = "code_unknown"
    MEMBER_UNKNOWN = "member_unknown"
    # Rooms.
    ROOM_UNKNOWN = "room_unknown"
    ROOM_CLOSED = "room_closed"
    ROOM_FULL = "room_full"
    AGREEMENT_REQUIRED = "agreement_required"
    NOT_IN_ROOM = "not_in_room"
    TOO_MANY_ROOMS = "too_many_rooms"
    SEATS_USED = "seats_used"
    ONLY_READING = "only_reading"
    SLOW_MODE = "slow_mode"
    NOT_YOUR_TURN = "not_your_turn"
    SAID_ONCE = "said_once"
    # Posts.
    TEXT_EMPTY = "text_empty"
    TEXT_TOO_LONG = "text_too_long"
    POST_UNKNOWN = "post_unknown"
    POST_REDACTED = "post_redacted"
    NOT_YOURS = "not_yours"
    EDIT_TOO_LATE = "edit_too_late"
    EPOCH_STALE = "epoch_stale"
    TOO_MANY_MUTES = "too_many_mutes"
    # One-to-one.
    LISTENING_CLOSED = "listening_closed"
    SESSIONS_USED = "sessions_used"
    PLACES_USED = "places_used"
    NOT_NOBODY = "not_nobody"
    IN_SESSION = "in_session"
    PLACE_GONE = "place_gone"
    PROPOSAL_GONE = "proposal_gone"
    SESSION_UNKNOWN = "session_unknown"
    SESSION_OVER = "session_over"
    NO_MORE_TIME = "no_more_time"
    NOT_HOLDING = "not_holding"
    LISTENER_BUSY = "listener_busy"
    NOT_READY = "not_ready"
    NOT_LISTENER = "not_listener"
    WORDS_UNKNOWN = "words_unknown"
    NO_WORDS_YET = "no_words_yet"
    CONTACT_DETAILS = "contact_details"
    # Company while waiting.
    HOST_BUSY = "host_busy"
    HOST_RESTS = "host_rests"
    NOT_WAITING = "not_waiting"
    NO_SEAT = "no_seat"
    # Meetings.
    GROUP_UNKNOWN = "group_unknown"
    GROUP_ENDED = "group_ended"
    GROUP_CHANGED = "group_changed"
    GROUP_CLOSED = "group_closed"
    TOO_MANY_MEETINGS = "too_many_meetings"
    OFFERED_ALREADY = "offered_already"
    OFFER_GONE = "offer_gone"
    MEETING_UNKNOWN = "meeting_unknown"
    MEETING_FULL = "meeting_full"
    NOT_YET = "not_yet"
    DOORS_CLOSED = "doors_closed"
    SENT_OUT = "sent_out"
    PHASE_OVER = "phase_over"
    TOO_MANY_SIGN_UPS = "too_many_sign_ups"
    # The exchange.
    EXCHANGE_OFF = "exchange_off"
    NOT_PRACTISED = "not_practised"
    IN_EXCHANGE = "in_exchange"
    EXCHANGES_USED = "exchanges_used"
    LISTENER_FIRST = "listener_first"
    # Moderation.
    MUTED = "muted"
    REMOVED = "removed"
    BANNED = "banned"
    MEASURE_UNKNOWN = "measure_unknown"
    APPEALED = "appealed"
    REPORT_UNKNOWN = "report_unknown"
    REPORT_TAKEN = "report_taken"
    REPORT_CLOSED = "report_closed"
    NOT_CLAIMED = "not_claimed"
    NOT_PROPOSED = "not_proposed"
    REPORT_CHANGED = "report_changed"
    # Staff.
    NOT_ALLOWED = "not_allowed"
    SIGN_IN_REFUSED = "sign_in_refused"
    CONFIRMATION_REQUIRED = "confirmation_required"
    INVITATION_UNKNOWN = "invitation_unknown"
    PASSWORD_WEAK = "password_weak"  # noqa: S105 - a code
    # Room settings, announcements, raids and workers.
    ROOM_CHANGED = "room_changed"
    ROOM_NAME_TAKEN = "room_name_taken"
    ROOM_SPLIT = "room_split"
    TOO_FEW = "too_few"
    NOTICE_UNKNOWN = "notice_unknown"
    HOURS_CHANGED = "hours_changed"
    SCREENING_CHANGED = "screening_changed"
    RAID_UNKNOWN = "raid_unknown"
    JOINS_SLOWED = "joins_slowed"
    CHALLENGE = "challenge"
    READ_ONLY = "read_only"
    UNATTENDED = "unattended"
    WORKER_UNKNOWN = "worker_unknown"
    LAST_WORKER = "last_worker"
    # The service.
    STORAGE_UNAVAILABLE = "storage_unavailable"
    BUSY = "busy"
    DRAINING = "draining"
    INTERNAL = "internal"


class Refusal(Exception):
    """An expected refusal. It becomes a Reply, never a traceback.

    `retry_after` is in seconds and only given where waiting helps; `details` is small, safe to show to the caller and
    JSON-shaped (for instance the rooms that have space).
    """

    def __init__(
        self,
        reason: Reason,
        *,
        retry_after: float | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.retry_after = retry_after
        self.details = details
