"""Signing in at the listeners' page, invitations and passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyotp
import pytest
from playwright.async_api import expect

from tests.browser.conftest import SitDown
from tests.browser.console import PASSWORD, Console, hire, invite
from tests.browser.site import open_site
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def site() -> Iterator[ChatServer]:
    with open_site() as server:
        yield server


async def test_a_sign_in_that_is_refused_is_told_kindly_and_a_second_step_is_asked_for(
    site: ChatServer, sit_down: SitDown
) -> None:
    mira = Console(await sit_down(site.url))
    login = await hire(site, "Mira Harbourne")
    await mira.page.goto(f"{site.url}/listen.html")
    await mira.fill_in(login, "not the right one")
    await expect(mira.page.get_by_role("alert").filter(has_text="don't fit together")).to_be_visible()
    await mira.fill_in(login)
    await expect(mira.switch).to_be_visible()

    await mira.turn_to("My account")
    await mira.press("Turn it on").click()
    shown = mira.page.locator("output.code")
    await expect(shown).not_to_be_empty()
    secret = (await shown.inner_text()).replace(" ", "")
    link = await mira.page.get_by_role("link", name="Or open it in an app on this device").get_attribute("href")
    assert link is not None
    assert link.startswith("otpauth://totp/")
    assert secret in link
    await expect(mira.page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
    await mira.page.get_by_label("The six digits that the app shows now").fill(pyotp.TOTP(secret).now())
    await mira.press("Turn it on now").click()
    asked = mira.page.get_by_role("dialog", name="Please show that it's you")
    await asked.get_by_label("Password").fill(PASSWORD)
    await asked.get_by_role("button", name="Go on").click()
    await expect(mira.page.get_by_text("It is on.")).to_be_visible()
    await expect(mira.page.get_by_role("heading", name="Your recovery codes")).to_be_focused()
    codes = await mira.page.locator("ol.codes li").all_inner_texts()
    assert len(codes) == 10
    await mira.press("I have kept them").click()
    await mira.press("Sign out").click()
    await mira.press("Yes, sign out").click()
    await expect(mira.page.get_by_text("You are signed out.")).to_be_visible()

    await mira.fill_in(login)
    code = mira.page.get_by_label("Code from your authenticator app")
    await expect(code).to_be_focused()
    await code.fill("000000")
    await mira.press("Sign in").click()
    await expect(mira.page.get_by_role("alert").filter(has_text="six digits")).to_be_visible()
    assert await mira.person.kept() == {}
    await code.fill(codes[0])
    await mira.press("Sign in").click()
    # Whoever comes in hears of the tries that failed: the password at first, and the code now.
    await expect(mira.page.get_by_text("a wrong password or code for your account once.")).to_be_visible()
    await mira.turn_to("My account")
    await expect(mira.page.get_by_text("You have 9 recovery codes left.")).to_be_visible()


async def test_an_invitation_says_what_is_wrong_with_a_password_and_works_once(
    site: ChatServer, sit_down: SitDown
) -> None:
    nadia = Console(await sit_down(site.url))
    secret = await invite(site)
    await nadia.accept_invitation(secret, "nadia", "Nadia Harbourne")
    await expect(nadia.press("Go to the practice")).to_be_visible()
    late = Console(await sit_down(site.url))
    await late.accept_invitation(secret, "late", "Late Robin")
    await expect(late.page.get_by_role("alert").filter(has_text="This invitation was used already")).to_be_visible()
    weak = Console(await sit_down(site.url))
    await weak.page.goto(f"{site.url}/listen.html#invite={await invite(site)}")
    await expect(weak.page.get_by_text("At least 12 characters.")).to_be_visible()
    await weak.page.get_by_label("Sign-in name").fill("weak")
    await weak.page.get_by_label("Name that others see").fill("Weak Robin")
    await weak.page.get_by_label("Password", exact=True).fill("short")
    await weak.press("Make my account").click()
    await expect(weak.page.get_by_role("alert").filter(has_text="shorter than 12")).to_be_visible()
    await expect(weak.page.get_by_label("Password", exact=True)).to_be_focused()


async def test_a_new_password_keeps_this_page_signed_in(site: ChatServer, sit_down: SitDown) -> None:
    vera = Console(await sit_down(site.url))
    await vera.sign_in(await hire(site, "Vera Harbourne"))
    await vera.turn_to("My account")
    await vera.page.get_by_label("Password until now").fill(PASSWORD)
    await vera.page.get_by_label("New password").fill("seven slow green snails")
    await vera.press("Change it").click()
    await expect(vera.page.get_by_text("Your password is changed.").first).to_be_visible()
    await vera.turn_to("Listening")
    await vera.listen()


async def test_an_operator_invites_and_takes_an_account_away_and_who_had_it_is_told(
    site: ChatServer, sit_down: SitDown
) -> None:
    chief, lena = Console(await sit_down(site.url)), Console(await sit_down(site.url))
    await chief.sign_in(await hire(site, "Chief Almqvist", "operator"))
    await chief.turn_to("Team")
    await chief.press("Make a link").click()
    link = chief.page.get_by_label("Invitation link")
    await expect(link).to_have_value(re.compile(r"/listen\.html#invite=.{43}$"))
    secret = (await link.input_value()).partition("#invite=")[2]
    await lena.accept_invitation(secret, "lena", "Lena Harbourne")
    await expect(lena.press("Go to the practice")).to_be_visible()
    await chief.turn_to("My account")
    await chief.turn_to("Team")
    await chief.page.get_by_role("button", name="Take the account away: Lena Harbourne").click()
    await expect(chief.page.get_by_text("Lena Harbourne is signed out everywhere at once")).to_be_visible()
    await chief.press("Yes, take it away").click()
    await expect(chief.page.get_by_role("listitem").filter(has_text="Lena Harbourne")).to_contain_text("no longer here")
    await expect(lena.page.get_by_text("Your sign-in is over")).to_be_visible()
