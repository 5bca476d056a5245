"""Entries of the audit log about staff accounts, and how failed attempts are folded into few entries.

Pure. `by` of an entry is who acted: a staff member, or MACHINE for a command on the machine. An entry holds nobody's
login, name, address or secret, so that erasing an account leaves nothing of them there.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId

MACHINE: Final = MemberId("m_service")
"""The actor of commands on the machine."""
NOBODYS: Final = MemberId("")
"""The owner of attempts at unknown logins: all of them together."""
FOLDED_FOR: Final = 3_600_000
"""Milliseconds within which the failed attempts for one login make one entry, however many there are."""


class AccountAct(StrEnum):
    """The actions of entries about accounts. The values are in existing logs: they never change."""

    MADE = "account_made"
    INVITED = "account_invited"
    ACCEPTED = "account_accepted"
    ROLES = "account_roles"
    AGREED = "account_agreed"
    REVOKED = "account_revoked"
    ERASED = "account_erased"
    RESET = "account_reset"
    RESET_USED = "account_reset_used"
    SIGNED_IN = "account_signed_in"
    TRIED = "account_tried"
    SIGNED_OUT = "account_signed_out"
    PASSWORD = "account_password"  # noqa: S105 - an action
    FACTOR_ON = "account_factor_on"
    FACTOR_REPLACED = "account_factor_replaced"
    FACTOR_OFF = "account_factor_off"
    PASSKEY_ADDED = "account_passkey_added"
    PASSKEY_REMOVED = "account_passkey_removed"
    RECOVERY_MADE = "account_recovery_made"
    RECOVERY_USED = "account_recovery_used"
    NOTES_READ = "debriefs_read"
    NOTE_READ = "debrief_read"


ROUTINE: Final = frozenset({AccountAct.SIGNED_IN, AccountAct.SIGNED_OUT, AccountAct.NOTES_READ, AccountAct.NOTE_READ})
"""Acts that happen all day, and as often as anybody wants: operators are shown the newest of them separately, so that
they hide nothing of the rest."""


class FoldedTries(msgspec.Struct, frozen=True, kw_only=True):
    """Failed attempts at passwords and codes for one account. `count` are those since its owner last signed in, the
    newest at `last_at`; `unlogged` of them are in no entry yet; `logged_at` is the last entry's time, 0 without."""

    count: int = 0
    last_at: Millis = Millis(0)
    unlogged: int = 0
    logged_at: Millis = Millis(0)


def tried(before: FoldedTries, now: Millis) -> tuple[FoldedTries, int]:
    """Return the attempts with one more at `now`, and how many an entry has to report now; 0: no entry is due."""
    unlogged = before.unlogged + 1
    after = msgspec.structs.replace(before, count=before.count + 1, last_at=now, unlogged=unlogged)
    if now - before.logged_at < FOLDED_FOR:
        return after, 0
    return msgspec.structs.replace(after, unlogged=0, logged_at=now), unlogged


def is_owed(tries: FoldedTries, now: Millis) -> bool:
    """Return whether attempts wait for their entry, and it may be written now."""
    return tries.unlogged > 0 and now - tries.logged_at >= FOLDED_FOR
