"""Who one is: a name, a come-back code, a copy of everything, and being forgotten or erased."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import SitDown, Stay
from tests.browser.person import Person
from tests.browser.site import join, say, texts_in
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

# What Chromium prints when the server says no over HTTP.
REFUSED_OVER_HTTP = r"Failed to load resource: the server responded with a status of 404"


async def rename(person: Person, name: str) -> None:
    await person.page.get_by_label("Name", exact=True).fill(name)
    await person.page.get_by_role("button", name="Use this name").click()


async def make_code(person: Person) -> str:
    """Their first code, or another one in its place."""
    await person.page.get_by_role("button", name=re.compile("^Make a (come-back|new) code$")).click()
    code = person.page.get_by_role("region", name="Come back on another device").locator("output")
    await expect(code).not_to_be_empty()
    return await code.inner_text()


async def test_a_new_name_is_what_the_others_see(site: ChatServer, stay: Stay) -> None:
    ann, ben = await stay(site.url, "ann"), await stay(site.url, "ben")
    for person in (ann, ben):
        await person.enter("Awake at night")
    await ann.go_back_to_lobby()
    await ann.open_own_corner()
    await rename(ann, "Small Harbour")
    await expect(ann.page.get_by_text("You are Small Harbour now.").first).to_be_visible()
    await ann.go_back_to_lobby()
    assert await ann.name() == "Small Harbour"
    await ann.enter("Awake at night")
    await ann.say("under a new name")
    await ben.sees("under a new name")
    await expect(ben.post("under a new name")).to_contain_text("Small Harbour")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "This name can't be used here."),
        ("Moderator Anna", "This name can't be used here."),
        ("ev\u202eil", "This name can't be used here."),
        ("x" * 30, "This name can't be used here."),
    ],
    ids=["empty", "staff", "bidi", "long"],
)
async def test_a_name_that_cannot_be_used_is_refused_in_words_and_stays_to_be_changed(
    site: ChatServer, stay: Stay, name: str, said: str
) -> None:
    ann = await stay(site.url)
    before = await ann.name()
    await ann.open_own_corner()
    refused = ann.page.get_by_role("alert").filter(has_text=said)
    await expect(refused).to_be_hidden()
    await rename(ann, name)
    await expect(refused).to_be_visible()
    await expect(ann.page.get_by_label("Name", exact=True)).to_have_value(name)
    await ann.go_back_to_lobby()
    assert await ann.name() == before


async def test_the_name_of_somebody_else_is_refused(site: ChatServer, stay: Stay) -> None:
    ann = await stay(site.url)
    await ann.open_own_corner()
    async with ChatClient(site.ws_url) as client:
        await rename(ann, client.hello_ok["member"]["name"])
        await expect(ann.page.get_by_role("alert").filter(has_text="Somebody here has this name")).to_be_visible()


async def test_a_copy_of_everything_holds_ones_own_posts_and_nobody_elses(
    site: ChatServer, stay: Stay, tmp_path: Path
) -> None:
    ann = await stay(site.url)
    name = await ann.name()
    await ann.enter("Awake at night")
    await ann.say("this one is mine")
    async with ChatClient(site.ws_url) as client:
        await join(client, "sleep")
        await say(client, "sleep", "this one is not")
    await ann.sees("this one is not")
    await ann.go_back_to_lobby()
    await ann.open_own_corner()
    async with ann.page.expect_download() as downloading:
        await ann.page.get_by_role("link", name="Save a copy of it all").click()
    file = tmp_path / "copy.json"
    await (await downloading.value).save_as(file)
    copy = json.loads(file.read_text())
    assert name in file.read_text()
    assert "this one is mine" in file.read_text()
    assert "this one is not" not in file.read_text()
    assert isinstance(copy, dict)


async def test_who_is_erased_is_gone_for_everybody(site: ChatServer, stay: Stay) -> None:
    ann, ben = await stay(site.url, "ann"), await stay(site.url, "ben")
    for person in (ann, ben):
        await person.enter("Awake at night")
    await ann.say("please forget me")
    await ben.say("i will stay")
    await ben.sees("please forget me")
    await ann.go_back_to_lobby()
    name = await ann.name()
    await ann.open_own_corner()
    await ann.page.get_by_role("button", name="Erase me", exact=True).click()
    # What stays, and for how long, is said before it is done.
    for said in ("sealed copy of your posts", "30 days after it is closed", "mute, removal or ban", "within two hours"):
        await expect(ann.page.get_by_text(said)).to_be_visible()
    word = ann.page.get_by_label("Type “erase”")
    await word.press("Enter")
    await expect(ann.page.get_by_role("alert").filter(has_text="Type “erase”")).to_be_visible()
    await word.fill("erase")
    await ann.page.get_by_role("button", name="Yes, erase me").click()
    await expect(ann.page.get_by_text("Your name and your posts are gone.")).to_be_visible()

    await expect(ben.post("please forget me")).to_have_count(0)
    await expect(ben.page.get_by_text(name)).to_have_count(0)
    assert "please forget me" not in await texts_in(site, "sleep")
    assert "i will stay" in await texts_in(site, "sleep")
    assert not [key for key in await ann.kept() if key.startswith("chat.v1.")]
    await ann.page.get_by_role("button", name="Come in as somebody new").click()
    await expect(ann.page.get_by_role("button", name="Your name and privacy")).to_be_visible()
    assert await ann.name() != name


async def test_who_is_forgotten_here_can_still_come_back_with_the_code(site: ChatServer, stay: Stay) -> None:
    ann = await stay(site.url)
    name = await ann.name()
    await ann.open_own_corner()
    await expect(ann.page.get_by_role("button", name="Make a come-back code")).to_be_visible()
    code = await make_code(ann)
    await ann.page.get_by_role("button", name="Forget me here").click()
    await ann.page.get_by_role("button", name="Yes, forget me here").click()
    await expect(ann.page.get_by_text("This browser no longer knows you.")).to_be_visible()
    assert await ann.context.cookies() == []
    await ann.page.get_by_role("button", name="Come in as somebody new").click()
    await expect(ann.page.get_by_role("button", name="Your name and privacy")).to_be_visible()
    assert await ann.name() != name
    await ann.open_own_corner()
    await ann.page.get_by_label("Come-back code").fill(code)
    await ann.page.get_by_role("button", name="Come back with this code").click()
    await expect(ann.page.get_by_text(f"Welcome back, {name}.").first).to_be_visible()


async def test_a_code_brings_a_person_back_in_another_browser(site: ChatServer, sit_down: SitDown, stay: Stay) -> None:
    ann = await stay(site.url)
    name = await ann.name()
    await ann.enter("Awake at night")
    await ann.say("from my first device")
    await ann.go_back_to_lobby()
    await ann.open_own_corner()
    code = await make_code(ann)

    phone = await sit_down(site.url)
    phone.forgive(REFUSED_OVER_HTTP)
    await phone.arrive()
    assert await phone.name() != name
    await phone.open_own_corner()
    field = phone.page.get_by_label("Come-back code")
    await field.fill("these are not the words")
    await phone.page.get_by_role("button", name="Come back with this code").click()
    await expect(phone.page.get_by_role("alert").filter(has_text="We don't know this code.")).to_be_visible()
    # As somebody types it who reads it from paper.
    await field.fill("  " + code.upper().replace("-", " ") + " ")
    await phone.page.get_by_role("button", name="Come back with this code").click()
    await expect(phone.page.get_by_text(f"Welcome back, {name}.").first).to_be_visible()
    await phone.go_back_to_lobby()
    assert await phone.name() == name
    await phone.enter("Awake at night")
    await phone.sees("from my first device")
    await expect(phone.post("from my first device")).to_have_class(re.compile("mine"))
    # Her own browser was signed out by it.
    await ann.page.close()
