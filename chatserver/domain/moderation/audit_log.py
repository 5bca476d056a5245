"""The audit log: what staff did, each entry chained to the one before it.

Pure. An entry's hash is SHA-256 over the hash before it and all of its fields, so that no entry can be changed, removed
or moved without changing every later hash. Only a head that was exported shows that the end was cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId

GENESIS: Final = bytes(32)
"""The hash before the first entry."""
_encode: Final = msgspec.msgpack.Encoder().encode


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """The content of an entry. `about` are the members whom it concerns; `subject` is a report's, measure's or note's
    id."""

    at: Millis
    by: MemberId
    action: str
    about: tuple[MemberId, ...]
    subject: str
    reason: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An act with its number, from 1 without a hole."""

    seq: int
    act: Act
    hash: bytes


class AuditHead(msgspec.Struct, frozen=True):
    """The newest entry's number and hash; 0 and GENESIS while there is none."""

    seq: int
    hash: bytes


class Tampered(Exception):
    """The log was changed. The message says at which entry, and what is wrong with it."""


def after(head: AuditHead, act: Act) -> Entry:
    """Return the entry that comes after a head."""
    seq = head.seq + 1
    fields = (seq, act.at, act.by, act.action, act.about, act.subject, act.reason)
    return Entry(seq=seq, act=act, hash=hashlib.sha256(head.hash + _encode(fields)).digest())


def head_of(entry: Entry) -> AuditHead:
    return AuditHead(entry.seq, entry.hash)


class Verifier:
    """Reads a log from its beginning, in parts, and compares it with heads that were exported."""

    def __init__(self, exported: Iterable[AuditHead] = ()) -> None:
        self.head = AuditHead(0, GENESIS)
        self._exported = {head.seq: head.hash for head in exported}

    def read(self, entries: Iterable[Entry]) -> None:
        """Read the next entries. Raises Tampered."""
        for entry in entries:
            expected = after(self.head, entry.act)
            if entry.seq != expected.seq:
                raise Tampered(f"entry {expected.seq} is missing, or stands elsewhere")
            if entry.hash != expected.hash:
                raise Tampered(f"entry {entry.seq} was changed, or one before it")
            self.head = head_of(entry)
            if self._exported.get(entry.seq, entry.hash) != entry.hash:
                raise Tampered(f"entry {entry.seq} is another than the exported one: the log was written anew")

    def finish(self, kept: AuditHead) -> AuditHead:
        """Finish reading; `kept` is the head that the database keeps. Return it. Raises Tampered."""
        newest = max(self._exported, default=0)
        if newest > self.head.seq:
            raise Tampered(f"the log ends at entry {self.head.seq}, and {newest} was exported: its end was cut off")
        if self._exported.get(0, GENESIS) != GENESIS:
            raise Tampered("the exported head is of no log")
        if kept != self.head:
            raise Tampered(f"the log ends at entry {self.head.seq}, and should at {kept.seq}: its end was cut off")
        return self.head
