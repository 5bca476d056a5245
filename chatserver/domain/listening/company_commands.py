"""The commands, events and effects of company while waiting, as `commands.py` has those of listening.

Pure: types only.
"""

from __future__ import annotations

import msgspec

from chatserver.domain.identity import MemberId
from chatserver.domain.listening.company import Company, CompanyId, Host


class _Struct(msgspec.Struct, frozen=True, kw_only=True):
    pass


# Commands. The member who asks is an argument of `decide`.


class KeepCompany(_Struct, frozen=True, kw_only=True):
    """Keep company with seekers who wait: take on a company of this language that waits for a host, or open one with
    this id. Does nothing for somebody who keeps one already. `avoid` are the members between whom and the host there is
    a block. Raises HOST_BUSY for somebody who listens, talks or waits, and HOST_RESTS during a pause or at a cap."""

    company: CompanyId
    name: str
    language: str
    avoid: frozenset[MemberId] = frozenset()


class LeaveCompany(_Struct, frozen=True, kw_only=True):
    """Stop keeping company. Another host may take it on."""


class SitDown(_Struct, frozen=True, kw_only=True):
    """Take a seat in a company, and leave another for it. The place in the queue is not touched. `avoid` as in `Ask`.
    Raises NOT_WAITING for somebody who does not wait, and NO_SEAT if there is no seat for them there."""

    company: CompanyId
    avoid: frozenset[MemberId] = frozenset()


class StandUp(_Struct, frozen=True, kw_only=True):
    """Leave the company that one sits in. The place in the queue is not touched."""


class WaitAlone(_Struct, frozen=True, kw_only=True):
    """Decline company: it is not offered again by itself. Raises NOT_WAITING."""


CompanyAction = KeepCompany | LeaveCompany | SitDown | StandUp | WaitAlone


# Events. Each holds its record whole.


class CompanySet(_Struct, frozen=True, kw_only=True):
    """A company was opened, or something in it changed."""

    company: Company


class CompanyForgotten(_Struct, frozen=True, kw_only=True):
    """A company's content and record are removed."""

    company: CompanyId


class HostSet(_Struct, frozen=True, kw_only=True):
    host: Host


class HostLeft(_Struct, frozen=True, kw_only=True):
    """A host neither keeps company nor did lately."""

    member: MemberId


CompanyEvent = CompanySet | CompanyForgotten | HostSet | HostLeft


# Effects: what the same transaction does outside the listening state.


class OpenCompanyRoom(_Struct, frozen=True, kw_only=True):
    """Open the closed room of a new company, with its host."""

    company: CompanyId
    name: str
    host: MemberId


class SeatInCompany(_Struct, frozen=True, kw_only=True):
    """Make somebody a member of a company's room. They are shown nothing that was written before."""

    company: CompanyId
    member: MemberId


class LeaveCompanyRoom(_Struct, frozen=True, kw_only=True):
    """Remove somebody from a company's room."""

    company: CompanyId
    member: MemberId


class SetCompanyVoice(_Struct, frozen=True, kw_only=True):
    """Say whether people may write in a company's room. Published in the room as `room_changed`."""

    company: CompanyId
    is_open: bool


class CloseCompanyRoom(_Struct, frozen=True, kw_only=True):
    """Close a company's room: nobody can write."""

    company: CompanyId


class DropCompanyRoom(_Struct, frozen=True, kw_only=True):
    """Remove a company's content and room from the database and its files."""

    company: CompanyId


CompanyEffect = (
    OpenCompanyRoom | SeatInCompany | LeaveCompanyRoom | SetCompanyVoice | CloseCompanyRoom | DropCompanyRoom
)
