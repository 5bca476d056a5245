/** What the tests of the web client share: real frames, a state in a room, and stand-ins for socket, clock and storage. */

import { readFileSync } from "node:fs";

import { Client } from "../../web/js/lib/client.js";
import { Session } from "../../web/js/rooms/session.js";
import { initialState, reduce } from "../../web/js/rooms/state.js";
import { Vault } from "../../web/js/rooms/vault.js";

export const frames = JSON.parse(readFileSync(new URL("./frames.json", import.meta.url), "utf8"));
export const NOW = 1_790_000_000_000;
/** As they are known in the room. */
export const ANNE = "p_anne";
export const BEN = "p_ben";

/** @param {any} state @param {...any} events */
export const after = (state, ...events) => events.reduce(reduce, state);
export const push = (p, now = NOW) => ({ type: "push", push: p, now });
export const joined = (name, since = null) => ({ type: "joined", ok: frames.replies[name].ok, since });

/** Anne has said hello, and is in the room with posts 1 to 3. */
export const inRoom = (...events) =>
  after(
    initialState(),
    { type: "hello", ok: frames.replies.hello.ok, now: NOW },
    { type: "lobby", rooms: frames.replies.rooms.ok.rooms },
    joined("join_page"),
    ...events,
  );

export const pendingPost = (fields = {}) => ({
  id: "p1",
  room: "sleep",
  text: "I am still up.",
  warning: null,
  replyTo: null,
  at: NOW,
  epoch: "e1",
  after: 10,
  sentAt: NOW,
  status: "sending",
  why: null,
  offset: null,
  ...fields,
});

/** Time that passes only when told to. */
export class Clock {
  constructor() {
    this.at = NOW;
    this.due = new Map();
    this.last = 0;
    this.timers = {
      now: () => this.at,
      setTimeout: (f, ms) => {
        this.last += 1;
        this.due.set(this.last, { f, at: this.at + ms });
        return this.last;
      },
      clearTimeout: (id) => void this.due.delete(id),
    };
  }

  async pass(ms) {
    const end = this.at + ms;
    for (;;) {
      await settled();
      const next = [...this.due].filter(([, d]) => d.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (next === undefined) break;
      this.due.delete(next[0]);
      this.at = Math.max(this.at, next[1].at);
      next[1].f();
    }
    this.at = end;
    await settled();
  }
}

/** Let every promise that can settle do so. */
export const settled = () => new Promise((done) => setImmediate(done));

/** The sockets that a client opened, each a network that the test plays. */
export function network() {
  const sockets = [];
  class Socket {
    constructor(url, protocol) {
      Object.assign(this, { url, protocol, readyState: 0, sent: [], closed: null });
      sockets.push(this);
    }

    send(text) {
      this.sent.push(JSON.parse(text));
    }

    close(code) {
      this.closed = code;
      this.readyState = 3;
    }

    open() {
      this.readyState = 1;
      this.onopen?.();
    }

    give(message) {
      this.onmessage?.({ data: JSON.stringify(message) });
    }

    fail(code) {
      this.readyState = 3;
      this.onclose?.({ code });
    }

    of(cmd) {
      return this.sent.filter((c) => c.cmd === cmd);
    }

    answer(command, ok = { ok: "done" }) {
      this.give({ re: command.id, ok });
    }

    refuse(command, error) {
      this.give({ re: command.id, error: { message: "", temporary: false, ...error } });
    }
  }
  return { Socket, sockets };
}

/** A localStorage. `full` makes it refuse. */
export class MemoryStorage {
  constructor() {
    this.map = new Map();
    this.full = false;
  }

  get length() {
    return this.map.size;
  }

  key(i) {
    return [...this.map.keys()][i] ?? null;
  }

  getItem(key) {
    return this.map.get(key) ?? null;
  }

  setItem(key, value) {
    if (this.full) throw new DOMException("full", "QuotaExceededError");
    this.map.set(key, String(value));
  }

  removeItem(key) {
    this.map.delete(key);
  }

  clear() {
    this.map.clear();
  }
}

/** A client of a network, by this clock and without chance. It says hello as soon as it can. */
export function clientOf(Socket, clock, options) {
  let ids = 0;
  return new Client({
    onOpen: () => {},
    onPush: () => {},
    onTrouble: () => {},
    ...options,
    url: "ws://here/ws",
    WebSocket: Socket,
    timers: clock.timers,
    random: () => 0.5,
    newId: () => `c${(ids += 1)}`,
    prepare: async () => {},
  });
}

/** A page in the room "sleep", over a storage that outlives it. */
export async function page(shelf = new MemoryStorage(), clock = new Clock()) {
  const { Socket, sockets } = network();
  const session = new Session({
    vault: new Vault(shelf, { tab: `t${Math.random()}` }),
    now: () => clock.at,
    connect: (options) => clientOf(Socket, clock, options),
  });
  /** Open the newest socket, and be in the room. */
  async function arrive() {
    await settled();
    const socket = sockets.at(-1);
    socket.open();
    await settled();
    socket.answer(socket.of("hello").at(-1), frames.replies.hello.ok);
    await settled();
    socket.refuse(socket.of("standing").at(-1), { code: "not_allowed" });
    socket.answer(socket.of("rooms").at(-1), frames.replies.rooms.ok);
    await settled();
    while (socket.of("join").length > 0) {
      const join = socket.of("join")[0];
      socket.sent.splice(socket.sent.indexOf(join), 1);
      if (join.room === "sleep") socket.answer(join, frames.replies.join_page.ok);
      else socket.refuse(join, { code: "room_unknown" });
      await settled();
    }
    return socket;
  }
  await session.start();
  const socket = await arrive();
  await settled();
  return { session, clock, shelf, sockets, socket, arrive };
}

/** Enter a room of which the browser kept the place alone: none of its posts are held. */
export async function enterThin(session, socket, id) {
  const { room, ...ok } = frames.replies.join_exact.ok;
  session.vault.keepPlace(id, ok.position);
  session.enter(id).catch(() => {});
  await settled();
  const join = socket.of("join").findLast((each) => each.room === id);
  socket.answer(join, { ...ok, room: { ...room, id }, missed: [] });
  await settled();
}

/** Web Locks, shared by the tabs that are given the same one. `die` lets go of what a tab held. */
export class Locks {
  constructor() {
    this.held = new Map();
    this.waiting = [];
  }

  async request(name, options, act) {
    const f = act ?? options;
    const isFree = () => !this.held.has(name);
    if (!isFree()) {
      if (act !== undefined && options.ifAvailable) return f(null);
      await new Promise((go) => this.waiting.push({ name, go }));
    }
    this.held.set(name, true);
    try {
      return await f({ name });
    } finally {
      this.release(name);
    }
  }

  release(name) {
    this.held.delete(name);
    const next = this.waiting.findIndex((w) => w.name === name);
    if (next >= 0) this.waiting.splice(next, 1)[0].go();
  }

  die(tab) {
    this.release(`chat.tab.${tab}`);
  }
}
