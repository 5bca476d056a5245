"""Many listeners, added directly to a store, because hashing a password for each would be slow."""

from __future__ import annotations

import secrets
import time

from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.staff import Role, Staff, hash_secret
from chatserver.store.records import StaffSecrets
from chatserver.store.store import Store

_HOUR = 3_600_000


async def add_listeners(store: Store, count: int, start: int = 0) -> list[str]:
    """Add listeners, and return the tokens of their sign-ins."""
    tokens = []
    now = Millis(time.time_ns() // 1_000_000)
    for number in range(start, start + count):
        member, name, token = MemberId(f"m_listener{number:08}"), f"Listener {number}", secrets.token_urlsafe(32)
        staff = Staff(
            member=member, login=f"listener{number}", name=name, roles=frozenset({Role.LISTENER}), created_at=now
        )
        account = StaffSecrets(staff=staff, password_hash="nobody signs in", totp_secret=None, totp_step=0)
        await store.add_staff(account, f"listener{number}", None)
        hashed = hash_secret(token)
        assert hashed is not None
        await store.sign_in(hashed, member, now, Millis(now + 24 * _HOUR))
        tokens.append(token)
    return tokens
