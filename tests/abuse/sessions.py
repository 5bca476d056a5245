"""How people of a scene meet one to one: a listener who is ready, somebody who asks, and their session."""

from __future__ import annotations

from typing import Any, Final

from chatserver.domain.listening.training import QUESTIONS
from tests.abuse.scene import Scene
from tests.kit.client import PATIENCE, ChatClient

Json = dict[str, Any]
_ANSWERS: Final = [question.right for question in QUESTIONS]


async def listener(scene: Scene, *more_roles: str) -> ChatClient:
    """Return a listener who passed the check and is available."""
    client = await scene.staff("listener", *more_roles)
    await client.ask("console")
    await client.ask("ready", answers=_ANSWERS)
    await client.ask("profile", languages=["en"])
    await client.ask("available", on=True)
    scene.at_the_end(lambda: client.ask("available", on=False))
    return client


async def ask(client: ChatClient) -> Json:
    """Ask for a listener, as the page does."""
    return await client.ask("ask", agreement=True, language="en")


async def proposed(client: ChatClient, seconds: float = PATIENCE) -> Json:
    """Wait until the listener is shown a proposal that is not answered yet, and return it. Raises TimeoutError."""
    push = await client.wait_for(lambda each: each.get("push") == "console" and "proposal" in each, seconds)
    found: Json = push["proposal"]
    return found


async def accept(client: ChatClient, seconds: float = PATIENCE) -> str:
    """Accept the proposal that the listener is shown within so many seconds, and return the session's id."""
    client.pushes.clear()
    view = await client.ask("console")
    proposal = view.get("proposal") or await proposed(client, seconds)
    ok = await client.ask("accept", proposal=proposal["id"])
    return str(ok["session"])


async def pair(scene: Scene, *roles: str, address: str | None = None) -> tuple[ChatClient, ChatClient, str]:
    """Return a seeker and a listener (who has more roles, if any are given) in a session, and its id."""
    helper = await listener(scene, *roles)
    seeker = await scene.guest(address or scene.honest)
    await ask(seeker)
    session = await accept(helper)
    for each in (seeker, helper):
        await each.ask("join", room=session)
    scene.at_the_end(lambda: seeker.ask("end", session=session))
    return seeker, helper, session
