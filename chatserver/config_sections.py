"""The sections of the configuration, and the checks of their values."""

from __future__ import annotations

import importlib.util
import ipaddress
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_settings import (
    NoDecode,
)
from redis.exceptions import RedisError

from chatserver import wordlists
from chatserver.bus.address import parse_address
from chatserver.domain.limits import Limits
from chatserver.domain.listening.company import CompanyRules
from chatserver.domain.listening.opening_hours import parse_hours
from chatserver.domain.moderation.screening_levels import LOADS, Loads

MOST_SHARED: Final = 1_000
"""The largest factor of a shared network. A larger one would be no limit any more."""


MINUTE: Final = 60_000
"""Milliseconds."""

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


_Count = Annotated[int, Field(ge=1)]


def _list(value: object) -> object:
    """Split a text at commas, as in variables and on the command line. Other values stay as they are."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _origin(value: str) -> str:
    parts = urlsplit(value.strip().lower())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query:
        raise ValueError(f"{value!r} is not an origin such as https://chat.example.org")
    return f"{parts.scheme}://{parts.netloc}"


def _network(value: str) -> str:
    if value == "*":
        return value
    network = ipaddress.ip_network(value, strict=False)
    # uvicorn takes 10.0.0.5/8 for a host name, and would silently trust nobody.
    return str(network) if "/" in value else value


def _shared_network(value: str) -> str:
    """Check a network and its factor, such as 192.0.2.0/24=30."""
    network, separator, factor = value.partition("=")
    if not separator or not factor.strip().isdecimal() or not 1 <= int(factor) <= MOST_SHARED:
        raise ValueError(f"{value!r} is not a network with a factor from 1 to {MOST_SHARED}, such as 192.0.2.0/24=30")
    return f"{ipaddress.ip_network(network.strip(), strict=False)}={int(factor)}"


def _word_lists(value: Path) -> Path:
    wordlists.load(value)
    return value


def _hours(value: str) -> str:
    parse_hours(value)
    return value


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{value!r} is not a time zone that this machine knows, such as Europe/London") from None
    return value


def _redis_url(value: str) -> str:
    try:
        parse_address(value).tls_context()
    except (OSError, RedisError) as error:
        raise ValueError(f"its TLS settings cannot be used: {error}") from None
    return value


def _database_url(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in {"sqlite", "postgresql", "postgres"}:
        raise ValueError("a database URL starts with sqlite:/// or postgresql://")
    if scheme == "sqlite" and (not rest.startswith("/") or rest in {"/", "/:memory:"}):
        raise ValueError("SQLite needs a file: sqlite:///relative/path or sqlite:////absolute/path")
    if scheme != "sqlite" and importlib.util.find_spec("asyncpg") is None:
        raise ValueError("PostgreSQL's driver is not installed: pip install 'chatserver[postgres]'")
    return value


def _as_limits(section: object) -> Limits:
    return section if isinstance(section, Limits) else msgspec.convert(section, Limits, from_attributes=True)


class RetentionSection(BaseModel):
    """How long things are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    room_hours: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 24.0
    posts_per_room: Annotated[int, Field(gt=0)] = 50_000
    member_days: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 30.0
    report_days: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 180.0
    evidence_days: Annotated[float, Field(ge=1, le=180, allow_inf_nan=False)] = 30.0
    debrief_days: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 90.0
    feedback_days: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 365.0
    timing_days: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 14.0


class ListeningSection(BaseModel):
    """One-to-one sessions. `ListeningRules` explains each value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hours: Annotated[str, AfterValidator(_hours)] = "always"
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    languages: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]{2,16}$")], ...],
        NoDecode,
        BeforeValidator(_list),
        Field(min_length=1),
    ] = ("en",)
    # Connections are noted every five seconds: a shorter grace would end while somebody is connected.
    place_minutes: Annotated[float, Field(ge=0.25, allow_inf_nan=False)] = 3.0
    gone_seconds: Annotated[float, Field(ge=10, allow_inf_nan=False)] = 60.0
    reachable_seconds: Annotated[float, Field(ge=10, allow_inf_nan=False)] = 15.0
    proposal_seconds: _Positive = 30.0
    ask_again_seconds: _Positive = 60.0
    most_ignored: _Count = 2
    lease_minutes: Annotated[float, Field(ge=2, allow_inf_nan=False)] = 10.0
    session_minutes: _Positive = 45.0
    longest_minutes: _Positive = 120.0
    extension_minutes: _Positive = 15.0
    idle_minutes: _Positive = 10.0
    warning_minutes: _Positive = 5.0
    pause_minutes: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 5.0
    cool_down_minutes: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 30.0
    sessions_a_day: _Count = 8
    sessions_a_week: _Count = 30
    sessions_per_member_a_day: _Count = 4
    places_per_address: _Count = 5
    sessions_per_address_an_hour: _Count = 6
    brief_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 120.0
    nobody_after_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 30.0
    rest_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 30.0
    most_at_once: _Count = 4
    keep_minutes: _Positive = 60.0
    words_days: _Count = 90
    company_minutes: _Positive = 60.0
    company_rest_minutes: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 15.0
    company_gone_seconds: Annotated[float, Field(ge=10, allow_inf_nan=False)] = 60.0
    company_closes_minutes: _Positive = 5.0
    company_keep_minutes: _Positive = 15.0
    company_heavy_seats: Annotated[int, Field(ge=0)] = 2
    contact_details: Literal["off", "warn", "refuse"] = "warn"

    @property
    def company_rules(self) -> CompanyRules:
        """Return the rules of company while waiting in the domain's own units."""
        return CompanyRules(
            heavy_seats=self.company_heavy_seats,
            longest=round(self.company_minutes * MINUTE),
            pause=round(self.company_rest_minutes * MINUTE),
            host_grace=round(self.company_gone_seconds * 1000),
            host_gone=round(self.company_closes_minutes * MINUTE),
            keep=round(self.company_keep_minutes * MINUTE),
        )

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        if self.longest_minutes < self.session_minutes:
            raise ValueError("listening.longest_minutes must be at least listening.session_minutes")
        if self.warning_minutes >= self.session_minutes:
            raise ValueError("listening.warning_minutes must be less than listening.session_minutes")
        return self


class ExchangeSection(BaseModel):
    """Two members who talk and listen by turns. Only for installations whose members are adults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = False


class RoomsSection(BaseModel):
    """Settings of all themed rooms."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contact_details: Literal["off", "warn", "refuse"] = "warn"


class ScreeningSection(BaseModel):
    """Settings of what is noticed in posts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    second_look: bool = True
    writers_of_1000: Annotated[int, Field(ge=LOADS[0][0], le=LOADS[0][1])] = 50
    moderators_of_1000: Annotated[int, Field(ge=LOADS[1][0], le=LOADS[1][1])] = 15

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.moderators_of_1000 > self.writers_of_1000:
            raise ValueError("moderators_of_1000 must not be more than writers_of_1000")
        return self

    @property
    def loads(self) -> Loads:
        """Return how many of 1,000 ordinary posts the model may mark unless operators say otherwise."""
        return Loads(self.writers_of_1000, self.moderators_of_1000)


class OperatorsSection(BaseModel):
    """Thresholds from which something is shown as needing attention. `Thresholds` explains each value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    full_share: _Positive = 1.0
    nearly_full_share: _Positive = 0.9
    crowd_share: _Positive = 0.2
    unmoderated_minutes: _Positive = 10.0
    unmoderated_members: _Count = 3
    posts_a_minute: _Count = 60
    behind_share: _Positive = 0.1
    delivery_ms: _Count = 1_000
    wait_minutes: _Positive = 10.0
    lag_ms: _Count = 250
    cpu_share: _Positive = 0.9
    bus_ms: _Count = 500
    store_ms: _Count = 500


class CoverageSection(BaseModel):
    """What happens to a room that needs a moderator while none is there. `CoverageRules` explains each value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # That a moderator is there is noted again after a quarter of it, and checked every second.
    grace_seconds: Annotated[float, Field(ge=3, allow_inf_nan=False)] = 60.0
    patience_minutes: Annotated[float, Field(ge=0.02, allow_inf_nan=False)] = 5.0


class StaffSection(BaseModel):
    """How long sign-ins and invitations of staff are valid."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sign_in_hours: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 12.0
    invitation_hours: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 72.0
