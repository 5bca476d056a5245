"""Converts the listening state's records to rows, and back.

Pure, except for a cache: a record whose bytes are the same as last time is not decoded again. Because the bytes are
compared, the cache cannot be out of date.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.listening.commands import (
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
from chatserver.store.core.compiler import Params, Row

SEEKER: Final = "seeker"
LISTENER: Final = "listener"
SESSION: Final = "session"
SHARE: Final = "share"
COMPANY: Final = "company"
HOST: Final = "host"
WAIT: Final = "wait"

Record = Seeker | Listener | Session | FairShare | Company | Host
Key = tuple[str, str]
"""A record's kind and id."""

_encode: Final = msgspec.msgpack.Encoder().encode
_seeker: Final = msgspec.msgpack.Decoder(Seeker).decode
_listener: Final = msgspec.msgpack.Decoder(Listener).decode
_session: Final = msgspec.msgpack.Decoder(Session).decode
_share: Final = msgspec.msgpack.Decoder(FairShare).decode
_company: Final = msgspec.msgpack.Decoder(Company).decode
_host: Final = msgspec.msgpack.Decoder(Host).decode
_replace: Final = msgspec.structs.replace


class _Known(NamedTuple):
    """A record as it was last read. `seen_at` is kept apart, because noting it does not write the body."""

    body: bytes
    seen_at: Millis | None
    record: Record


class ListeningRows:
    """Makes listening states from rows. Several threads may use it at once: each reads and replaces a whole cache."""

    def __init__(self) -> None:
        self._known: dict[Key, _Known] = {}

    def state(self, version: int, rows: Iterable[Row]) -> ListeningState:
        """Return the listening state from rows of kind, id, `seen_at` and body. For a hand-over, `asked_at` takes the
        place of `seen_at`, and `met_at` is a fifth column. Other rows without a kind are skipped; they stand for an
        empty state."""
        known, kept = self._known, dict[Key, _Known]()
        seekers: dict[MemberId, Seeker] = {}
        listeners: dict[MemberId, Listener] = {}
        sessions: dict[SessionId, Session] = {}
        shares: dict[str, FairShare] = {}
        companies: dict[CompanyId, Company] = {}
        hosts: dict[MemberId, Host] = {}
        waits: list[tuple[Millis, Millis]] = []
        for kind, id_, seen_at, body, *rest in rows:
            if kind == WAIT:
                waits.append((seen_at, rest[0]))
                continue
            if kind is None:
                continue
            key = (kind, id_)
            found = known.get(key)
            if found is None or found.body != body:
                found = _Known(body, seen_at, _decoded(kind, body, seen_at))
            elif found.seen_at != seen_at:
                found = _Known(body, seen_at, _replace(found.record, seen_at=seen_at))
            kept[key] = found
            record = found.record
            if isinstance(record, Seeker):
                seekers[record.member] = record
            elif isinstance(record, Listener):
                listeners[record.member] = record
            elif isinstance(record, FairShare):
                shares[record.id] = record
            elif isinstance(record, Company):
                companies[record.id] = record
            elif isinstance(record, Host):
                hosts[record.member] = record
            else:
                sessions[record.id] = record
        self._known = kept
        waits.sort(key=lambda wait: (wait[1], wait[0]))
        return ListeningState(
            version=version,
            seekers=seekers,
            listeners=listeners,
            sessions=sessions,
            shares=shares,
            companies=companies,
            hosts=hosts,
            waits=tuple(waits),
        )


def _decoded(kind: str, body: bytes, seen_at: Millis | None) -> Record:
    record: Record
    if kind == SESSION:
        return _session(body)
    if kind == SHARE:
        return _share(body)
    if kind == COMPANY:
        return _company(body)
    record = _seeker(body) if kind == SEEKER else _host(body) if kind == HOST else _listener(body)
    return record if record.seen_at == seen_at else _replace(record, seen_at=seen_at)


def record_of(floor: ListeningState, key: Key) -> Record | None:
    """Return a record by its key, or None."""
    kind, id_ = key
    if kind == SEEKER:
        return floor.seekers.get(MemberId(id_))
    if kind == LISTENER:
        return floor.listeners.get(MemberId(id_))
    if kind == SHARE:
        return floor.shares.get(id_)
    if kind == COMPANY:
        return floor.companies.get(CompanyId(id_))
    if kind == HOST:
        return floor.hosts.get(MemberId(id_))
    return floor.sessions.get(SessionId(id_))


def keys_of(floor: ListeningState) -> list[Key]:
    """Return the key of every record."""
    return [
        *((SEEKER, id_) for id_ in floor.seekers),
        *((LISTENER, id_) for id_ in floor.listeners),
        *((SESSION, id_) for id_ in floor.sessions),
        *((SHARE, id_) for id_ in floor.shares),
        *((COMPANY, id_) for id_ in floor.companies),
        *((HOST, id_) for id_ in floor.hosts),
    ]


def key_of(event: ListeningEvent) -> Key:
    """Return the key of the record that an event sets or removes."""
    match event:
        case SeekerSet(seeker=seeker):
            return SEEKER, seeker.member
        case SeekerLeft(member=member):
            return SEEKER, member
        case ListenerSet(listener=listener):
            return LISTENER, listener.member
        case ListenerLeft(member=member):
            return LISTENER, member
        case SessionSet(session=session):
            return SESSION, session.id
        case SessionForgotten(session=id_):
            return SESSION, id_
        case ShareSet(share=share):
            return SHARE, share.id
        case ShareForgotten(share=share_id):
            return SHARE, share_id
        case CompanySet(company=company):
            return COMPANY, company.id
        case CompanyForgotten(company=company_id):
            return COMPANY, company_id
        case HostSet(host=host):
            return HOST, host.member
        case HostLeft(member=member):
            return HOST, member


def values_of(record: Record) -> Params:
    """Return a record's `seen_at` and body."""
    return None if isinstance(record, Session | FairShare | Company) else record.seen_at, _encode(record)
