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
    return [token for _, token in await _add(store, Role.LISTENER, range(start, start + count))]


async def add_facilitators(store: Store, count: int) -> list[tuple[MemberId, str]]:
    """Add facilitators, and return their members with the tokens of their sign-ins."""
    return await _add(store, Role.FACILITATOR, range(count))


async def _add(store: Store, role: Role, numbers: range) -> list[tuple[MemberId, str]]:
    added = []
    now = Millis(time.time_ns() // 1_000_000)
    for number in numbers:
        login, token = f"{role.value}{number}", secrets.token_urlsafe(32)
        member, name = MemberId(f"m_{role.value}{number:08}"), f"{role.value.title()} {number}"
        staff = Staff(member=member, login=login, name=name, roles=frozenset({role}), created_at=now)
        account = StaffSecrets(staff=staff, password_hash="nobody signs in", totp_secret=None, totp_step=0)
        await store.add_staff(account, login, None)
        hashed = hash_secret(token)
        assert hashed is not None
        await store.sign_in(hashed, member, now, Millis(now + 24 * _HOUR))
        added.append((member, token))
    return added
