"""The naive server: Starlette on uvicorn, with one `await` per member and message.

python -m bench.naive PORT
"""

from __future__ import annotations

import sys
from collections import defaultdict

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

rooms: defaultdict[str, list[WebSocket]] = defaultdict(list)


async def chat(socket: WebSocket) -> None:
    """One member of the room that the path names."""
    await socket.accept()
    room = rooms[socket.path_params["room"]]
    room.append(socket)
    try:
        while True:
            text = await socket.receive_text()
            for member in room:
                await member.send_text(text)
    except WebSocketDisconnect:
        room.remove(socket)


app = Starlette(routes=[WebSocketRoute("/r/{room}", chat)])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", backlog=4_096)
