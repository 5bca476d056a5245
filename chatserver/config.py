"""The configuration: a TOML file, `CHATSERVER_…` variables and the command line, checked before anything starts.

Later sources win: defaults, file, variables, command line. A key or value that is unknown, unreadable or contradictory
prevents the start with one line that names the key and where it was set (`ConfigError`). Only `server` and `cli` read
it.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

import msgspec
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    StringConstraints,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from chatserver.config_sections import (
    MINUTE,
    CoverageSection,
    ExchangeSection,
    ListeningSection,
    OperatorsSection,
    RetentionSection,
    RoomsSection,
    ScreeningSection,
    StaffSection,
    _as_limits,
    _database_url,
    _list,
    _network,
    _origin,
    _redis_url,
    _shared_network,
    _word_lists,
)
from chatserver.domain.limits import Limits
from chatserver.domain.listening.state import ListeningRules
from chatserver.domain.operating.alerts import Thresholds
from chatserver.domain.rooms.coverage import CoverageRules
from chatserver.secret import SHORTEST, SecretUnusable, derive, read_or_make_secret, read_secret
from chatserver.store.records import Retention

PREFIX: Final = "CHATSERVER_"
CONFIG_VARIABLE: Final = PREFIX + "CONFIG"
"""Names the configuration file if `--config` does not."""
EFFECTIVE_VARIABLE: Final = PREFIX + "EFFECTIVE"
"""The variable by which `chatserver serve` passes the checked configuration to its workers."""

_SERVICE_LINK: Final = re.compile(r"SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?")
_SERVICE_URL: Final = re.compile(r"(tcp|udp|sctp)://")

_BYTES_PER_CHARACTER: Final = 4
_FRAME_OVERHEAD: Final = 1_024
_HOUR: Final = 3_600_000


class ConfigError(Exception):
    """The configuration cannot be used. The message is one line for the operator and holds no secret."""


if TYPE_CHECKING:
    _LimitsSection = Limits
else:
    # The table of limits exists once, in the domain; this gives every field of it a key of its own.
    _LimitsSection = create_model(
        "_LimitsSection",
        __config__=ConfigDict(extra="forbid", frozen=True),
        **{
            field.name: (field.type, Field(field.default, gt=0, allow_inf_nan=False))
            for field in msgspec.structs.fields(Limits)
        },
    )


_Language = Annotated[str, Field(pattern=r"^[a-z0-9-]{2,16}$")]


class Settings(BaseSettings):
    """The effective configuration: plain, immutable, complete. Made by `load` or, in a worker, by `effective`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    """0 takes any free port."""
    metrics_port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    """The port of `/metrics`, which is then served only there. None: on `port`, like everything else."""
    metrics_host: str = "127.0.0.1"
    workers: Annotated[int, Field(ge=1, le=256)] = 1
    redis_url: Annotated[str, AfterValidator(_redis_url)] | None = Field(default=None, repr=False)
    redis_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")] = "chat"
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        default="sqlite:///{data_dir}/chat.db", repr=False
    )
    database_connections: Annotated[int, Field(ge=3, le=100)] = 8
    """How many connections to PostgreSQL each worker may open. Ignored with SQLite."""
    data_dir: Path = Path("data")
    words_dir: Annotated[Path, AfterValidator(_word_lists)] | None = None
    """A directory with the operator's own word lists, which add to the shipped ones or replace them."""
    safety_contact: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = ""
    """A contact outside of this service, as text: it is shown to a reporter if nobody here may handle their report."""
    public_origins: Annotated[
        tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_list)
    ] = ()
    trusted_proxies: Annotated[
        tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(_list)
    ] = ()
    shared_networks: Annotated[
        tuple[Annotated[str, AfterValidator(_shared_network)], ...], NoDecode, BeforeValidator(_list)
    ] = ()
    """Networks in which many people share one address, each with a factor for the limits of an address."""
    secure_cookies: Literal["auto", "always", "never"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "text"] = "auto"
    secret_key: Annotated[SecretStr, Field(min_length=SHORTEST)] | None = None
    secret_key_file: Path | None = None
    retention: RetentionSection = RetentionSection()
    staff: StaffSection = StaffSection()
    duty: CoverageSection = CoverageSection()
    operators: OperatorsSection = OperatorsSection()
    rooms: RoomsSection = RoomsSection()
    screening: ScreeningSection = ScreeningSection()
    listening: ListeningSection = ListeningSection()
    exchange: ExchangeSection = ExchangeSection()
    limits: Annotated[_LimitsSection, AfterValidator(_as_limits), PlainSerializer(msgspec.structs.asdict)] = Field(
        default_factory=_LimitsSection
    )

    @model_validator(mode="before")
    @classmethod
    def _place_database(cls, values: dict[str, Any]) -> dict[str, Any]:
        template = values.get("database_url", cls.model_fields["database_url"].default)
        if isinstance(template, str):
            data_dir = str(values.get("data_dir", cls.model_fields["data_dir"].default))
            values = {**values, "database_url": template.replace("{data_dir}", data_dir)}
        return values

    @model_validator(mode="after")
    def _refuse_contradictions(self) -> Self:
        if self.workers > 1 and self.redis_url is None:
            raise ValueError(f"workers = {self.workers} needs redis_url: workers reach one another through Redis")
        if self.secret_key is not None and self.secret_key_file is not None:
            raise ValueError("secret_key and secret_key_file are both set; keep one")
        limits = self.limits
        needed = limits.text_length * _BYTES_PER_CHARACTER + _FRAME_OVERHEAD
        if limits.frame_bytes < needed:
            raise ValueError(
                f"limits.frame_bytes = {limits.frame_bytes} cannot carry limits.text_length = {limits.text_length}"
                f" characters; it must be at least {needed}"
            )
        if limits.outbox_bytes < 2 * limits.frame_bytes:
            raise ValueError("limits.outbox_bytes must be at least twice limits.frame_bytes")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings)

    @property
    def warnings(self) -> list[str]:
        """Return one line for each setting that is allowed but dangerous."""
        found = []
        if "*" in self.trusted_proxies:
            found.append(
                'trusted_proxies = "*": behind a proxy that appends to X-Forwarded-For visitors choose the address '
                "that limits and bans count by; name the proxy's address or network"
            )
        return found

    @property
    def networks_shared(self) -> list[tuple[str, int]]:
        """Return the shared networks, each with its factor."""
        pairs = (each.partition("=") for each in self.shared_networks)
        return [(network, int(factor)) for network, _, factor in pairs]

    @property
    def store_retention(self) -> Retention:
        """Return the retention in the store's own units."""
        return Retention(
            room_age=round(self.retention.room_hours * _HOUR),
            posts_per_room=self.retention.posts_per_room,
            member_age=round(self.retention.member_days * 24 * _HOUR),
            report_age=round(self.retention.report_days * 24 * _HOUR),
            evidence_age=round(self.retention.evidence_days * 24 * _HOUR),
            debrief_age=round(self.retention.debrief_days * 24 * _HOUR),
            feedback_age=round(self.retention.feedback_days * 24 * _HOUR),
            timings_age=round(self.retention.timing_days * 24 * _HOUR),
        )

    @property
    def coverage_rules(self) -> CoverageRules:
        return CoverageRules(
            grace=round(self.duty.grace_seconds * 1000), patience=round(self.duty.patience_minutes * MINUTE)
        )

    @property
    def listening_rules(self) -> ListeningRules:
        """Return the rules of one-to-one in the domain's own units."""
        own = self.listening
        return ListeningRules(
            grace=round(own.place_minutes * MINUTE),
            session_grace=round(own.gone_seconds * 1000),
            reachable=round(own.reachable_seconds * 1000),
            proposal=round(own.proposal_seconds * 1000),
            ask_again=round(own.ask_again_seconds * 1000),
            most_ignored=own.most_ignored,
            lease=round(own.lease_minutes * MINUTE),
            length=round(own.session_minutes * MINUTE),
            longest=round(own.longest_minutes * MINUTE),
            extension=round(own.extension_minutes * MINUTE),
            idle=round(own.idle_minutes * MINUTE),
            warning=round(own.warning_minutes * MINUTE),
            pause=round(own.pause_minutes * MINUTE),
            cool_down=round(own.cool_down_minutes * MINUTE),
            sessions_a_day=own.sessions_a_day,
            sessions_a_week=own.sessions_a_week,
            member_sessions_a_day=own.sessions_per_member_a_day,
            places_per_network=own.places_per_address,
            network_sessions_an_hour=own.sessions_per_address_an_hour,
            brief=round(own.brief_seconds * 1000),
            nobody_after=round(own.nobody_after_seconds * 1000),
            rest=round(own.rest_seconds * 1000),
            most_cap=own.most_at_once,
            keep=round(own.keep_minutes * MINUTE),
            words_days=own.words_days,
            company=own.company_rules,
        )

    @property
    def thresholds(self) -> Thresholds:
        """Return the thresholds of alerts in the domain's own units."""
        own = self.operators.model_dump()
        unmoderated, wait = own.pop("unmoderated_minutes"), own.pop("wait_minutes")
        return Thresholds(unmoderated=round(unmoderated * MINUTE), wait=round(wait * MINUTE), **own)

    @property
    def sign_in_age(self) -> int:
        """Return the milliseconds after which a staff sign-in ends."""
        return round(self.staff.sign_in_hours * _HOUR)

    @property
    def invitation_age(self) -> int:
        """Return the milliseconds after which an invitation is no longer valid."""
        return round(self.staff.invitation_hours * _HOUR)

    @property
    def secret_file(self) -> Path:
        """Return the path of the master secret, used unless `secret_key` holds it."""
        return self.secret_key_file if self.secret_key_file is not None else self.data_dir / "secret.key"

    @property
    def redis_namespace(self) -> str:
        """Return the prefix of every name in Redis: the configured prefix, and a mark of the secret.

        Two installations that share a Redis server by mistake have different secrets, so that neither hears the other's
        workers or is heard by them. Raises ConfigError if the secret cannot be read.
        """
        return f"{self.redis_prefix}.{self.secret('redis names').hex()[:12]}"

    def secret(self, label: str) -> bytes:
        """Return 32 secret bytes for one purpose, the same in every worker and after every restart. Raises
        ConfigError."""
        return derive(self.master_secret(), label)

    def master_secret(self) -> bytes:
        """Return the configured secret, or the one in the data directory, made on the first run. Raises ConfigError."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value().encode()
        try:
            if self.secret_key_file is not None:
                return read_secret(self.secret_key_file)
            return read_or_make_secret(self.data_dir / "secret.key")
        except (OSError, SecretUnusable) as error:
            raise ConfigError(f"{self.secret_file}: {_one_line(error)}") from None


def load(config: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read and check everything. `overrides` come from the command line, by key. Raises ConfigError."""
    if config is None and os.environ.get(CONFIG_VARIABLE):
        config = Path(os.environ[CONFIG_VARIABLE])
    overrides = dict(overrides or {})
    file = _read_file(config) if config is not None else {}
    _drop_service_links()
    _refuse_unknown_variables()
    try:
        return _reading(file)(**overrides)
    except ValidationError as error:
        raise ConfigError(_explain(error, config, file, overrides)) from None
    except SettingsError as error:
        raise ConfigError(_one_line(error)) from None


def hand_over(settings: Settings) -> dict[str, str]:
    """Return the environment variables that make `effective` the same in a worker process. They may hold secrets."""
    variables = {EFFECTIVE_VARIABLE: settings.model_dump_json(exclude={"secret_key"})}
    if settings.secret_key is not None:
        variables[_variable("secret_key")] = settings.secret_key.get_secret_value()
    return variables


def effective() -> Settings:
    """Return what `chatserver serve` checked and passed on; in a process that it did not start, `load()`."""
    handed = os.environ.get(EFFECTIVE_VARIABLE)
    return load() if handed is None else Settings(**msgspec.json.decode(handed))


def masked(settings: Settings) -> dict[str, object]:
    """Return the effective configuration as plain values, with secrets and passwords in URLs masked."""
    values: dict[str, object] = settings.model_dump(mode="json", exclude_none=True)
    for key in ("redis_url", "database_url"):
        if key in values:
            values[key] = mask_url(str(values[key]))
    return values


def mask_url(url: str) -> str:
    """Return a URL with asterisks for its password and for every query parameter with a password's name."""
    # Up to the last @, because a password that should have been quoted may contain anything.
    url = re.sub(r"(?<=://)([^/@:]*):(.*)@", r"\1:********@", url)
    return re.sub(r"([?&][^=&]*password[^=&]*=)[^&]*", r"\1********", url, flags=re.IGNORECASE)


def to_toml(values: Mapping[str, Any]) -> str:
    """Return plain values, one level of sections deep, as TOML."""
    lines = [f"{key} = {_toml_value(value)}" for key, value in values.items() if not isinstance(value, dict)]
    for section, held in values.items():
        if isinstance(held, dict):
            lines += ["", f"[{section}]", *(f"{key} = {_toml_value(value)}" for key, value in held.items())]
    return "\n".join(lines) + "\n"


def _toml_value(value: object) -> str:
    # TOML writes strings, numbers, booleans and lists of them like JSON, except for one control character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _reading(file: dict[str, Any]) -> type[Settings]:
    """Return Settings that also take a file's content. Variables and the command line take precedence over it."""

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=file))

    return FromFile


def _read_file(path: Path) -> dict[str, Any]:
    try:
        # Editors on Windows put a byte order mark before the first key.
        return tomllib.loads(path.read_text("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: this is not written in UTF-8; save the file as UTF-8") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {_one_line(error)}") from None


def _refuse_unknown_variables() -> None:
    known = {_variable(key) for key in known_keys()} | {CONFIG_VARIABLE, EFFECTIVE_VARIABLE}
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise ConfigError(f"{name}: there is no such setting{_closest(name, known)}")


def quoted_variables() -> list[str]:
    """Return one line for each of our variables whose value is in quotation marks, which then are part of the value.

    A shell, Compose and systemd remove them, but `docker run --env-file` keeps them, so the same line would set
    different secrets.
    """
    names = [name for name in sorted(os.environ) if name.upper().startswith(PREFIX) and name != EFFECTIVE_VARIABLE]
    return [
        f"{name} begins and ends with a quotation mark, which counts as part of it (docker run --env-file keeps them); "
        "write it without"
        for name in names
        if (value := os.environ[name])[:1] in {'"', "'"} and len(value) > 1 and value[-1] == value[0]
    ]


def _drop_service_links() -> None:
    """Remove variables that a platform has set for its services, because none of them is a setting."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX) and _is_service_link(name)]:
        del os.environ[name]


def _is_service_link(name: str) -> bool:
    """Return whether Kubernetes or Docker made this variable for a service named `chatserver`.

    For a service NAME, a pod gets NAME_SERVICE_HOST, NAME_SERVICE_PORT…, NAME_PORT=tcp://… and NAME_PORT_…, which look
    like our settings: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    look like settings of ours: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    """
    rest = name.upper().removeprefix(PREFIX)
    if rest == "PORT":
        return _SERVICE_URL.match(os.environ[name]) is not None
    return _SERVICE_LINK.fullmatch(rest) is not None


def known_keys() -> list[str]:
    """Return every key, those of sections with a dot: `port`, `limits.frame_bytes`."""
    sections = {
        "retention": list(RetentionSection.model_fields),
        "staff": list(StaffSection.model_fields),
        "duty": list(CoverageSection.model_fields),
        "operators": list(OperatorsSection.model_fields),
        "rooms": list(RoomsSection.model_fields),
        "screening": list(ScreeningSection.model_fields),
        "listening": list(ListeningSection.model_fields),
        "exchange": list(ExchangeSection.model_fields),
        "limits": [field.name for field in msgspec.structs.fields(Limits)],
    }
    keys: list[str] = []
    for name in Settings.model_fields:
        keys.extend(f"{name}.{key}" for key in sections[name]) if name in sections else keys.append(name)
    return keys


def _explain(error: ValidationError, path: Path | None, file: dict[str, Any], overrides: dict[str, object]) -> str:
    """Return the first error: where it was set, its key, and why."""

    def place(dotted: str) -> str | None:
        section, _, key = dotted.partition(".")
        if section in overrides:
            return "--" + section.replace("_", "-")
        if _variable(dotted) in {name.upper() for name in os.environ}:
            return _variable(dotted)
        held = file.get(section)
        is_in_file = key in held if key and isinstance(held, dict) else section in file
        return str(path) if is_in_file else None

    first = error.errors(include_url=False, include_context=False)[0]
    message = str(first["msg"]).removeprefix("Value error, ")
    dotted = ".".join(str(part) for part in first["loc"][:2] if isinstance(part, str) and part in _words())
    if first["type"] == "extra_forbidden":
        dotted = ".".join(str(part) for part in first["loc"])
        message = f"there is no such setting{_closest(dotted, known_keys())}"
    if dotted:
        return f"{place(dotted) or 'default'}: {dotted}: {message}"
    places = {found for key in known_keys() if re.search(rf"\b{re.escape(key)}\b", message) and (found := place(key))}
    return f"{', '.join(sorted(places))}: {message}" if places else message


def _words() -> set[str]:
    return {word for key in known_keys() for word in key.split(".")} | {"retention", "listening", "exchange", "limits"}


def _variable(dotted: str) -> str:
    return PREFIX + dotted.replace(".", "__").upper()


def _closest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _one_line(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())
