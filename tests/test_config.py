"""The configuration: where values come from, and the one line that each mistake gets."""

from __future__ import annotations

import os
import re
import stat
import threading
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from chatserver.config import (
    EFFECTIVE_VARIABLE,
    ConfigError,
    Settings,
    effective,
    hand_over,
    known_keys,
    load,
    mask_url,
    masked,
    to_toml,
)
from chatserver.config_sections import OperatorsSection
from chatserver.domain.limits import COUNTED, Counted, Limits
from chatserver.store.records import Retention

ROOT = Path(__file__).resolve().parents[1]
WriteToml = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("CHATSERVER_"):
            monkeypatch.delenv(name)


@pytest.fixture
def write_toml(tmp_path: Path) -> WriteToml:
    def write(text: str) -> Path:
        path = tmp_path / "chat.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def test_the_defaults_are_the_tables_of_the_domain_and_the_store() -> None:
    settings = load()
    assert settings.limits == Limits()
    assert settings.store_retention == Retention()
    assert settings.workers == 1
    assert settings.redis_url is None


def test_the_database_lies_in_the_data_directory() -> None:
    assert load(overrides={"data_dir": "/var/lib/chat"}).database_url == "sqlite:////var/lib/chat/chat.db"
    assert load().database_url == "sqlite:///data/chat.db"


def test_later_sources_win(write_toml: WriteToml, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_toml('port = 1\nhost = "file"\nlog_level = "error"\n[limits]\ntext_length = 100\nname_length = 5\n')
    monkeypatch.setenv("CHATSERVER_PORT", "2")
    monkeypatch.setenv("CHATSERVER_HOST", "variable")
    monkeypatch.setenv("CHATSERVER_LIMITS__NAME_LENGTH", "6")
    settings = load(path, {"port": 3})
    assert (settings.port, settings.host, settings.log_level) == (3, "variable", "error")
    assert settings.limits == Limits(text_length=100, name_length=6)


def test_a_variable_may_name_the_file(write_toml: WriteToml, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATSERVER_CONFIG", str(write_toml("port = 7")))
    assert load().port == 7


def test_variables_write_lists_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATSERVER_PUBLIC_ORIGINS", "https://Chat.Example.org, http://localhost:3000/")
    monkeypatch.setenv("CHATSERVER_TRUSTED_PROXIES", "10.0.0.0/8,::1")
    settings = load()
    assert settings.public_origins == ("https://chat.example.org", "http://localhost:3000")
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")


def test_believing_every_proxy_is_warned_of() -> None:
    (warning,) = load(overrides={"trusted_proxies": ["*"]}).warnings
    assert "trusted_proxies" in warning
    assert load(overrides={"trusted_proxies": ["10.0.0.0/8"]}).warnings == []


def test_a_shared_network_has_a_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATSERVER_SHARED_NETWORKS", "192.0.2.5/24=30, 2001:db8::/48 = 10")
    assert load().networks_shared == [("192.0.2.0/24", 30), ("2001:db8::/48", 10)]
    for wrong in ("192.0.2.0/24", "192.0.2.0/24=0", "192.0.2.0/24=1001", "192.0.2.0/24=x", "school=3"):
        with pytest.raises(ConfigError):
            load(overrides={"shared_networks": [wrong]})


def test_a_network_of_proxies_may_be_named_by_one_of_them() -> None:
    settings = load(overrides={"trusted_proxies": ["10.0.0.5/8", "fd00::1/8", "10.0.0.5", "*"]})
    assert settings.trusted_proxies == ("10.0.0.0/8", "fd00::/8", "10.0.0.5", "*")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prot = 1", ["prot", "no such setting", "did you mean port?"]),
        ("[limits]\nframe_byte = 1", ["limits.frame_byte", "did you mean limits.frame_bytes?"]),
        ("[limit]\nframe_bytes = 1", ["limit", "no such setting"]),
        ("port = 'x'", ["port", "integer"]),
        ("port = 70000", ["port", "65535"]),
        ("limits = 3", ["limits"]),
        ("[limits]\nframe_bytes = -1", ["limits.frame_bytes", "greater than 0"]),
        ("[limits]\nping_seconds = inf", ["limits.ping_seconds", "finite"]),
        ("[limits]\nframe_bytes = 1000", ["limits.frame_bytes = 1000", "limits.text_length = 2000", "9024"]),
        ("[limits]\noutbox_bytes = 20000", ["limits.outbox_bytes", "twice"]),
        ("workers = 4", ["workers = 4", "redis_url"]),
        ("redis_url = 'http://x'", ["redis_url", "redis://"]),
        ("redis_prefix = 'a b'", ["redis_prefix"]),
        ("database_url = 'mysql://x/y'", ["database_url", "sqlite:///", "postgresql://"]),
        ("database_url = 'sqlite:///:memory:'", ["database_url", "file"]),
        ("public_origins = ['chat.example.org']", ["public_origins", "https://"]),
        ("public_origins = ['https://chat.example.org/path']", ["public_origins"]),
        ("trusted_proxies = ['10.0.0.0/99']", ["trusted_proxies", "10.0.0.0/99"]),
        ("secure_cookies = 'sometimes'", ["secure_cookies", "'auto'"]),
        (f"secret_key = '{'x' * 32}'\nsecret_key_file = 'k'", ["secret_key", "secret_key_file", "keep one"]),
        ("port = ", ["Invalid value"]),
    ],
)
def test_a_mistake_in_the_file_gets_one_line_that_names_the_file(
    write_toml: WriteToml, text: str, words: list[str]
) -> None:
    path = write_toml(text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CHATSERVER_PROT", "1", ["did you mean CHATSERVER_PORT?"]),
        ("CHATSERVER_LIMITS__FRAME_BYTE", "1", ["did you mean CHATSERVER_LIMITS__FRAME_BYTES?"]),
        ("CHATSERVER_LIMITS", "{}", ["no such setting"]),
        ("CHATSERVER_PORT", "eighty", ["port", "integer"]),
        ("CHATSERVER_LIMITS__TEXT_LENGTH", "x", ["limits.text_length", "integer"]),
        ("CHATSERVER_WORKERS", "4", ["redis_url"]),
        ("CHATSERVER_SECRET_KEY", "short", ["secret_key", "32"]),
    ],
)
def test_a_mistake_in_a_variable_gets_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: list[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load()
    message = str(caught.value)
    assert message.startswith(f"{name}: ")
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_mistake_on_the_command_line_names_the_option() -> None:
    with pytest.raises(ConfigError, match=r"^--workers: workers = 2 needs redis_url"):
        load(overrides={"workers": 2})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: No such file"):
        load(tmp_path / "nowhere.toml")


def test_a_refused_url_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATSERVER_REDIS_URL", "redis://me:hunter2@a,b/0")
    with pytest.raises(ConfigError) as caught:
        load()
    assert "hunter2" not in str(caught.value)


# ------------------------------------------------------------------------------------------------- handing over


def test_a_worker_gets_what_was_checked_and_reads_nothing_again(
    write_toml: WriteToml, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_toml(f"secret_key = '{'s' * 40}'\nport = 7\n[limits]\nname_length = 9\n[retention]\nroom_hours = 2\n")
    settings = load(path, {"redis_url": "redis://:pw@localhost/3", "workers": 2})
    for name, value in hand_over(settings).items():
        monkeypatch.setenv(name, value)
    path.write_text("port = 8")
    assert effective().model_dump() == settings.model_dump()
    assert effective().secret("x") == settings.secret("x")


def test_the_secret_key_is_not_in_what_a_listing_of_settings_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATSERVER_SECRET_KEY", "k" * 40)
    settings = load(overrides={"redis_url": "redis://u:hunter2@h/0", "database_url": "postgresql://u:hunter2@h/d"})
    assert "k" * 40 not in hand_over(settings)[EFFECTIVE_VARIABLE]
    for shown in (repr(settings), to_toml(masked(settings))):
        assert "k" * 40 not in shown
        assert "hunter2" not in shown


def test_the_printed_configuration_is_one_that_can_be_read(write_toml: WriteToml) -> None:
    settings = load(overrides={"port": 9, "public_origins": "https://a.example"})
    assert load(write_toml(to_toml(masked(settings)))).model_dump() == settings.model_dump()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:pw@host:1/0", "redis://user:********@host:1/0"),
        ("redis://:p:w@host", "redis://:********@host"),
        ("postgresql://u:p/w@x?#@host/db", "postgresql://u:********@host/db"),
        ("redis://host:1/0", "redis://host:1/0"),
        ("rediss+sentinel://h:1/s?sentinel_password=x&a=b", "rediss+sentinel://h:1/s?sentinel_password=********&a=b"),
        ("sqlite:///a:b@c", "sqlite:///a:b@c"),
    ],
)
def test_passwords_in_urls_are_masked(url: str, shown: str) -> None:
    assert mask_url(url) == shown


# ------------------------------------------------------------------------------------------------- the secret


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    settings = load(overrides={"data_dir": tmp_path / "data"})
    first = settings.secret("cookies")
    assert len(first) == 32
    assert stat.S_IMODE(settings.secret_file.stat().st_mode) == 0o600
    assert load(overrides={"data_dir": tmp_path / "data"}).secret("cookies") == first
    assert settings.secret("addresses") != first


def test_those_that_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    found: list[bytes] = []
    together = threading.Barrier(8)

    def start() -> None:
        settings = load(overrides={"data_dir": tmp_path})
        together.wait()
        found.append(settings.master_secret())

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]


def test_a_secret_that_others_may_read_stops_the_start(tmp_path: Path) -> None:
    settings = load(overrides={"data_dir": tmp_path})
    settings.master_secret()
    settings.secret_file.chmod(0o640)
    with pytest.raises(ConfigError, match=r"secret\.key: others may read .* chmod 600"):
        settings.master_secret()


def test_a_named_secret_file_is_never_made(tmp_path: Path) -> None:
    settings = load(overrides={"secret_key_file": tmp_path / "missing"})
    with pytest.raises(ConfigError, match=r"missing: No such file"):
        settings.secret("cookies")
    assert not settings.secret_file.exists()


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.key").touch(mode=0o600)
    with pytest.raises(ConfigError, match="shorter than 32"):
        load(overrides={"data_dir": tmp_path}).master_secret()


# ------------------------------------------------------------------------------------------------- what is written


def test_every_limit_has_its_key() -> None:
    assert {f"limits.{field.name}" for field in msgspec.structs.fields(Limits)} <= set(known_keys())


def test_the_annotated_example_says_every_key_with_its_default() -> None:
    """What may be left unset stands in it as a comment."""
    path = ROOT / "deploy" / "chatserver.toml"
    said = tomllib.loads(path.read_text("utf-8"))
    defaults = load().model_dump(mode="json", exclude_none=True)
    assert said == defaults | {"database_url": Settings.model_fields["database_url"].default}
    text = path.read_text("utf-8")
    for key in known_keys():
        assert f"{key.rpartition('.')[2]} = " in text, key


def test_the_operators_guide_repeats_every_threshold_of_the_operators_page() -> None:
    guide = (Path(__file__).parents[1] / "docs/operating.md").read_text("utf-8")
    section = guide.split("\n## The operators' page\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d,.]+) \|", section, re.MULTILINE))
    defaults = OperatorsSection().model_dump()
    assert {key: float(value.replace(",", "")) for key, value in rows.items()} == defaults


def test_the_operators_guide_repeats_the_table_of_limits() -> None:
    rows: dict[str, str] = {}
    for line in (ROOT / "docs" / "operating.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 5 and cells[0].startswith("`"):
            rows[cells[0].strip("`")] = cells[1].replace(",", "")
            assert cells[2] == COUNTED.get(cells[0].strip("`"), Counted.EACH), cells[0]
    limits = Limits()
    for field in msgspec.structs.fields(Limits):
        assert field.name in rows, f"{field.name} is missing from docs/operating.md"
        assert float(rows[field.name]) == float(getattr(limits, field.name)), field.name
    assert set(rows) - {field.name for field in msgspec.structs.fields(Limits)} == set()


# -------------------------------------------------------------------------------- files and variables of other makers


def test_a_file_from_windows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "chat.toml"
    path.write_bytes(b"\xef\xbb\xbfport = 7\r\n[limits]\r\ntext_length = 100\r\n")
    settings = load(path)
    assert (settings.port, settings.limits.text_length) == (7, 100)


def test_variables_that_kubernetes_makes_for_a_service_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    links = {
        "SERVICE_HOST": "10.0.0.1",
        "SERVICE_PORT": "8000",
        "SERVICE_PORT_HTTP": "8000",
        "PORT": "tcp://10.0.0.1:8000",
        "PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "PORT_8000_TCP_PROTO": "tcp",
        "PORT_8000_TCP_PORT": "8000",
        "PORT_8000_TCP_ADDR": "10.0.0.1",
    }
    for name, value in links.items():
        monkeypatch.setenv(f"CHATSERVER_{name}", value)
    assert load().port == Settings.model_fields["port"].default
    monkeypatch.setenv("CHATSERVER_PORT", "7")
    assert load().port == 7
    monkeypatch.setenv("CHATSERVER_SERVICE", "7")
    with pytest.raises(ConfigError, match="CHATSERVER_SERVICE: there is no such setting"):
        load()


def test_a_secret_on_a_read_only_mount_may_be_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    path.write_text("s" * 40)
    path.chmod(0o444)
    real = os.statvfs(path)
    settings = load(overrides={"secret_key_file": path})
    with pytest.raises(ConfigError, match=r"others may read .* chmod 600"):
        settings.master_secret()
    read_only = os.statvfs_result((*tuple(real)[:8], real.f_flag | os.ST_RDONLY, *tuple(real)[9:]))
    monkeypatch.setattr(os, "statvfs", lambda _: read_only)
    assert settings.master_secret() == b"s" * 40


def test_installations_with_different_secrets_use_different_names_in_redis() -> None:
    first, second = (load(overrides={"secret_key": letter * 40}) for letter in "ab")
    assert first.redis_namespace != second.redis_namespace
    assert first.redis_namespace == load(overrides={"secret_key": "a" * 40}).redis_namespace
    assert first.redis_namespace.startswith("chat.")
