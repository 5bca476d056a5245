"""An HTTP client for test servers. httpx loads all certificates for each client, which takes longer than most requests,
and nothing here is encrypted."""

from __future__ import annotations

import ssl
from typing import Any, Final

import httpx

_NO_CERTIFICATES: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class WebClient(httpx.AsyncClient):
    """httpx's client, without certificates and without the proxies of the environment."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"verify": _NO_CERTIFICATES, "trust_env": False, **options})


def get(url: str, **options: Any) -> httpx.Response:
    return httpx.get(url, **{"verify": _NO_CERTIFICATES, "trust_env": False, "timeout": 10, **options})


def post(url: str, **options: Any) -> httpx.Response:
    return httpx.post(url, **{"verify": _NO_CERTIFICATES, "trust_env": False, "timeout": 20, **options})
