"""What `deploy/` promises of addresses: the proxies there write down none."""

from __future__ import annotations

import re
from pathlib import Path

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
