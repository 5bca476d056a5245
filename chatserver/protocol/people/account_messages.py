"""The messages about the staff's accounts, for operators: `docs/protocol.md`, "Accounts"."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from chatserver.domain.errors import Reason
from chatserver.domain.history import Millis
from chatserver.domain.identity import Person
from chatserver.domain.people.account_acts import AccountAct
from chatserver.domain.people.staff import Capability
from chatserver.protocol.fields import Command


class AskAccounts(Command, frozen=True, kw_only=True, tag="accounts"):
    """Get the newest acts on staff accounts. `accounts` pushes follow whenever there is something new."""

    answer: ClassVar[str] = "accounts"
    cost: ClassVar[float] = 2.0
    capability: ClassVar[Capability | None] = Capability.MANAGE_STAFF
    refusals: ClassVar[tuple[Reason, ...]] = (Reason.NOT_ALLOWED,)


class ActView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of the audit log about an account, with a number that is higher for later entries, and its time. `by`
    is absent if a command of the server did it (`is_machine`), and if it is not known who it was (failed attempts);
    `about` if it is about no account. An erased person has no name. `detail` holds roles, or a number of attempts."""

    seq: int
    at: Millis
    action: AccountAct
    by: Person | None = None
    about: Person | None = None
    detail: str = ""
    is_machine: bool = False


class WaitingView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An operator whose role does not count yet. It counts `at`, or when an operator agrees who is not `by`: who gave
    it, absent if a command of the server did."""

    member: Person
    at: Millis
    by: Person | None = None


class AccountsOk(Struct, frozen=True, kw_only=True, tag_field="ok", tag="accounts"):
    """The newest acts, newest first, and who waits to be an operator."""

    acts: tuple[ActView, ...]
    waiting: tuple[WaitingView, ...]


class AccountsPush(Struct, frozen=True, kw_only=True, tag_field="push", tag="accounts"):
    """The same as in the reply, whole, because there is something new. Not a fact: what is here replaces what was
    there."""

    acts: tuple[ActView, ...]
    waiting: tuple[WaitingView, ...]
