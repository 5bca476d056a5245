/**
 * The connection: the only file that touches the socket. WebSocket, clock and randomness come from outside.
 *
 * A *command* is asked once, on the open connection. A *fact* (post, edit, redact, react) is sent again with the same id
 * after every return until it is answered, so that it happens once. It waits behind a gate, its room, until `release`
 * says that the room was joined again. Of one kind they go one after the other in each room, so that they keep their order
 * and a return is no burst. It ends with `unsure` where time after time nobody says whether it happened.
 */

/** @import {ClientOptions, ErrorBody, FactEntry, FactHow, StopsFor, WaitsFor} from "../types.js" */

import { advice, delay } from "./backoff.js";
import { json } from "./text.js";

export const SUBPROTOCOL = "chat.v1.json";
const REPLY_MS = 10_000;
const OPEN_MS = 12_000;
const PONG_MS = 8_000;
const STABLE_MS = 10_000;
const PATIENT_TRIES = 5;
const BLOCKED_TRIES = 3;
const BLOCKED_MS = 8_000;
/** By a refusal's code. @type {Record<string, WaitsFor>} */
const WHY = {
  rate_limited: "crowd",
  busy: "busy",
  storage_unavailable: "store",
  internal: "server",
  draining: "draining",
};
/** @type {Record<string, "banned" | "origin" | "cookies">} */
const HALTS = { banned: "banned", origin_refused: "origin", cookies: "cookies" };
const MOST_DOUBTS = 5;
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
const UNSURE = () => new Refused({ code: "unsure", message: "Nobody can say whether it happened.", temporary: false });
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
    /** @type {number | null} */
    this.lostAt = null;
    /** @type {WaitsFor} */
    this.why = "network";
    /** Sockets in a row that never opened. */
    this.unopened = 0;
    this.unopenedSince = 0;
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
    this.lostAt = null;
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
    else if (this.t.retry !== null && ["network", "blocked", "server"].includes(this.why)) {
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
   * @param {string} cmd @param {object} fields @param {FactHow} how
   */
  fact(cmd, fields, { gate, id = this.o.newId(), doubts = 0, onSending = () => {}, onWaiting = () => {} }) {
    return new Promise((resolve, reject) => {
      const entry = {
        id,
        cmd,
        fields,
        gate,
        tries: 0,
        doubts,
        flying: false,
        timer: null,
        onSending,
        onWaiting,
        resolve,
        reject,
      };
      this.facts.set(id, entry);
      if (!this.#send(entry)) onWaiting(doubts);
    });
  }

  /** Forget a fact that was not answered yet. It may have happened. @param {string} id */
  forget(id) {
    const entry = this.facts.get(id);
    if (entry === undefined) return;
    this.o.timers.clearTimeout(entry.timer);
    this.#over(entry);
  }

  /** Forget every fact: whoever did them is here no longer. */
  forgetAll() {
    for (const { timer } of this.facts.values()) this.o.timers.clearTimeout(timer);
    this.facts.clear();
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
      if (this.unopened >= BLOCKED_TRIES - 1) await this.o.reach?.();
    } catch (no) {
      if (isStale()) return;
      if (!(no instanceof Refused)) return this.#wait("come back now", null, "network");
      return no.temporary
        ? this.#wait("come back now", no.retryAfter, WHY[no.code] ?? "network")
        : this.#halt(HALTS[no.code] ?? "refused");
    }
    if (isStale()) return;
    if (this.unopened === 0) this.unopenedSince = this.o.timers.now();
    this.unopened += 1;
    const socket = new this.o.WebSocket(this.o.url, SUBPROTOCOL);
    this.socket = socket;
    this.t.opening = this.o.timers.setTimeout(() => this.#lost(socket, 1006), OPEN_MS);
    socket.onopen = () => {
      this.unopened = 0;
      void this.#hello(socket);
    };
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
        this.lostAt = null;
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
        this.#wait("come back now", no.retryAfter, no.code === "busy" ? "tabs" : (WHY[no.code] ?? "network"));
      } else {
        this.#leave(1000);
        this.#halt(HALTS[no.code] ?? "refused");
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
    // What could not be read has no id; answers come in order.
    const re = message.re ?? this.asked.keys().next().value;
    const asked = this.asked.get(re);
    if (asked === undefined) return;
    this.asked.delete(re);
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
      socket.send(json({ cmd, id, ...fields }));
    });
  }

  /** @param {FactEntry} entry @returns {boolean} whether it is on its way */
  #send(entry) {
    if (!this.isOpen || !this.gates.has(entry.gate) || entry.flying || this.#first(entry) !== entry)
      return entry.flying;
    this.o.timers.clearTimeout(entry.timer);
    entry.timer = null;
    entry.flying = true;
    entry.onSending();
    this.#ask(entry.id, entry.cmd, entry.fields).then(
      (ok) => {
        if (this.facts.get(entry.id) === entry) this.#over(entry);
        entry.resolve(ok);
      },
      (no) => this.#again(entry, no),
    );
    return true;
  }

  /** The oldest fact of the same kind in the same room. @param {FactEntry} entry */
  #first({ gate, cmd }) {
    for (const each of this.facts.values()) if (each.gate === gate && each.cmd === cmd) return each;
    return undefined;
  }

  /** It waits no more, and the next one of its kind may go. @param {FactEntry} entry */
  #over(entry) {
    this.facts.delete(entry.id);
    const next = this.#first(entry);
    if (next !== undefined && next.timer === null) this.#send(next);
  }

  /** @param {FactEntry} entry @param {Refused} no */
  #again(entry, no) {
    entry.flying = false;
    if (this.facts.get(entry.id) !== entry) return;
    if (no.code === "late" || no.code === "internal") entry.doubts += 1;
    const isOver = entry.doubts >= MOST_DOUBTS;
    if (isOver || !no.temporary) {
      this.#over(entry);
      entry.reject(isOver ? UNSURE() : no);
      return;
    }
    entry.onWaiting(entry.doubts);
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
    const how = advice(code);
    // Whatever broke the connection would break the next one too.
    const doubts =
      code === 1011 || code === 4202 ? 1 : how === "stay away" && (code < 4401 || code > 4403) ? MOST_DOUBTS : 0;
    for (const entry of this.facts.values()) if (entry.flying) entry.doubts += doubts;
    this.#leave(code === 1006 ? 1000 : null);
    if (how === "stay away")
      this.#halt(/** @type {const} */ ({ 4401: "identity", 4402: "banned", 4403: "out" })[code] ?? "refused");
    else {
      // Pages come, and no socket opens.
      const isBlocked = this.unopened >= BLOCKED_TRIES && this.o.timers.now() - this.unopenedSince >= BLOCKED_MS;
      this.#wait(
        how,
        null,
        how === "back off" ? "busy" : isBlocked && this.o.reach !== undefined ? "blocked" : this.why,
      );
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

  /**
   * @param {"come back now" | "back off"} how @param {number | null} atLeast  seconds the server asked for
   * @param {WaitsFor} why
   */
  #wait(how, atLeast, why) {
    if (this.isStopped) return;
    this.why = why;
    const asked = this.reconnectAfter ?? atLeast;
    const now = this.o.timers.now();
    this.lostAt ??= now;
    const ms = asked !== null ? asked * 1000 : delay(how, this.attempt, this.o.random(), now - this.lostAt);
    this.reconnectAfter = null;
    this.attempt += 1;
    this.o.onTrouble({ status: "waiting", why: this.why, until: now + ms });
    this.t.retry = this.o.timers.setTimeout(() => {
      this.t.retry = null;
      if (this.why !== "network") this.why = "network";
      this.#connect();
    }, ms);
  }

  /** @param {StopsFor} why */
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
