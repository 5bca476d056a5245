"""Two people in a room: what each does, the other sees."""

from __future__ import annotations

import re

import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import Stay
from tests.browser.person import Person
from tests.browser.site import join, say
from tests.kit.client import ChatClient
from tests.kit.server import ChatServer

Pair = tuple[Person, Person]


@pytest_asyncio.fixture(loop_scope="session")
async def pair(site: ChatServer, stay: Stay) -> Pair:
    """Two people in the same room, at browsers of their own."""
    people = await stay(site.url, "ann"), await stay(site.url, "ben")
    for person in people:
        await person.enter("Awake at night")
        await expect(person.writing).to_have_value("")
    return people


async def test_who_is_writing_is_said_until_the_post_is_there(pair: Pair) -> None:
    # This comes first: that somebody writes is said once in a few seconds, whatever they sent meanwhile.
    ann, ben = pair
    writing = ben.page.get_by_text(re.compile("is writing…$"))
    await expect(writing).to_be_hidden()
    await ann.writing.press_sequentially("let me thi")
    await expect(writing).to_be_visible()
    await ann.say("let me think")
    await ben.sees("let me think")
    await expect(writing).to_be_hidden()


async def test_each_reads_what_the_other_writes_in_the_same_order(pair: Pair) -> None:
    ann, ben = pair
    await ann.say("can't sleep either")
    await ben.say("what keeps you up")
    await ann.say("thoughts, mostly")
    for person in pair:
        await person.sees("thoughts, mostly")
        assert (await person.texts())[-3:] == ["can't sleep either", "what keeps you up", "thoughts, mostly"]
    await expect(ann.post("thoughts, mostly")).to_have_class(re.compile("mine"))
    await expect(ben.post("thoughts, mostly")).not_to_have_class(re.compile("mine"))


async def test_an_answer_names_what_it_answers_and_leads_there(pair: Pair) -> None:
    ann, ben = pair
    await ann.say("my dog died today")
    await ben.sees("my dog died today")
    menu = await ben.open_menu("my dog died today")
    await menu.get_by_role("button", name="Answer this").click()
    await expect(ben.page.get_by_text(re.compile("^Answering .*: my dog died today"))).to_be_visible()
    await ben.say("i am so sorry")
    quote = ann.post("i am so sorry").get_by_role("button", name=re.compile("^Answer to .*: my dog died today"))
    await quote.click()
    await expect(ann.page.locator(":focus")).to_contain_text("my dog died today")


async def test_a_reaction_is_seen_by_both_in_words_and_can_be_taken_back(pair: Pair) -> None:
    ann, ben = pair
    await ann.say("first day back at work")
    await ben.sees("first day back at work")
    menu = await ben.open_menu("first day back at work")
    await menu.get_by_role("button", name="strength").click()
    theirs = ben.post("first day back at work").get_by_role("button", name="strength, from one person, you too")
    await expect(theirs).to_have_attribute("aria-pressed", "true")
    await ann.post("first day back at work").get_by_role("button", name="strength, from one person").click()
    both = ben.post("first day back at work").get_by_role("button", name="strength, from two people, you too")
    await both.click()
    alone = ann.post("first day back at work").get_by_role("button", name="strength, from one person, you too")
    await alone.click()
    await expect(ann.post("first day back at work").get_by_role("button", name=re.compile("^strength"))).to_have_count(
        0
    )


async def test_a_change_is_seen_by_both_and_says_that_it_is_one(pair: Pair) -> None:
    ann, ben = pair
    await ann.say("see you tomorow")
    await ben.sees("see you tomorow")
    await ann.writing.fill("a draft that must stay")
    menu = await ann.open_menu("see you tomorow")
    await menu.get_by_role("button", name="Change it").click()
    await expect(ann.writing).to_have_value("see you tomorow")
    await ann.writing.fill("see you tomorrow")
    await ann.page.get_by_role("button", name="Save the change").click()
    for person in pair:
        await person.sees("see you tomorrow")
        await expect(person.post("see you tomorrow")).to_contain_text("changed")
        await expect(person.post("see you tomorow")).to_have_count(0)
    await expect(ann.writing).to_have_value("a draft that must stay")
    await ann.writing.fill("")


async def test_a_removed_post_is_gone_for_both_after_a_question(pair: Pair) -> None:
    ann, ben = pair
    await ann.say("i should not have said this")
    await ben.sees("i should not have said this")
    menu = await ann.open_menu("i should not have said this")
    await menu.get_by_role("button", name="Remove it").click()
    await ann.page.get_by_role("button", name="Yes, remove it").click()
    for person in pair:
        await expect(person.post("i should not have said this")).to_have_count(0)
        await expect(person.post("This post was removed by its writer.").last).to_be_visible()


async def test_only_the_writer_is_offered_to_change_or_remove_a_post(pair: Pair) -> None:
    ann, ben = pair
    await ann.say("mine alone to change")
    await ben.sees("mine alone to change")
    menu = await ben.open_menu("mine alone to change")
    await expect(menu.get_by_role("button", name="Answer this")).to_be_visible()
    await expect(menu.get_by_role("button", name="Change it")).to_have_count(0)
    await expect(menu.get_by_role("button", name="Remove it")).to_have_count(0)


async def test_a_post_with_a_warning_stays_closed_until_it_is_opened(pair: Pair) -> None:
    ann, ben = pair
    await ann.page.get_by_label("This may be hard to read").check()
    await ann.page.get_by_label("What is it about? Others see this first.").fill("loss of a child")
    await ann.write("words that are hard to read")
    post = ben.log.get_by_role("article").filter(has_text="May be hard to read: loss of a child")
    await expect(post).to_be_visible()
    await expect(post.get_by_text("words that are hard to read")).to_be_hidden()
    await post.get_by_role("button", name="Show it").click()
    await expect(post.get_by_text("words that are hard to read")).to_be_visible()
    await post.get_by_role("button", name="Hide it again").click()
    await expect(post.get_by_text("words that are hard to read")).to_be_hidden()
    await expect(ann.page.get_by_label("This may be hard to read")).not_to_be_checked()


async def test_who_comes_and_goes_is_listed(site: ChatServer, stay: Stay) -> None:
    ann = await stay(site.url)
    await ann.enter("Illness and pain")
    await ann.page.get_by_role("button", name="People").click()
    sheet = ann.page.get_by_role("dialog", name="Who is here")
    await expect(sheet).to_contain_text("Just you at the moment.")
    async with ChatClient(site.ws_url) as client:
        await join(client, "illness")
        name = client.hello_ok["member"]["name"]
        await expect(sheet.get_by_role("listitem").filter(has_text=name)).to_be_visible()
    await expect(sheet.get_by_role("listitem").filter(has_text=name)).to_have_count(0)
    await ann.page.keyboard.press("Escape")


async def test_a_hidden_person_is_not_seen_until_it_is_undone(site: ChatServer, stay: Stay) -> None:
    ann = await stay(site.url)
    await ann.enter("Low days")
    async with ChatClient(site.ws_url) as client:
        await join(client, "low-mood")
        name = client.hello_ok["member"]["name"]
        await say(client, "low-mood", "something unkind")
        await ann.sees("something unkind")
        menu = await ann.open_menu("something unkind")
        await menu.get_by_role("button", name=f"Hide {name}").click()
        await expect(ann.post("something unkind")).to_have_count(0)
        await say(client, "low-mood", "more of it")
        await say(client, "low-mood", "and more")
        await ann.say("calm in here")
        assert (await ann.texts())[-1:] == ["calm in here"]
        await expect(ann.post("more of it")).to_have_count(0)

        await ann.go_back_to_lobby()
        await ann.open_own_corner()
        await ann.page.get_by_role("button", name=f"See {name} again").click()
        await expect(ann.page.get_by_text("You hide nobody.")).to_be_visible()
        await ann.go_back_to_lobby()
        await ann.enter("Low days")
        for text in ("something unkind", "more of it", "and more"):
            await ann.sees(text)


async def test_earlier_posts_are_fetched_when_asked_for(site: ChatServer, stay: Stay) -> None:
    async with ChatClient(site.ws_url) as client:
        await join(client, "company")
        texts = [f"post number {n:03}" for n in range(70)]
        await say(client, "company", *texts)
    ann = await stay(site.url)
    await ann.enter("Just need company")
    await ann.sees(texts[-1])
    await expect(ann.post(texts[0])).to_have_count(0)
    await ann.page.get_by_role("button", name="Earlier posts").click()
    await ann.sees(texts[0])
    assert await ann.texts() == texts
    await expect(ann.page.get_by_text("There is nothing older.")).to_be_visible()
