"""Staff accounts over a store of their own, with a clock that a test moves."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher

from chatserver.domain.errors import Refusal
from chatserver.domain.history import Millis
from chatserver.domain.identity import MemberId
from chatserver.domain.people.staff import Role, Staff
from chatserver.handlers.people.proofs import Proof
from chatserver.handlers.people.staff import NewSignIn, StaffAccounts
from chatserver.store.drivers.sqlite import SqliteStore
from chatserver.store.records import SignIn

HOUR = 3_600_000


PASSWORD = "lamp river boots sky"


OTHER = "nine green bottles fall"


class Clock:
    def __init__(self) -> None:
        self.time = 1_767_225_600_000

    def __call__(self) -> Millis:
        return Millis(self.time)

    def pass_by(self, millis: int) -> None:
        self.time += millis


@dataclass
class Office:
    store: SqliteStore
    accounts: StaffAccounts
    clock: Clock
    changed: list[MemberId]

    async def operator(self, login: str = "anna") -> SignIn:
        await self.accounts.add_operator(login, login, PASSWORD)
        return (await self.accounts.sign_in(login, PASSWORD)).sign_in

    async def colleague(self, login: str, *roles: Role) -> NewSignIn:
        """Somebody who accepted an invitation."""
        link = await self.accounts.make_invitation(roles, None)
        return await self.accounts.accept_invitation(link.secret, login, login, PASSWORD)

    async def counting(self, operator: SignIn, welcome: NewSignIn) -> SignIn:
        """Their sign-in, once another operator has agreed to the role where it is one's."""
        if Role.OPERATOR in (await self.everybody())[welcome.sign_in.staff.login].roles:
            await self.accounts.agree(operator, welcome.sign_in.staff.member)
            self.changed.clear()
        return await self.again(welcome.sign_in)

    async def again(self, by: SignIn) -> SignIn:
        """The same sign-in as the store knows it now."""
        return (await self.store.sign_ins([by.token_hash], self.clock()))[by.token_hash]

    async def everybody(self) -> dict[str, Staff]:
        return {staff.login: staff for staff in await self.store.all_staff()}


QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""For what is about something else than hashing."""


as_served = pytest.mark.parametrize("office", [None], indirect=True, ids=["as served"])


async def refusal(asked: Awaitable[Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await asked
    return caught.value


async def with_factor(office: Office, by: SignIn) -> tuple[pyotp.TOTP, list[str]]:
    """Somebody's second factor, on from now on, and its recovery codes."""
    factor = await office.accounts.factors.begin_totp(by)
    app = pyotp.TOTP(factor.secret)
    codes = await office.accounts.factors.set_totp(
        by, factor.secret, app.at(office.clock() / 1000), Proof(password=PASSWORD)
    )
    office.clock.pass_by(30_000)
    return app, codes
