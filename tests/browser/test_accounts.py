"""Accounts at the page: a passkey from its making to a dangerous act, a reset, and what operators see of all that."""

from __future__ import annotations

import contextlib
import re
import sqlite3

from playwright.async_api import Page, expect

from tests.browser.conftest import SitDown
from tests.browser.console import PASSWORD, Console, hire
from tests.browser.eyes import faults, photograph, violations
from tests.kit.server import ChatServer

NEW = "nine green bottles fall"


async def with_a_device(page: Page) -> None:
    """Give the browser a device that has its user's finger on it."""
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": device})


def long_ago(site: ChatServer) -> None:
    """Everybody who is signed in showed who they are a quarter of an hour ago."""
    with contextlib.closing(sqlite3.connect(site.directory / "data" / "chat.db")) as database, database:
        database.execute("UPDATE staff_sign_ins SET confirmed_at = confirmed_at - 900000")


async def test_a_passkey_is_made_signs_in_and_confirms_what_is_dangerous(site: ChatServer, sit_down: SitDown) -> None:
    # At a number there are no passkeys.
    url = site.url.replace("127.0.0.1", "localhost")
    chief = Console(await sit_down(url))
    page = chief.page
    await with_a_device(page)
    login = await hire(site, "Chief Almqvist", "operator")
    await chief.sign_in(login)
    await chief.turn_to("My account")
    await page.get_by_label("A name for the new passkey").fill("This computer")
    await page.keyboard.press("Enter")
    asked = page.get_by_role("dialog", name="Please show that it's you")
    await expect(asked.get_by_label("Password")).to_be_focused()
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The passkey is added.").first).to_be_visible()
    await expect(page.get_by_text("This computer", exact=True)).to_be_visible()
    await photograph(page, "accounts-passkey")
    await chief.press("Sign out").click()
    await chief.press("Yes, sign out").click()
    await chief.press("Sign in with a passkey").click()
    await expect(page.get_by_role("navigation", name="Parts of this page")).to_be_visible()

    long_ago(site)
    await chief.turn_to("Team")
    await chief.press("Make a link").click()
    await asked.get_by_role("button", name="Use a passkey").click()
    await expect(asked).to_have_count(0)
    await expect(page.get_by_label("Invitation link")).not_to_have_value("")
    # What was done is on the operators' page, and what another does comes while one looks.
    await page.goto(f"{url}/operators.html")
    acts = page.get_by_role("region", name="Accounts")
    await expect(acts).to_contain_text("Chief Almqvist added a passkey.")
    mira = await hire(site, "Mira Harbourne", "listener", "operator", is_waiting=True)
    waiting = page.get_by_role("region", name="Operators who don't count yet")
    await expect(waiting).to_contain_text("Mira Harbourne becomes an operator")
    assert await violations(page) == []
    await photograph(page, "accounts-acts")
    await waiting.get_by_role("button", name="Agree now: Mira Harbourne").click()
    await waiting.get_by_role("button", name="Yes, I agree").click()
    await expect(acts).to_contain_text("Chief Almqvist agreed that Mira Harbourne is an operator.")
    await expect(waiting).to_contain_text("Mira Harbourne is an operator now.")
    await expect(waiting).not_to_contain_text("becomes an operator")
    assert mira == "mira-harbourne"


async def test_a_reset_link_survives_a_reload_and_brings_its_owner_back(site: ChatServer, sit_down: SitDown) -> None:
    chief, noor = Console(await sit_down(site.url)), Console(await sit_down(site.url))
    await chief.sign_in(await hire(site, "Head Lindgren", "operator"))
    with contextlib.closing(sqlite3.connect(site.directory / "data" / "chat.db")) as database, database:
        database.execute("UPDATE staff SET operator_from = NULL")
    login = await hire(site, "Noor Feldman")
    await chief.page.reload()
    await chief.turn_to("Team")
    await chief.page.get_by_role("button", name="Reset the account: Noor Feldman").click()
    await chief.press("Yes, make the link").click()
    link = chief.page.get_by_label("Link for Noor Feldman")
    await expect(link).to_have_value(re.compile("#reset="))
    found = await link.input_value()
    # As a mail program writes it at the end of a sentence.
    await noor.page.goto(found + ").")
    await expect(noor.page.get_by_role("heading", name="Welcome back")).to_be_visible()
    assert noor.page.url.endswith("/listen.html")
    await noor.page.reload()
    await noor.page.get_by_label("New password").fill(NEW)
    await noor.press("Set my password").click()
    await expect(noor.page.get_by_role("navigation", name="Parts of this page")).to_be_visible()
    await noor.turn_to("My account")
    await expect(noor.page.get_by_text(f"You sign in as {login}.")).to_be_visible()
    broken = Console(await sit_down(site.url))
    await broken.page.goto(f"{site.url}/listen.html#invite=abc")
    await expect(broken.page.get_by_text("This link isn't whole")).to_be_visible()


async def test_the_account_and_the_way_in_for_every_eye(site: ChatServer, sit_down: SitDown) -> None:
    mira = Console(await sit_down(site.url))
    login = await hire(site, "Mira Day")
    await mira.page.goto(f"{site.url}/listen.html")
    await expect(mira.press("Sign in with a passkey")).to_be_visible()
    assert await faults(mira.page, "door") == []
    await mira.fill_in(login, "not the right one")
    await expect(mira.page.get_by_role("alert").filter(has_text="don't fit together")).to_be_visible()
    await mira.fill_in(login)
    await mira.turn_to("My account")
    await mira.press("Turn it on").click()
    await expect(mira.page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
    assert await faults(mira.page, "account") == []
