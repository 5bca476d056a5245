/** Puts the operators' page together: who is signed in, the connection, and the parts that show the load. */

/** @import {SignedIn} from "../listening/listener/types.js" */
/** @import {LoadOk, LoadPush, Picture} from "./types.js" */

import { call, fetched, reach } from "../lib/api.js";
import { Client, Refused } from "../lib/client.js";
import { button, focusOn, h, show, text } from "../lib/dom.js";
import { newId } from "../lib/text.js";
import { Bell } from "../shell/bell.js";
import { askWithReauth } from "../shell/reauth.js";
import { signInView, unreachableView } from "../shell/sign-in.js";
import { triesNotice } from "../shell/sign-in-notice.js";
import { check } from "../shell/fields.js";
import { words } from "../locales/en-operators.js";
import { rareWord } from "../shell/link-line.js";
import { attentionView, queueView, deliveryView, totalsView, workersView } from "./panels.js";
import { roomsView } from "./rooms.js";
import { laid, news, whole } from "./state.js";

const OLD_MS = 4_000;
const TICK_MS = 1_000;
const AGAIN_MS = 5_000;
const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit", second: "2-digit" });

/** @param {string} id */
function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`The page has no #${id}.`);
  return element;
}

function localOrNone() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

const stage = byId("screen");
const linkLine = byId("link");

/** The same words twice are said twice. @param {string} what */
function sayNow(what) {
  const element = byId("say-now");
  text(element, "");
  setTimeout(() => text(element, what), 60);
}

/** @param {HTMLElement} element */
function turnTo(element) {
  stage.replaceChildren(element);
  const first = element.querySelector("h1");
  if (first !== null) focusOn(first);
}

/** Who is signed in here? @param {string} note  what happened before */
async function checkSignIn(note = "") {
  try {
    open(await call("/api/staff/me", null));
  } catch (no) {
    const isOut = no instanceof Refused && no.code.startsWith("identity_");
    stage.replaceChildren(
      isOut ? signInView(open, note, words.signIn) : unreachableView(no, () => void checkSignIn(note)),
    );
  }
}

/** @param {SignedIn} account */
function open(account) {
  if (account.roles.some((role) => role === "operator" || role === "moderator")) page(account);
  else turnTo(notYours());
}

function notYours() {
  return h(
    "div",
    { class: "narrow card door" },
    h("h1", { text: words.signIn.title }),
    h("p", { text: words.signIn.notYours }),
    h(
      "div",
      { class: "row" },
      h("a", { class: "act", href: "/listen.html", text: words.signIn.toListening }),
      button(words.out, () => void signOut(), { class: "quiet" }),
    ),
  );
}

async function signOut() {
  await call("/api/staff/sign-out", {}).catch(() => null);
  location.reload();
}

/** What may be taken along, for those who may. */
function statisticsCard() {
  const w = words.statistics;
  return h(
    "section",
    { class: "card", "aria-labelledby": "statistics-title" },
    h("h2", { id: "statistics-title", text: w.title }),
    h("p", { text: w.lead }),
    h("p", { class: "soft", text: w.here }),
    h(
      "p",
      {},
      h("a", { class: "act second", href: "/api/staff/statistics", download: "statistics.csv", text: w.download }),
    ),
  );
}

/** The flight simulator. Its form is fetched when somebody wants it. @param {(what: string) => void} tell */
function simulatorCard(tell) {
  const w = words.simulator;
  const begin = button(
    w.begin,
    () =>
      void fetched(() => import("./queue-simulator.js"), "operating/queue-simulator.js").then(startSimulator, () =>
        tell(words.link.lost),
      ),
    { class: "act second" },
  );
  const element = h(
    "section",
    { class: "card", "aria-labelledby": "flight-title" },
    h("h2", { id: "flight-title", text: w.title }),
    h("p", { text: w.lead }),
    h("p", {}, begin),
  );

  /** @param {typeof import("./queue-simulator.js")} found */
  function startSimulator({ simulatorView }) {
    const view = simulatorView(sayNow);
    begin.parentElement?.replaceWith(view);
    view.querySelector("input")?.focus();
  }
  return element;
}

/** @param {SignedIn} account */
function page(account) {
  const mayOperate = account.roles.includes("operator");
  /** @type {Picture | null} */
  let picture = null;
  let here = "";
  let heardAt = 0;
  let isDue = false;
  /** @type {Map<string, string>} rooms that wait for a moderator */
  let alone = new Map();
  const bell = new Bell(localOrNone(), () => new AudioContext());
  const ended = new AbortController();
  const { signal } = ended;

  /** @type {import("./types.js").Acting} */
  const acting = {
    ask: (cmd, fields) => ask(cmd, fields),
    nameOf: (room) => picture?.places.get(room)?.name ?? room,
    mayOperate,
  };
  /** What is done is fetched when somebody begins. @param {(found: typeof import("./acts.js")) => void} begin */
  const act = (begin) =>
    void fetched(() => import("./acts.js"), "operating/acts.js").then(begin, () => tell(words.link.lost));
  const change = (/** @type {string} */ id, /** @type {string} */ name) =>
    act((found) => found.roomSheet(acting, id, name));
  const drain = (/** @type {string} */ id, /** @type {string} */ name) =>
    act((found) => found.workerSheet(acting, id, name));
  const rooms = roomsView(change);
  const attention = attentionView((name) => rooms.find(name), change);
  const totals = totalsView();
  const queue = queueView();
  const workers = workersView(() => here, mayOperate ? drain : null);
  const delivery = deliveryView();
  const live = h("p", { class: "live" });
  const waitingPlace = h("div", {});
  const accountsPlace = h("div", {});
  /** @type {ReturnType<typeof import("./accounts.js").accountsCard> | null} */
  let accounts = null;
  const sound = check(words.sound, bell.on.call);
  sound.input.addEventListener("change", () => bell.set("call", sound.input.checked));
  const element = h(
    "div",
    { class: "operators" },
    h(
      "div",
      { class: "first" },
      h("h1", { text: words.here }),
      live,
      button(words.rooms.settings, () => act((found) => found.settingsSheet(acting)), {
        class: "quiet",
        "aria-haspopup": "dialog",
      }),
      button(words.out, () => void signOut(), { class: "quiet" }),
    ),
    triesNotice(account),
    attention.element,
    waitingPlace,
    totals.element,
    rooms.element,
    h("div", { class: "panels" }, ...queue.elements, delivery.element),
    workers.element,
    accountsPlace,
    mayOperate && simulatorCard(tell),
    mayOperate && statisticsCard(),
    h(
      "div",
      { class: "row" },
      sound.element,
      button(words.soundTry, () => bell.play("call"), { class: "quiet" }),
    ),
  );

  const address = new URL("/ws", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const client = new Client({
    url: address.href,
    WebSocket,
    timers: {
      now: () => Date.now(),
      setTimeout: (f, ms) => window.setTimeout(f, ms),
      clearTimeout: (t) => window.clearTimeout(t ?? undefined),
    },
    random: Math.random,
    newId,
    hello: { staff: true },
    // Who this is stands in the sign-in's cookie.
    prepare: () => Promise.resolve(),
    reach,
    onOpen: () => void begin(),
    onPush: (/** @type {any} */ push) => {
      if (push.push === "load") take(push);
      else if (push.push === "standby") summon(push.rooms);
      else if (push.push === "accounts") accounts?.update(push);
    },
    onTrouble: (trouble) => {
      if (trouble.status === "stopped") over(trouble.why);
      else if (trouble.status === "waiting") {
        tell(words.link.lost);
        void rareWord(trouble.why, trouble.until).then((said) => said !== null && !client.isOpen && tell(said));
      }
    },
  });

  const ask = askWithReauth(account, client);

  async function begin() {
    try {
      const ok = /** @type {LoadOk} */ (await client.patient("load"));
      here = ok.here;
      became(whole(ok));
      tell("");
      if (mayOperate) await watchAccounts();
    } catch (no) {
      if (no instanceof Refused && no.code === "not_allowed") {
        stop();
        turnTo(notYours());
      }
      // Otherwise the connection was lost, and the next one asks again.
    }
  }

  /** What is done with accounts, shown as it happens. */
  async function watchAccounts() {
    const found = await fetched(() => import("./accounts.js"), "operating/accounts.js").catch(() => null);
    if (found === null) {
      setTimeout(() => !signal.aborted && client.isOpen && void watchAccounts().catch(() => {}), AGAIN_MS);
      return;
    }
    const { accountsCard } = found;
    if (accounts === null) {
      accounts = accountsCard(account, localOrNone(), sayNow);
      waitingPlace.replaceChildren(accounts.waiting);
      accountsPlace.replaceChildren(accounts.element);
    }
    accounts.update(await client.patient("accounts"));
  }

  /** A room that needs a moderator calls when it slows, and once more when it can only be read.
   * @param {{id: string, name: string, attendance: string}[]} rooms */
  function summon(rooms) {
    const known = alone;
    alone = new Map(rooms.map((room) => [room.id, room.attendance]));
    if (rooms.some((room) => known.get(room.id) !== room.attendance)) bell.ring("call");
  }

  /** @param {LoadPush} push */
  function take(push) {
    if (picture !== null) became(laid(picture, push));
  }

  /** @param {Picture} next */
  function became(next) {
    const fresh = picture === null ? [] : news(picture.attention, next.attention);
    if (picture !== null && isDue) next = { ...next, changed: new Set([...picture.changed, ...next.changed]) };
    picture = next;
    heardAt = performance.now();
    const first = fresh[0];
    if (first !== undefined) sayNow(words.attention.news(first.words));
    if (isDue) return;
    isDue = true;
    if (document.hidden) draw();
    else requestAnimationFrame(draw);
  }

  function draw() {
    isDue = false;
    if (picture === null || signal.aborted) return;
    for (const part of [attention, totals, rooms, queue, workers, delivery]) part.update(picture);
    const urgent = picture.attention.filter((each) => each.urgent === true).length;
    document.title = urgent > 0 ? words.urgentTitle(urgent) : `${words.title} · Lamplight`;
    age();
  }

  function age() {
    if (picture === null) return;
    const isOld = performance.now() - heardAt > OLD_MS;
    element.classList.toggle("unsure", isOld);
    text(live, (isOld ? words.old : words.live)(clock.format(picture.at)));
  }

  /** @param {string} what */
  function tell(what) {
    text(linkLine, what);
    show(linkLine, what !== "");
  }

  /** @param {import("../types.js").StopsFor} why */
  function over(why) {
    if (why === "refused") return tell(words.link.stopped);
    stop();
    turnTo(h("div", {}, signInView(open, words.signIn.over, words.signIn)));
  }

  function stop() {
    ended.abort();
    clearInterval(ticking);
    client.stop();
    tell("");
    document.title = `${words.title} · Lamplight`;
  }

  const ticking = setInterval(age, TICK_MS);
  for (const doing of ["pointerdown", "keydown"])
    document.addEventListener(doing, () => bell.wake(), { signal, passive: true });
  for (const how of ["online", "offline"]) window.addEventListener(how, () => client.nudge(), { signal });
  window.addEventListener("pageshow", (event) => event.persisted && client.nudge(), { signal });
  document.addEventListener("visibilitychange", () => !document.hidden && client.nudge(), { signal });
  window.addEventListener("chat:leaving", () => client.stop(), { signal });
  stage.replaceChildren(element);
  client.start();
}

if (!/\b(left|old)\b/.test(document.documentElement.className)) void checkSignIn();
