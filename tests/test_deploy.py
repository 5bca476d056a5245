"""What `deploy/` promises: the proxies write down no address, and alerts and dashboard ask for what there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml  # type: ignore[import-untyped]

from chatserver.domain.attention import Kind
from tests.kit.server import ChatServer

_DEPLOY = Path(__file__).resolve().parents[1] / "deploy"


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
        text = httpx.get(server.url + "/metrics", timeout=10, trust_env=False).text
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
    assert named <= {kind.value for kind in Kind}
