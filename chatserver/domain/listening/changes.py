"""A listening state while it is being changed, and the events and effects of the changes.

Pure. The functions that decide write here. The state that it began from is not changed.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.commands import (
    Decided,
    FloorEffect,
    ListenerLeft,
    ListenerSet,
    ListeningEvent,
    SeekerLeft,
    SeekerSet,
    SessionForgotten,
    SessionSet,
    ShareForgotten,
    ShareSet,
)
from chatserver.domain.listening.company import Company, CompanyId, Host
from chatserver.domain.listening.company_commands import (
    CompanyForgotten,
    CompanySet,
    HostLeft,
    HostSet,
)
from chatserver.domain.listening.state import FairShare, Listener, ListeningState, Seeker, Session, SessionId


class Changes:
    """The tables of the state, each copied when it is first written to. A record that ends as it began makes no
    event."""

    def __init__(self, state: ListeningState) -> None:
        self.before = state
        self.state = state
        """The state with the changes so far."""
        self.effects: list[FloorEffect] = []
        self._seekers: dict[MemberId, None] = {}
        self._listeners: dict[MemberId, None] = {}
        self._sessions: dict[SessionId, None] = {}
        self._shares: dict[str, None] = {}
        self._companies: dict[CompanyId, None] = {}
        self._hosts: dict[MemberId, None] = {}

    # Reading

    def own_listener(self, member: MemberId) -> Listener:
        """Return a listener's own record. Raises NOT_LISTENER."""
        listener = self.state.listeners.get(member)
        if listener is None:
            raise Refusal(Reason.NOT_LISTENER)
        return listener

    def own_session(self, session: SessionId, member: MemberId) -> Session:
        """Return a session that somebody is in. Raises SESSION_UNKNOWN."""
        found = self.state.sessions.get(session)
        if found is None or member not in found.people:
            raise Refusal(Reason.SESSION_UNKNOWN)
        return found

    def known_session(self, session: SessionId, member: MemberId) -> Session:
        """Return a session that somebody is in, or left before its end. Raises SESSION_UNKNOWN."""
        found = self.state.sessions.get(session)
        if found is None or (member not in found.people and member not in found.left):
            raise Refusal(Reason.SESSION_UNKNOWN)
        return found

    def live_session(self, session: SessionId, member: MemberId) -> Session:
        """Return a session that is live. Raises SESSION_UNKNOWN or SESSION_OVER."""
        found = self.own_session(session, member)
        if not found.is_live:
            raise Refusal(Reason.SESSION_OVER)
        return found

    # Writing

    def set_seeker(self, seeker: Seeker) -> None:
        self._write_seekers(seeker.member)[seeker.member] = seeker

    def drop_seeker(self, member: MemberId) -> None:
        self._write_seekers(member).pop(member, None)

    def set_listener(self, listener: Listener) -> None:
        self._write_listeners(listener.member)[listener.member] = listener

    def drop_listener(self, member: MemberId) -> None:
        self._write_listeners(member).pop(member, None)

    def set_session(self, session: Session) -> None:
        self._write_sessions(session.id)[session.id] = session

    def drop_session(self, session: SessionId) -> None:
        self._write_sessions(session).pop(session, None)

    def set_share(self, share: FairShare) -> None:
        self._write_shares(share.id)[share.id] = share

    def drop_share(self, share: str) -> None:
        if share in self.state.shares:
            self._write_shares(share).pop(share)

    def set_company(self, company: Company) -> None:
        self._write_companies(company.id)[company.id] = company

    def drop_company(self, company: CompanyId) -> None:
        self._write_companies(company).pop(company, None)

    def set_host(self, host: Host) -> None:
        self._write_hosts(host.member)[host.member] = host

    def drop_host(self, member: MemberId) -> None:
        if member in self.state.hosts:
            self._write_hosts(member).pop(member)

    def _write_seekers(self, member: MemberId) -> dict[MemberId, Seeker]:
        if not self._seekers:
            self.state = msgspec.structs.replace(self.state, seekers={**self.state.seekers})
        self._seekers[member] = None
        return self.state.seekers

    def _write_listeners(self, member: MemberId) -> dict[MemberId, Listener]:
        if not self._listeners:
            self.state = msgspec.structs.replace(self.state, listeners={**self.state.listeners})
        self._listeners[member] = None
        return self.state.listeners

    def _write_sessions(self, session: SessionId) -> dict[SessionId, Session]:
        if not self._sessions:
            self.state = msgspec.structs.replace(self.state, sessions={**self.state.sessions})
        self._sessions[session] = None
        return self.state.sessions

    def _write_shares(self, share: str) -> dict[str, FairShare]:
        if not self._shares:
            self.state = msgspec.structs.replace(self.state, shares={**self.state.shares})
        self._shares[share] = None
        return self.state.shares

    def _write_companies(self, company: CompanyId) -> dict[CompanyId, Company]:
        if not self._companies:
            self.state = msgspec.structs.replace(self.state, companies={**self.state.companies})
        self._companies[company] = None
        return self.state.companies

    def _write_hosts(self, member: MemberId) -> dict[MemberId, Host]:
        if not self._hosts:
            self.state = msgspec.structs.replace(self.state, hosts={**self.state.hosts})
        self._hosts[member] = None
        return self.state.hosts

    # What comes of it

    def decided(self, session: SessionId | None = None) -> Decided:
        """Return the last value of every record that differs from its value before, with the effects."""
        events: list[ListeningEvent] = []
        before, after = self.before, self.state
        for session_id in self._sessions:
            if (now_session := after.sessions.get(session_id)) is None:
                if session_id in before.sessions:
                    events.append(SessionForgotten(session=session_id))
            elif now_session != before.sessions.get(session_id):
                events.append(SessionSet(session=now_session))
        for member in self._listeners:
            if (listener := after.listeners.get(member)) is None:
                if member in before.listeners:
                    events.append(ListenerLeft(member=member))
            elif listener != before.listeners.get(member):
                events.append(ListenerSet(listener=listener))
        for member in self._seekers:
            if (seeker := after.seekers.get(member)) is None:
                if member in before.seekers:
                    events.append(SeekerLeft(member=member))
            elif seeker != before.seekers.get(member):
                events.append(SeekerSet(seeker=seeker))
        for share_id in self._shares:
            if (share := after.shares.get(share_id)) is None:
                if share_id in before.shares:
                    events.append(ShareForgotten(share=share_id))
            elif share != before.shares.get(share_id):
                events.append(ShareSet(share=share))
        events.extend(self._of_companies())
        return Decided(events=tuple(events), effects=tuple(self.effects), session=session)

    def _of_companies(self) -> Iterator[ListeningEvent]:
        before, after = self.before, self.state
        for company_id in self._companies:
            if (company := after.companies.get(company_id)) is None:
                if company_id in before.companies:
                    yield CompanyForgotten(company=company_id)
            elif company != before.companies.get(company_id):
                yield CompanySet(company=company)
        for member in self._hosts:
            if (host := after.hosts.get(member)) is None:
                if member in before.hosts:
                    yield HostLeft(member=member)
            elif host != before.hosts.get(member):
                yield HostSet(host=host)
