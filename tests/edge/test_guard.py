"""Origins, cookies, headers and keys of addresses."""

from __future__ import annotations

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.limits import Limits
from chatserver.edge.addresses import Addresses, AddressKey, AddressKeys, Buckets
from chatserver.edge.guard import Cookies, Origins, Standing, security_headers

Scope = dict[str, object]


def scope(scheme: str = "https", **headers: str | list[str]) -> Scope:
    pairs = [
        (name.replace("_", "-").encode(), value.encode("latin-1"))
        for name, values in headers.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    return {"type": "http", "scheme": scheme, "headers": pairs}


OURS, ABSENT, FOREIGN = Standing.OURS, Standing.ABSENT, Standing.FOREIGN

ORIGINS: list[tuple[str, str, str | None, Standing]] = [
    # scheme as seen, Host, Origin, verdict
    ("https", "chat.example.org", "https://chat.example.org", OURS),
    ("wss", "chat.example.org", "https://chat.example.org", OURS),
    ("ws", "127.0.0.1:8000", "http://127.0.0.1:8000", OURS),
    ("http", "localhost:8000", "http://localhost:8000", OURS),
    ("http", "[::1]:8000", "http://[::1]:8000", OURS),
    ("https", "Chat.Example.org", "https://chat.example.org", OURS),
    ("https", "chat.example.org:443", "https://chat.example.org", OURS),
    ("http", "chat.example.org:80", "http://chat.example.org", OURS),
    ("https", "chat.example.org:8443", "https://chat.example.org:8443", OURS),
    ("http", "chat.example.org", "https://chat.example.org", OURS),  # a proxy took the TLS off and did not say so
    ("https", "api.example.org", "https://members.example.net", OURS),  # configured
    ("https", "api.example.org", "https://MEMBERS.example.net:443", OURS),
    ("https", "chat.example.org", None, ABSENT),
    (
        "https",
        "chat.example.org",
        "http://chat.example.org",
        FOREIGN,
    ),  # a page that anybody on the way may have changed
    ("wss", "chat.example.org", "http://chat.example.org", FOREIGN),
    ("https", "chat.example.org", "https://evil.example", FOREIGN),
    ("https", "chat.example.org", "https://chat.example.org.evil.example", FOREIGN),
    ("https", "chat.example.org", "https://evilchat.example.org", FOREIGN),
    ("https", "chat.example.org", "https://sub.chat.example.org", FOREIGN),
    ("https", "chat.example.org", "https://example.org", FOREIGN),
    ("https", "chat.example.org", "https://chat.example.org:444", FOREIGN),
    ("http", "127.0.0.1:8000", "http://127.0.0.1:8001", FOREIGN),
    ("http", "127.0.0.1:8000", "http://localhost:8000", FOREIGN),
    ("https", "chat.example.org", "null", FOREIGN),
    ("https", "chat.example.org", "", FOREIGN),
    ("https", "chat.example.org", "https://", FOREIGN),
    ("https", "chat.example.org", "https://chat.example.org/", FOREIGN),
    ("https", "chat.example.org", "https://chat.example.org, https://evil.example", FOREIGN),
    ("https", "chat.example.org", "https://chat.example.org@evil.example", FOREIGN),
    ("https", "chat.example.org", "https://evil.example#chat.example.org", FOREIGN),
    ("https", "chat.example.org", "chrome-extension://chat.example.org", FOREIGN),
    ("https", "chat.example.org", "file://", FOREIGN),
    ("https", "chat.example.org", "https://chat.example.org\r\n", FOREIGN),
    ("https", "", "https://chat.example.org", FOREIGN),
    ("https", "a b", "https://a b", FOREIGN),
    ("https", "members.example.net.evil.example", "https://members.example.net.evil.example:1", FOREIGN),
]


@pytest.mark.parametrize(("scheme", "host", "origin", "standing"), ORIGINS)
def test_origin_is_judged(scheme: str, host: str, origin: str | None, standing: Standing) -> None:
    headers = {"host": host} if origin is None else {"host": host, "origin": origin}
    assert Origins(["https://members.example.net"]).judge(scope(scheme, **headers)) is standing


def test_two_origins_or_two_hosts_are_nobody_s() -> None:
    origins, ours = Origins(), "https://chat.example.org"
    assert origins.judge(scope(host="chat.example.org", origin=[ours, ours])) is FOREIGN
    assert origins.judge(scope(host=["chat.example.org", "chat.example.org"], origin=ours)) is FOREIGN


def test_what_is_no_origin_is_not_configured() -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        Origins(["chat.example.org"])


@pytest.mark.parametrize(
    ("site", "standing"),
    [(None, OURS), ("same-origin", OURS), ("none", OURS), ("same-site", FOREIGN), ("cross-site", FOREIGN)],
)
def test_plain_read_is_judged_by_where_it_was_fetched_from(site: str | None, standing: Standing) -> None:
    headers = {} if site is None else {"sec_fetch_site": site}
    assert Origins().judge_read(scope(host="chat.example.org", **headers)) is standing


def test_plain_read_with_a_foreign_origin_is_foreign() -> None:
    asked = scope(host="chat.example.org", origin="https://evil.example", sec_fetch_site="same-origin")
    assert Origins().judge_read(asked) is FOREIGN


# --------------------------------------------------------------------------------------------------- cookies


@pytest.mark.parametrize(
    ("secure", "scheme", "expected"),
    [
        (None, "http", "chat_identity=abc; Max-Age=60; Path=/; HttpOnly; SameSite=Strict"),
        (None, "https", "__Host-chat_identity=abc; Max-Age=60; Path=/; HttpOnly; SameSite=Strict; Secure"),
        (True, "http", "__Host-chat_identity=abc; Max-Age=60; Path=/; HttpOnly; SameSite=Strict; Secure"),
        (False, "https", "chat_identity=abc; Max-Age=60; Path=/; HttpOnly; SameSite=Strict"),
    ],
)
def test_cookie_has_its_flags(secure: bool | None, scheme: str, expected: str) -> None:
    assert Cookies("chat_identity", max_age=60, secure=secure).keep(scope(scheme), "abc") == expected


def test_cookie_is_read_by_the_name_that_fits_the_scheme() -> None:
    cookies = Cookies("chat_identity", max_age=60)
    both = "chat_identity=plain; x=y; __Host-chat_identity=secure"
    assert cookies.token(scope("https", cookie=both)) == "secure"
    assert cookies.token(scope("wss", cookie=both)) == "secure"
    assert cookies.token(scope("http", cookie=both)) == "plain"
    assert cookies.token(scope("https", cookie="chat_identity=planted over http")) is None
    assert cookies.token(scope("https", cookie="__Host-chat_identity=")) is None
    assert cookies.token(scope("https")) is None


def test_dropped_cookie_is_empty_and_over() -> None:
    assert Cookies("chat_identity", max_age=60).drop(scope("http")).startswith("chat_identity=; Max-Age=0; Path=/; ")


# --------------------------------------------------------------------------------------------------- headers


def _headers(asked: Scope) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in security_headers(asked)}


def test_policy_lets_the_page_do_what_it_needs_and_no_more() -> None:
    policy = _headers(scope("https", host="chat.example.org"))["content-security-policy"].split("; ")
    assert policy == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self' wss://chat.example.org",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]


def test_policy_names_no_host_that_could_be_more_than_one() -> None:
    for host in ("", "a; script-src *", "a\r\nx: y", "*", "a b"):
        assert "connect-src 'self';" in _headers(scope("https", host=host))["content-security-policy"]


def test_only_tls_promises_more_tls() -> None:
    assert "strict-transport-security" not in _headers(scope("http", host="a"))
    assert _headers(scope("https", host="a"))["strict-transport-security"] == "max-age=31536000"


# ------------------------------------------------------------------------------------------------- addresses


class Clock:
    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_key_of_an_address_changes_every_day_and_with_the_secret() -> None:
    clock = Clock(86_400 * 20_000)
    keys, others = AddressKeys(b"s" * 32, clock), AddressKeys(b"t" * 32, clock)
    today = keys.key("203.0.113.7")
    assert keys.key("203.0.113.7") == today
    assert keys.key("203.0.113.8") != today
    assert others.key("203.0.113.7") != today
    clock.now += 86_399
    assert keys.key("203.0.113.7") == today
    clock.now += 1
    assert keys.key("203.0.113.7") != today


def test_addresses_of_one_household_share_a_key() -> None:
    key = AddressKeys(b"s" * 32, Clock()).key
    assert key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff:ffff:ffff:ffff") == key("2001:0DB8:1:2::9%eth0")
    assert key("2001:db8:1:3::1") != key("2001:db8:1:2::1")
    assert key("::ffff:203.0.113.7") == key("203.0.113.7")
    assert key(None) == key("/run/chat.sock") == key("")


def test_bucket_of_an_address_fills_again() -> None:
    clock = Clock()
    buckets = Buckets(rate=1 / 60, burst=2, now=clock)
    me, other = AddressKey(b"me"), AddressKey(b"other")
    assert [buckets.take(me), buckets.take(me), buckets.take(me)] == [0.0, 0.0, pytest.approx(60)]
    assert buckets.take(other) == 0.0
    clock.now = 60
    assert buckets.take(me) == 0.0


def test_table_of_buckets_is_bounded_and_forgets_what_is_full_first() -> None:
    clock = Clock()
    buckets = Buckets(rate=1, burst=1, now=clock, size=100)
    for number in range(1_000):
        buckets.take(AddressKey(str(number).encode()))
    assert len(buckets) == 100
    assert buckets.take(AddressKey(b"999")) > 0
    clock.now = 10
    buckets.take(AddressKey(b"new"))
    assert len(buckets) == 1


def test_address_has_so_many_sockets() -> None:
    addresses = Addresses(AddressKeys(b"s" * 32, Clock()), Limits(connections_per_address=2), Clock())
    key = addresses.key(("203.0.113.7", 1))
    addresses.enter(key)
    addresses.enter(key)
    with pytest.raises(Refusal) as caught:
        addresses.enter(key)
    assert (caught.value.reason, caught.value.retry_after) == (Reason.BUSY, 30.0)
    addresses.enter(addresses.key(("203.0.113.8", 1)))
    addresses.leave(key)
    addresses.enter(key)
