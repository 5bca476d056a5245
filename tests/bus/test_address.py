"""The URL that an operator writes."""

from __future__ import annotations

import pytest

from chatserver.bus.address import Address, AddressKind, Credentials, Endpoint, parse_address
from chatserver.bus.redis import RedisBus

SECRET = Credentials(username="bus", password="p:w/@é")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://localhost", Address(kind=AddressKind.SINGLE, seeds=(Endpoint("localhost", 6379),))),
        ("redis://127.0.0.1:7000/3", Address(kind=AddressKind.SINGLE, seeds=(Endpoint("127.0.0.1", 7000),), db=3)),
        ("redis://[::1]:7000", Address(kind=AddressKind.SINGLE, seeds=(Endpoint("::1", 7000),))),
        ("redis://[::1]/", Address(kind=AddressKind.SINGLE, seeds=(Endpoint("::1", 6379),))),
        (
            "redis://bus:p%3Aw%2F%40%C3%A9@cache:7000/0",
            Address(kind=AddressKind.SINGLE, seeds=(Endpoint("cache", 7000),), credentials=SECRET),
        ),
        (
            "redis://:word@cache",
            Address(
                kind=AddressKind.SINGLE, seeds=(Endpoint("cache", 6379),), credentials=Credentials(password="word")
            ),
        ),
        ("rediss://cache", Address(kind=AddressKind.SINGLE, seeds=(Endpoint("cache", 6379),), tls={})),
        (
            "rediss://cache?ssl_cert_reqs=none&ssl_check_hostname=false",
            Address(
                kind=AddressKind.SINGLE,
                seeds=(Endpoint("cache", 6379),),
                tls={"ssl_cert_reqs": "none", "ssl_check_hostname": False},
            ),
        ),
        ("unix:///run/redis.sock", Address(kind=AddressKind.SINGLE, seeds=(Endpoint("", 0, "/run/redis.sock"),))),
        (
            "unix://:word@/run/redis.sock?db=2",
            Address(
                kind=AddressKind.SINGLE,
                seeds=(Endpoint("", 0, "/run/redis.sock"),),
                db=2,
                credentials=Credentials(password="word"),
            ),
        ),
        (
            "redis+sentinel://one,two:5000/chat",
            Address(kind=AddressKind.SENTINEL, seeds=(Endpoint("one", 26379), Endpoint("two", 5000)), service="chat"),
        ),
        (
            "redis+sentinel://bus:p%3Aw%2F%40%C3%A9@one,[::2]:5000/chat/4?sentinel_password=other",
            Address(
                kind=AddressKind.SENTINEL,
                seeds=(Endpoint("one", 26379), Endpoint("::2", 5000)),
                service="chat",
                db=4,
                credentials=SECRET,
                sentinel_credentials=Credentials(password="other"),
            ),
        ),
        (
            "rediss+cluster://one:1,two:2",
            Address(kind=AddressKind.CLUSTER, seeds=(Endpoint("one", 1), Endpoint("two", 2)), tls={}),
        ),
    ],
)
def test_url_is_understood(url: str, address: Address) -> None:
    assert parse_address(url) == address


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "starts with"),
        ("localhost:6379", "starts with"),
        ("http://localhost", "http"),
        ("redis+elsewhere://localhost", "starts with"),
        ("unix+cluster://localhost", "starts with"),
        ("redis://", "host"),
        ("redis://localhost:port", "port"),
        ("redis://localhost:99999", "port"),
        ("redis://localhost/chat", "database"),
        ("redis://one,two", "one server"),
        ("redis+sentinel://one", "service"),
        ("redis+sentinel://one/", "service"),
        ("redis+cluster://one,", "host"),
        ("redis://localhost?ssl_cert_reqs=none", "rediss"),
        ("rediss://localhost?colour=red", "colour"),
        ("rediss://localhost?ssl_min_version=old", "ssl_min_version"),
        ("rediss://localhost?ssl_ca_certs=/nowhere.pem", "TLS"),
        ("rediss://localhost?ssl_unheard_of=1", "TLS"),
        ("unix://", "socket"),
    ],
)
def test_url_that_cannot_be_used_is_refused_in_one_line(url: str, word: str) -> None:
    secret = url.replace("://", "://bus:hunter2@", 1) if "://" in url else url
    with pytest.raises(ValueError, match=word) as refused:
        RedisBus(secret)
    assert "\n" not in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", ["redis://bus:hunter2@cache", "redis+sentinel://bus:hunter2@one/chat"])
def test_no_password_is_shown(url: str) -> None:
    address = parse_address(url)
    assert "hunter2" not in f"{address} {address!r}"
