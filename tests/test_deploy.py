"""What `deploy/` promises: the proxies write down no address, and alerts and dashboard ask for what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from chatserver.domain.operating.alerts import URGENT, AlertKind
from tests.kit import web
from tests.kit.caddy import PROGRAMS, find_caddy
from tests.kit.process import obtain
from tests.kit.server import ChatServer

_DEPLOY = Path(__file__).resolve().parents[1] / "deploy"


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_shipped_caddyfile_loads(program: str, tmp_path: Path) -> None:
    """With 2.6, which Debian 12 has, alone; from 2.7 on with the file beside it."""
    caddy = obtain(lambda: find_caddy(program)) if program == "caddy" else shutil.which(program)
    if caddy is None:
        pytest.skip(f"there is no {program} on PATH")
    shutil.copy(_DEPLOY / "Caddyfile", tmp_path)
    if program == "caddy":
        shutil.copy(_DEPLOY / "caddy-2.7.conf", tmp_path)
    adapted = subprocess.run(
        [caddy, "adapt", "--config", tmp_path / "Caddyfile"], capture_output=True, text=True, timeout=30, check=False
    )
    assert adapted.returncode == 0, adapted.stderr
    assert ("stream_close_delay" in adapted.stdout) == (program == "caddy")
    assert '"uri":"/readyz"' in adapted.stdout


def test_no_part_of_the_deployment_asks_a_server_whether_all_is_well() -> None:
    """Whatever takes a server out, or ends it, must not ask for what all of them share: Redis and the database."""
    for file in _DEPLOY.rglob("*"):
        if file.is_file():
            asking = [line for line in file.read_text("utf-8").splitlines() if not line.lstrip().startswith("#")]
            assert "/statusz" not in "\n".join(asking), file
    assert _depends_on("caddy") == {"chat": {"condition": "service_started"}}
    assert _depends_on("chat")["redis"] == {"condition": "service_started"}
    assert "/healthz" in re.findall(r"HEALTHCHECK.*\n.*", (_DEPLOY / "Dockerfile").read_text())[0]


def _depends_on(service: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load((_DEPLOY / "compose.yaml").read_text())["services"][service][
        "depends_on"
    ]
    return found


def test_nginx_bounds_what_one_address_asks_and_holds() -> None:
    text = (_DEPLOY / "nginx.conf").read_text()
    zones = set(re.findall(r"zone=(\w+):", text))
    assert zones == {"chat_calls", "chat_files", "chat_conns"}
    for location in re.findall(r"location [^{]+\{([^}]+)\}", text):
        if "proxy_pass" in location:
            assert "limit_req zone=" in location
    assert "limit_conn chat_conns" in text
    # A proxy that refuses must not write down whom.
    assert "limit_req_log_level info" in text
    assert "limit_conn_log_level info" in text


def test_the_container_believes_its_proxys_network_and_no_other() -> None:
    text = (_DEPLOY / "compose.yaml").read_text()
    (trusted,) = re.findall(r"CHATSERVER_TRUSTED_PROXIES: (.+)", text)
    (subnet,) = re.findall(r"subnet: (.+)", text)
    assert trusted == subnet
    assert "*" not in trusted


def test_nginx_logs_no_access_and_no_failed_handshake() -> None:
    text = (_DEPLOY / "nginx.conf").read_text()
    servers = text.split("\nserver {")[1:]
    assert len(servers) == 2
    assert all("access_log off;" in server and "error_log " in server for server in servers)
    # nginx writes the client's address with all that is milder.
    assert set(re.findall(r"error_log \S+ (\w+);", text)) == {"emerg"}


def test_caddy_logs_nothing_about_a_request() -> None:
    options, _, site = (_DEPLOY / "Caddyfile").read_text().partition("\n{$CHAT_HOST")
    assert re.search(r"log \{\s+format filter \{\s+wrap json\s+fields \{\s+request delete\s", options)
    assert not re.search(r"^\s*log\b", site, re.MULTILINE)


# ------------------------------------------------------------------------------------------ alerts and dashboard

_FUNCTIONS = {
    "absent", "by", "histogram_quantile", "max", "max_over_time", "or", "rate", "sum", "topk", "kind", "le", "room",
    "state", "why", "outcome", "m", "d", "min", "time", "reason",
}  # fmt: skip


def _alerts() -> Iterator[tuple[str, str]]:
    for group in yaml.safe_load((_DEPLOY / "alerts.yml").read_text("utf-8"))["groups"]:
        for rule in group["rules"]:
            assert {"summary", "action"} == rule["annotations"].keys()
            yield rule["alert"], rule["expr"]


def _panels() -> Iterator[tuple[str, str]]:
    for panel in json.loads((_DEPLOY / "grafana/chatserver.json").read_text("utf-8"))["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


@pytest.fixture(scope="module")
def names() -> set[str]:
    """Every name that `/metrics` of a running server could give a sample."""
    with ChatServer() as server:
        text = web.get(server.url + "/metrics", timeout=10).text
    found: set[str] = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        found |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"} if kind == "histogram" else {name}
    return found


def test_every_alert_and_every_panel_asks_for_a_metric_that_exists(names: set[str]) -> None:
    asked = [*_alerts(), *_panels()]
    assert len(asked) > 20
    for where, query in asked:
        plain = re.sub(r'"[^"]*"', "", query)
        words = set(re.findall(r"[a-z_]+", re.sub(r"\[\w+\]", "", plain)))
        metrics = {word for word in words if word.startswith("chat_")}
        assert metrics, where
        assert metrics <= names, (where, metrics - names)
        assert words - metrics <= _FUNCTIONS, (where, words - metrics)


def test_alerts_name_kinds_of_attention_that_exist() -> None:
    named = {
        kind for _, query in _alerts() for kinds in re.findall(r'kind=~?"([^"]+)"', query) for kind in kinds.split("|")
    }
    assert named
    assert named <= {kind.value for kind in AlertKind}


def test_everything_that_harms_somebody_now_has_an_alert() -> None:
    asked = " ".join(query for _, query in _alerts())
    by_measure = {
        AlertKind.IDLE_WHILE_WAITING: "chat_floor_idle_while_waiting_seconds",
        AlertKind.SLOW_DELIVERY: "chat_delivery",
    }
    named = {name for kinds in re.findall(r'kind=~?"([^"]+)"', asked) for name in kinds.split("|")}
    assert {kind for kind in URGENT if kind not in named and by_measure.get(kind, kind.value) not in asked} == set()
