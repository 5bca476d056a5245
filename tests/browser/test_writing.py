"""What is being written is kept, tab by tab, and keys of an input method do nothing else."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Stay
from tests.browser.person import Person
from tests.browser.site import texts_in
from tests.kit.server import ChatServer

pytestmark = pytest.mark.timeout(120)
KEY = """(area, init) => {
    const event = new KeyboardEvent("keydown", {bubbles: true, cancelable: true, ...init});
    Object.defineProperty(event, "keyCode", {get: () => init.keyCode});
    area.dispatchEvent(event);
    return event.defaultPrevented;
}"""


async def sit_in(stay: Stay, url: str, room: str) -> Person:
    person = await stay(url)
    await person.enter(room)
    return person


async def test_a_change_under_way_is_there_after_leaving_and_after_a_reload(site: ChatServer, stay: Stay) -> None:
    ann = await sit_in(stay, site.url, "Low days")
    await ann.say("words that were not right")
    await ann.writing.fill("something else that waits")
    menu = await ann.open_menu("words that were not right")
    await menu.get_by_role("button", name="Change it").click()
    await ann.writing.fill("words that are nearly ri")
    await ann.go_back_to_lobby()
    await ann.enter("Low days")
    about = ann.page.locator(".composer .about")
    await expect(about).to_contain_text("Changing your post")
    await expect(ann.writing).to_have_value("words that are nearly ri")
    await ann.page.reload()
    await ann.enter("Low days")
    await expect(about).to_contain_text("Changing your post")
    await expect(ann.writing).to_have_value("words that are nearly ri")
    await ann.writing.fill("words that are right")
    await ann.page.get_by_role("button", name="Save the change").click()
    await ann.sees("words that are right")
    await expect(ann.writing).to_have_value("something else that waits")
    assert await texts_in(site, "low-mood") == ["words that are right"]
    await ann.page.reload()
    await ann.enter("Low days")
    await expect(ann.writing).to_have_value("something else that waits")
    await expect(about).to_be_hidden()


async def test_a_change_that_was_saved_without_a_network_is_there_after_a_reload(site: ChatServer, stay: Stay) -> None:
    ann = await sit_in(stay, site.url, "Illness and pain")
    ann.forgive("ERR_INTERNET_DISCONNECTED")
    await ann.say("first words")
    menu = await ann.open_menu("first words")
    await menu.get_by_role("button", name="Change it").click()
    await ann.writing.fill("second words")
    await ann.context.set_offline(True)
    await expect(ann.link).to_contain_text("Your device is offline.")
    await ann.page.get_by_role("button", name="Save the change").click()
    await expect(ann.writing).to_have_value("")
    await ann.context.set_offline(False)
    await ann.page.reload()
    await ann.enter("Illness and pain")
    # It went out before the page was loaded anew, or stands in the field to be saved again.
    saved = ann.post("second words")
    await expect(saved.or_(ann.page.locator(".composer .about")).first).to_be_visible()
    if await ann.writing.input_value() == "second words":
        await ann.page.get_by_role("button", name="Save the change").click()
    await ann.sees("second words")


async def test_keys_of_an_input_method_send_nothing_and_throw_nothing_away(site: ChatServer, stay: Stay) -> None:
    ann = await sit_in(stay, site.url, "Worry and panic")
    await ann.writing.fill("さみしい")
    # Safari: the Enter that confirms comes after the end of the composition, and only its code tells.
    confirm = {"key": "Enter", "keyCode": 229, "isComposing": False}
    assert await ann.writing.evaluate(KEY, confirm) is False
    await expect(ann.writing).to_have_value("さみしい")
    await ann.writing.press("Enter")
    await ann.sees("さみしい")
    menu = await ann.open_menu("さみしい")
    await menu.get_by_role("button", name="Change it").click()
    await ann.writing.fill("とてもさみしい")
    assert await ann.writing.evaluate(KEY, {"key": "Escape", "keyCode": 27, "isComposing": True}) is False
    await expect(ann.writing).to_have_value("とてもさみしい")
    await ann.writing.press("Escape")
    await expect(ann.writing).to_have_value("")


async def test_what_is_written_in_one_tab_is_not_lost_by_sending_in_another(site: ChatServer, stay: Stay) -> None:
    ann = await sit_in(stay, site.url, "Awake at night")
    await ann.writing.fill("a long letter that took an hour")
    other = Person(ann.context, await ann.context.new_page(), site.url)
    await other.arrive()
    await other.enter("Awake at night")
    await expect(other.writing).to_have_value("")
    await other.say("a short post from the other tab")
    await ann.page.reload()
    await ann.enter("Awake at night")
    await expect(ann.writing).to_have_value("a long letter that took an hour")
    await ann.page.close()
    third = Person(ann.context, await ann.context.new_page(), site.url)
    await third.arrive()
    await third.enter("Awake at night")
    await expect(third.writing).to_have_value("a long letter that took an hour")
