/**
 * The connection: the only file that touches the socket. WebSocket, clock and randomness come from outside.
 *
 * A *command* is asked once, on the open connection. A *fact* (post, edit, redact, react) is sent again with the same id
 * after every return until it is answered, so that it happens exactly once. It waits behind a gate, its room, until
 * `release` says that the room has been joined again.
 */

/** @import {ClientOptions, ErrorBody, FactEntry, FactOk} from "../types.js" */

import { advice, delay } from "./backoff.js";

export const SUBPROTOCOL = "chat.v1.json";
const REPLY_MS = 10_000;
const OPEN_MS = 12_000;
const PONG_MS = 8_000;
const STABLE_MS = 10_000;
const PATIENT_TRIES = 5;
const PATIENT_CODES = ["rate_limited", "busy", "storage_unavailable", "joins_slowed"];

/** An expected "no", from the server or because there is no connection. `retryAfter` is in seconds. */
export class Refused extends Error {
  /** @param {ErrorBody} body */
  constructor(body) {
    super(body.message);
    this.code = body.code;
    this.temporary = body.temporary;
    this.retryAfter = body.retry_after ?? null;
    this.details = body.details ?? {};
  }
}

const LOST = () => new Refused({ code: "lost", message: "The connection dropped.", temporary: true });
const LATE = () => new Refused({ code: "late", message: "No answer came in time.", temporary: true });

export class Client {
  /** @param {ClientOptions} options */
  constructor(options) {
    this.o = options;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.isOpen = false;
    this.isStopped = true;
    this.attempt = 0;
    /** @type {"network" | "draining" | "busy"} */
    this.why = "network";
    /** @type {number | null} */
    this.reconnectAfter = null;
    /** @type {Map<string, {resolve: (ok: any) => void, reject: (r: Refused) => void, timer: any}>} */
    this.asked = new Map();
    /** @type {Map<string, FactEntry>} */
    this.facts = new Map();
    /** @type {Set<string>} */
    this.gates = new Set();
    this.pingSeconds = 25;
    /** @type {Record<"retry" | "opening" | "ping" | "pong" | "stable", any>} */
    this.t = { retry: null, opening: null, ping: null, pong: null, stable: null };
  }

  /** Begin, or begin again after a stop. */
  start() {
    if (!this.isStopped) return;
    this.isStopped = false;
    this.attempt = 0;
    this.#connect();
  }

  /** Close and stay closed. Facts are kept, and go out after the next `start`. */
  stop() {
    this.isStopped = true;
    this.#clear("retry");
    this.#leave(1000);
  }

  /** The page is seen again, or the network is back. */
  nudge() {
    if (this.isStopped) return;
    if (this.isOpen) this.#ping(PONG_MS / 2);
    else if (this.t.retry !== null && this.why === "network") {
      this.#clear("retry");
      this.#connect();
    }
  }

  /** The person asks, whatever we were waiting for. */
  tryNow() {
    if (this.isStopped || this.t.retry === null) return;
    this.#clear("retry");
    this.#connect();
  }

  /**
   * Ask something on the connection that is open now. Rejects with Refused.
   * @param {string} cmd @param {object} [fields] @param {string} [id]  of a command that is given again
   */
  command(cmd, fields = {}, id = this.o.newId()) {
    if (!this.isOpen) return Promise.reject(LOST());
    return this.#ask(id, cmd, fields);
  }

  /**
   * The same, but where the server asks to wait, ask again later, while this connection lasts.
   * @param {string} cmd @param {object} [fields] @param {string} [id]
   */
  async patient(cmd, fields = {}, id = this.o.newId()) {
    const socket = this.socket;
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.command(cmd, fields, id);
      } catch (no) {
        if (!(no instanceof Refused) || !PATIENT_CODES.includes(no.code) || tries >= PATIENT_TRIES) throw no;
        await new Promise((done) => this.o.timers.setTimeout(() => done(null), this.#pause(no, tries)));
        if (this.socket !== socket) throw LOST();
      }
    }
  }

  /**
   * Resolves when it is durable; rejects with Refused only where sending it again cannot help.
   * @param {string} cmd @param {object} fields
   * @param {{gate: string, id?: string, onSending?: () => void, onWaiting?: () => void}} how
   */
  fact(cmd, fields, { gate, id = this.o.newId(), onSending = () => {}, onWaiting = () => {} }) {
    return new Promise((resolve, reject) => {
      const entry = { id, cmd, fields, gate, tries: 0, flying: false, timer: null, onSending, onWaiting, resolve, reject };
      this.facts.set(id, entry);
      if (!this.#send(entry)) onWaiting();
    });
  }

  /** Forget a fact that was not answered yet. It may have happened. @param {string} id */
  forget(id) {
    const entry = this.facts.get(id);
    if (entry !== undefined) this.o.timers.clearTimeout(entry.timer);
    this.facts.delete(id);
  }

  /** The room behind this gate has been joined on this connection: its facts may go. @param {string} gate */
  release(gate) {
    if (!this.isOpen) return;
    this.gates.add(gate);
    for (const entry of [...this.facts.values()]) if (entry.gate === gate) this.#send(entry);
  }

  async #connect() {
    this.o.onTrouble({ status: "connecting" });
    this.socket = null;
    const mine = (this.round = {});
    const isStale = () => this.round !== mine || this.isStopped;
    try {
      await this.o.prepare();
    } catch (no) {
      if (isStale()) return;
      const isFinal = no instanceof Refused && !no.temporary;
      return isFinal ? this.#halt(no.code === "banned" ? "banned" : "refused") : this.#wait("come back now", no instanceof Refused ? no.retryAfter : null);
    }
    if (isStale()) return;
    const socket = new this.o.WebSocket(this.o.url, SUBPROTOCOL);
    this.socket = socket;
    this.t.opening = this.o.timers.setTimeout(() => this.#lost(socket, 1006), OPEN_MS);
    socket.onopen = () => this.#hello(socket);
    socket.onmessage = (event) => this.#receive(socket, event.data);
    socket.onclose = (event) => this.#lost(socket, event.code);
  }

  /** @type {object} */
  round = {};

  /** @param {WebSocket} socket */
  async #hello(socket) {
    try {
      const ok = await this.#ask(this.o.newId(), "hello", { client: "web", ...this.o.hello });
      if (this.socket !== socket) return;
      this.#clear("opening");
      this.isOpen = true;
      this.why = "network";
      this.reconnectAfter = null;
      this.pingSeconds = ok.limits.ping_seconds;
      this.t.stable = this.o.timers.setTimeout(() => {
        this.attempt = 0;
      }, STABLE_MS);
      this.#pingLater();
      this.o.onOpen(ok);
    } catch (no) {
      if (this.socket !== socket || !(no instanceof Refused)) return;
      if (no.code.startsWith("identity_")) {
        this.#leave(1000);
        this.#halt("identity");
      } else if (no.temporary) {
        this.#leave(1000);
        this.#wait("come back now", no.retryAfter);
      } else {
        this.#leave(1000);
        this.#halt(no.code === "banned" ? "banned" : "refused");
      }
    }
  }

  /** @param {WebSocket} socket @param {unknown} data */
  #receive(socket, data) {
    if (this.socket !== socket || typeof data !== "string") return;
    this.#clear("pong");
    const message = JSON.parse(data);
    if ("push" in message) {
      if (message.push === "draining") {
        this.why = "draining";
        this.reconnectAfter = message.reconnect_after;
      }
      this.o.onPush(message);
      return;
    }
    const asked = this.asked.get(message.re);
    if (asked === undefined) return;
    this.asked.delete(message.re);
    this.o.timers.clearTimeout(asked.timer);
    if ("ok" in message) asked.resolve(message.ok);
    else asked.reject(new Refused(message.error));
  }

  /** @param {string} id @param {string} cmd @param {object} fields */
  #ask(id, cmd, fields) {
    const socket = this.socket;
    if (socket === null || socket.readyState !== 1) return Promise.reject(LOST());
    return new Promise((resolve, reject) => {
      const timer = this.o.timers.setTimeout(() => {
        this.asked.delete(id);
        reject(LATE());
        if (this.socket === socket && this.isOpen) this.#ping(PONG_MS);
      }, REPLY_MS);
      this.asked.set(id, { resolve, reject, timer });
      socket.send(JSON.stringify({ cmd, id, ...fields }));
    });
  }

  /** @param {FactEntry} entry @returns {boolean} whether it is on its way */
  #send(entry) {
    if (!this.isOpen || !this.gates.has(entry.gate) || entry.flying) return entry.flying;
    this.o.timers.clearTimeout(entry.timer);
    entry.flying = true;
    entry.onSending();
    this.#ask(entry.id, entry.cmd, entry.fields).then(
      (ok) => {
        if (this.facts.get(entry.id) === entry) this.facts.delete(entry.id);
        entry.resolve(ok);
      },
      (no) => this.#again(entry, no),
    );
    return true;
  }

  /** @param {FactEntry} entry @param {Refused} no */
  #again(entry, no) {
    entry.flying = false;
    if (this.facts.get(entry.id) !== entry) return;
    if (!no.temporary) {
      this.facts.delete(entry.id);
      entry.reject(no);
      return;
    }
    entry.onWaiting();
    if (no.code === "lost") return;
    entry.tries += 1;
    entry.timer = this.o.timers.setTimeout(() => this.#send(entry), this.#pause(no, entry.tries));
  }

  /** @param {Refused} no @param {number} tries @returns {number} ms to wait before asking again */
  #pause(no, tries) {
    const least = no.retryAfter !== null ? no.retryAfter * 1000 : 500;
    return least + delay("come back now", Math.min(tries, 6), this.o.random()) * (no.retryAfter !== null ? 0.1 : 1);
  }

  #pingLater() {
    this.#clear("ping");
    this.t.ping = this.o.timers.setTimeout(() => this.#ping(PONG_MS), this.pingSeconds * 1000);
  }

  /** Ask whether anybody is there; anything that comes is an answer. @param {number} patience  ms */
  #ping(patience) {
    const socket = this.socket;
    if (socket === null || !this.isOpen) return;
    this.#pingLater();
    if (this.t.pong !== null) return;
    this.t.pong = this.o.timers.setTimeout(() => this.#lost(socket, 1006), patience);
    this.#ask(this.o.newId(), "ping", {}).catch(() => {});
  }

  /** @param {WebSocket} socket @param {number} code */
  #lost(socket, code) {
    if (this.socket !== socket) return;
    this.#leave(code === 1006 ? 1000 : null);
    const how = advice(code);
    if (how === "stay away") this.#halt(code === 4401 ? "identity" : code === 4402 ? "banned" : "refused");
    else {
      if (how === "back off") this.why = "busy";
      this.#wait(how, null);
    }
  }

  /** Let go of the socket, and tell all who wait for its answers. @param {number | null} code  null: it is closed */
  #leave(code) {
    const socket = this.socket;
    this.socket = null;
    this.round = {};
    this.isOpen = false;
    this.gates.clear();
    for (const name of /** @type {const} */ (["opening", "ping", "pong", "stable"])) this.#clear(name);
    if (socket !== null) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      if (code !== null) socket.close(code);
    }
    const waiting = [...this.asked.values()];
    this.asked.clear();
    for (const { reject, timer } of waiting) {
      this.o.timers.clearTimeout(timer);
      reject(LOST());
    }
  }

  /** @param {"come back now" | "back off"} how @param {number | null} atLeast  seconds the server asked for */
  #wait(how, atLeast) {
    if (this.isStopped) return;
    const asked = this.reconnectAfter ?? atLeast;
    const ms = asked !== null ? asked * 1000 : delay(how, this.attempt, this.o.random());
    this.reconnectAfter = null;
    this.attempt += 1;
    this.o.onTrouble({ status: "waiting", why: this.why, until: this.o.timers.now() + ms });
    this.t.retry = this.o.timers.setTimeout(() => {
      this.t.retry = null;
      if (this.why !== "network") this.why = "network";
      this.#connect();
    }, ms);
  }

  /** @param {"identity" | "refused" | "banned"} why */
  #halt(why) {
    this.isStopped = true;
    this.o.onTrouble({ status: "stopped", why });
  }

  /** @param {"retry" | "opening" | "ping" | "pong" | "stable"} name */
  #clear(name) {
    this.o.timers.clearTimeout(this.t[name]);
    this.t[name] = null;
  }
}
