// The relay of bench/naive.py in Bun, with its own publish and subscribe: bun bun.js PORT
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  fetch(request, server) {
    const room = new URL(request.url).pathname;
    return server.upgrade(request, { data: { room } }) ? undefined : new Response("", { status: 400 });
  },
  websocket: {
    open(socket) {
      socket.subscribe(socket.data.room);
    },
    message(socket, text) {
      // The server publishes, so that the author is shown the post as well.
      server.publish(socket.data.room, text);
    },
  },
});
