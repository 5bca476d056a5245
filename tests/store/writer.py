"""A process that writes posts and says on its standard output which were acknowledged, until it is killed.

python -m tests.store.writer URL AUTHOR [POSTS]
"""

from __future__ import annotations

import asyncio
import sys

from chatserver.domain.history import CommandId, Millis, Offset
from chatserver.domain.identity import MemberId, Persona
from chatserver.domain.rooms.rooms import WritePost
from tests.store.kit import Database, change, only


async def main(url: str, author: str, posts: int) -> None:
    store = Database(url).store()
    await store.open()
    person = Persona(MemberId(author), author)

    async def write(lane: int) -> None:
        for i in range(posts):
            name = f"{author}-{lane}-{i}"
            committed = await store.commit(change(person, WritePost(text=name), id_=CommandId(name), now=Millis(0)))
            offset: Offset = only(committed).offset
            # One write, so that a kill leaves no half of a line.
            sys.stdout.write(f"{offset} {name}\n")
            sys.stdout.flush()

    await asyncio.gather(*(write(lane) for lane in range(8)))
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000))
