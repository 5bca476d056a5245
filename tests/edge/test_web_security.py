"""Origins, cookies, headers and keys of addresses."""

from __future__ import annotations

import contextlib

import pytest

from chatserver.domain.errors import Reason, Refusal
from chatserver.domain.limits import Limits
from chatserver.edge.addresses import Addresses, AddressKeys
from chatserver.edge.admission import Admission
from chatserver.edge.web_security import Cookies, Origins, Standing, security_headers

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


def test_a_token_is_found_in_whichever_cookie_field_it_comes() -> None:
    """HTTP/2 clients may split them, and a proxy may pass them on so."""
    cookies = Cookies("chat_identity", max_age=60)
    for fields in (["other=1", "chat_identity=abc"], ["chat_identity=abc", "other=1"], ["other=1; chat_identity=abc"]):
        assert cookies.token(scope("http", cookie=fields)) == "abc"


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


def test_one_household_holds_twice_as_many_connections_as_one_network() -> None:
    keys = AddressKeys(b"s" * 32, Clock(86_400 * 20_000))
    admission = Admission(Limits(tcp_per_address=3), keys.source)
    held = [admission.enter_peer(f"2001:db8:1:{number:x}::1") for number in range(6)]
    assert None not in held
    assert admission.enter_peer("2001:db8:1:7::1") is None
    assert admission.enter_peer("2001:db8:1:ff00::1") is not None
    for each in held:
        assert each is not None
        admission.leave_peer(each)
    assert admission.enter_peer("2001:db8:1:7::1") is not None


def test_source_has_the_keys_of_wider_networks_and_of_the_day_before() -> None:
    clock = Clock(86_400 * 20_000)
    source = AddressKeys(b"s" * 32, clock).source
    one, near = source("2001:db8:1:2::1").prefixes, source("2001:db8:1:3::1").prefixes
    far, other = source("2001:db8:1:ff00::1").prefixes, source("2001:db8:2:2::1").prefixes
    assert [one.today[level] == near.today[level] for level in range(3)] == [False, True, True]
    assert [one.today[level] == far.today[level] for level in range(3)] == [False, False, True]
    assert not set(one.today) & set(other.today)
    assert len(source("203.0.113.7").prefixes.today) == 1
    assert source("2001:db8:1:2::9").key == AddressKeys(b"s" * 32, clock).key("2001:db8:1:2::1")
    clock.now += 86_400
    later = source("2001:db8:1:2::1").prefixes
    assert later.yesterday == one.today
    assert {*one.today, *later.today} <= {*later.today, *later.yesterday}
    assert one.today[2] not in (*other.today, *other.yesterday)


def test_source_in_a_shared_network_has_its_factor() -> None:
    shared = [("198.51.100.0/24", 30), ("198.51.100.7/32", 5), ("2001:db8::/48", 10)]
    source = AddressKeys(b"s" * 32, Clock(), shared).source
    asked = ["198.51.100.1", "::ffff:198.51.100.1", "198.51.100.7", "2001:db8::1", "2001:db8:1::1", "203.0.113.7", None]
    assert [source(address).share for address in asked] == [30, 30, 5, 10, 1, 1, 1]


def test_address_has_so_many_sockets() -> None:
    addresses = Addresses(AddressKeys(b"s" * 32, Clock()), Limits(connections_per_address=2), Clock())
    source = addresses.source(("203.0.113.7", 1))
    addresses.enter(source)
    addresses.enter(source)
    with pytest.raises(Refusal) as caught:
        addresses.enter(source)
    assert (caught.value.reason, caught.value.retry_after) == (Reason.BUSY, 30.0)
    addresses.enter(addresses.source(("203.0.113.8", 1)))
    addresses.leave(source)
    addresses.enter(source)


def test_networks_around_an_address_have_so_many_sockets_together() -> None:
    addresses = Addresses(AddressKeys(b"s" * 32, Clock()), Limits(connections_per_address=2), Clock())

    def opened(prefix: str) -> int:
        """How many sockets get in, each from another /64."""
        passed = 0
        for number in range(256):
            with contextlib.suppress(Refusal):
                addresses.enter(addresses.source((f"2001:db8:{prefix}{number:02x}::1", 1)))
                passed += 1
        return passed

    # A /56 has twice what one address may have, and a /48 four times.
    assert [opened("1:1"), opened("1:2"), opened("1:3"), opened("2:1")] == [4, 4, 0, 4]


OWN_PAGE = {"host": "chat_upstream", "sec_fetch_site": "same-origin"}
"""What a server gets of its own page behind nginx without `proxy_set_header Host`."""


def test_a_refused_origin_is_logged_with_both_hosts_and_strangers_fill_no_log(caplog: pytest.LogCaptureFixture) -> None:
    now = 1_000.0
    origins = Origins(now=lambda: now)
    assert origins.judge(scope(origin="https://Chat.example.org", **OWN_PAGE)) is FOREIGN
    for number in range(1_000):
        assert origins.judge(scope(origin=f"https://evil{number}.example", **OWN_PAGE)) is FOREIGN
    (line,) = caplog.records
    told = line.__dict__
    assert (line.message, told["origin"], told["host"]) == (
        "origin_refused", "https://chat.example.org", "chat_upstream",
    )  # fmt: skip
    assert "public_origins" in told["hint"]
    now += 60
    origins.judge(scope(origin="https://chat.example.org", **OWN_PAGE))
    assert [record.__dict__["refused"] for record in caplog.records] == [1, 1_001]


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example/?words", "https://a b", "https://" + "x" * 300, "words in it"]
)
def test_what_cannot_be_read_as_an_origin_is_not_logged(origin: str, caplog: pytest.LogCaptureFixture) -> None:
    assert Origins().judge(scope(origin=origin, **OWN_PAGE)) is FOREIGN
    assert caplog.records == []


def test_of_a_host_that_cannot_be_read_nothing_is_logged_but_that(caplog: pytest.LogCaptureFixture) -> None:
    asked = scope(host="words in it", origin="https://chat.example.org", sec_fetch_site="same-origin")
    assert Origins().judge(asked) is FOREIGN
    assert [record.__dict__["host"] for record in caplog.records] == ["unreadable"]


def test_where_somebody_was_before_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    for site in ("cross-site", "same-site"):
        asked = scope(host="chat.example.org", origin="https://elsewhere.example", sec_fetch_site=site)
        assert Origins().judge(asked) is FOREIGN
    assert caplog.records == []
    # An old browser, or one over plain HTTP, does not say whose page it is: the host alone may tell the operator.
    assert Origins().judge(scope(host="chat_upstream", origin="http://elsewhere.example")) is FOREIGN
    assert [(r.__dict__["origin"], r.__dict__["host"]) for r in caplog.records] == [("another", "chat_upstream")]
