/** Puts the moderators' page together: who is signed in, the connection, and what there is to do. */

/** @import {SignedIn} from "../listening/listener/types.js" */
/** @import {AloneRoom, ModeratorApp, Queue, Report, ReportPage} from "./types.js" */

import { call, reach } from "../lib/api.js";
import { Client, Refused } from "../lib/client.js";
import { attr, button, focusOn, h, keyed, show, text } from "../lib/dom.js";
import { newId } from "../lib/text.js";
import { Bell } from "../shell/bell.js";
import { askWithReauth } from "../shell/reauth.js";
import { signInView, unreachableView } from "../shell/sign-in.js";
import { triesNotice } from "../shell/sign-in-notice.js";
import { check } from "../shell/fields.js";
import { words } from "../locales/en-moderate.js";
import { rareWord } from "../shell/link-line.js";
import { fileView } from "./file.js";
import { measuresView, notesView } from "./lists.js";
import { hasToRing, queueView, takenWord, titleOf } from "./queue.js";
import { RoomsView } from "./rooms.js";
import { ModeratorSession } from "./session.js";

const TICK_MS = 15_000;
const HIDDEN_DRAW_MS = 250;

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

/** The same words twice are said twice. @param {HTMLElement} element */
function announcer(element) {
  return (/** @type {string} */ what) => {
    text(element, "");
    setTimeout(() => text(element, what), 60);
  };
}

const stage = byId("screen");
const say = announcer(byId("say"));
const sayNow = announcer(byId("say-now"));

/** @param {string} note  what happened before */
async function checkSignIn(note = "") {
  try {
    enter(await call("/api/staff/me", null));
  } catch (no) {
    const isOut = no instanceof Refused && no.code.startsWith("identity_");
    stage.replaceChildren(
      isOut ? signInView(enter, note, words.signIn) : unreachableView(no, () => void checkSignIn(note)),
    );
  }
}

/** @param {SignedIn} account */
function enter(account) {
  if (!account.roles.some((role) => role === "moderator" || role === "operator")) {
    stage.replaceChildren(
      h(
        "div",
        { class: "narrow card door" },
        h("h1", { text: words.title }),
        h("p", { text: words.notYours }),
        button(words.signOut, () => void out(), { class: "quiet" }),
      ),
    );
    return;
  }
  page(account);
}

async function out() {
  await call("/api/staff/sign-out", {}).catch(() => null);
  await checkSignIn(words.out);
}

/** @param {SignedIn} account */
function page(account) {
  const ended = new AbortController();
  const { signal } = ended;
  const bell = new Bell(localOrNone(), () => new AudioContext());
  const link = byId("link");
  text(link, words.lost);
  /** @type {Queue | null} */
  let queue = null;
  let skew = 0;
  let isDue = false;
  /** The pages after the first one, how many they are, and where the next one begins. @type {Report[]} */
  let extra = [];
  let pages = 0;
  let next = "";
  /** @type {Report | null} */
  let chosen = null;
  /** What one came through to what is on the screen. @type {Report[]} */
  let trail = [];
  /** @typedef {"reports" | "rooms" | "measures" | "notes"} Part */
  /** @type {Part} */
  let at = "reports";
  /** What was rung for, and since when it is as urgent. @type {Map<string, number>} */
  const rung = new Map();

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
    prepare: () => Promise.resolve(),
    reach,
    onOpen: (ok) => {
      skew = ok.now - Date.now();
      show(link, false);
      client
        .patient("reports")
        .then((view) => take(view, true))
        .catch(() => {});
      void session.opened(ok);
    },
    onPush: (/** @type {any} */ push) => {
      if (push.push === "reports") take(push, false);
      else if (push.push === "ring") ring(push);
      else if (push.push === "standby") summon(push.rooms);
      else session.take(push);
    },
    onTrouble: (trouble) => {
      if (trouble.status === "connecting") return;
      // A new sign-in helps only where the one that there was is over.
      if (trouble.status === "stopped" && trouble.why !== "refused" && trouble.why !== "origin")
        return leave(words.over);
      show(link, true);
      void rareWord(trouble.why, trouble.status === "stopped" ? null : trouble.until).then((said) =>
        text(link, said ?? words.lost),
      );
    },
  });
  const session = new ModeratorSession({ client, now: () => Date.now() });
  /** @type {ModeratorApp} */
  const app = {
    ask: (cmd, fields) => client.patient(cmd, fields),
    askWithReauth: askWithReauth(account, client),
    fact: (cmd, fields, gate) => client.fact(cmd, fields, { gate }),
    session,
    me: account.member,
    say,
    queue: () => queue,
    mayOperate: account.roles.includes("operator"),
    roomName: (room) => rooms.nameOf(room),
    openRoom: (room, offset, epoch) => {
      turn("rooms");
      void rooms.open(room, offset, epoch);
    },
  };

  const reports = queueView(
    app,
    (report) => choose(report),
    () => void turnPages(pages + 1),
  );
  const rooms = new RoomsView(app, () => draw());
  const measures = measuresView(app);
  const notes = notesView(app);
  const nav = h("nav", { class: "pages", "aria-label": words.pagesLabel });
  const empty = h("p", { class: "soft choose", text: words.file.choose });
  const place = h("div", { class: "file-place" }, empty);
  const both = h("div", { class: "both" }, reports.element, place);
  const stand = h("div", { class: "place" }, both);
  /** @type {ReturnType<typeof fileView> | null} */
  let file = null;

  /** @param {Queue} view @param {boolean} isFirst */
  function take(view, isFirst) {
    if (!isFirst && queue !== null && view.version < queue.version) return;
    const known = new Set([...(queue?.open ?? []), ...(queue?.closed ?? [])].map((report) => report.id));
    if (queue !== null && view.open.some((report) => !known.has(report.id) && !hasToRing(report)))
      say(words.queue.fresh);
    for (const report of view.open) {
      const was = queue?.open.find((one) => one.id === report.id);
      const lost = takenWord(report, account.member.id);
      if (was?.claimed_by?.id === account.member.id && report.claimed_by?.id !== account.member.id && lost !== "")
        sayNow(`${titleOf(report, app)}: ${lost}`);
    }
    queue = view;
    next = view.next ?? "";
    const waiting = view.open.filter((report) => hasToRing(report) && report.status === "open" && !rung.has(report.id));
    // What comes later is rung for by the server. What was there before this page came rings once, together.
    if (isFirst) for (const report of waiting) rung.set(report.id, report.newest_at ?? report.at);
    if (isFirst && waiting.length > 0) summonNow(waiting.length - 1);
    if (pages > 0) void turnPages(pages);
    draw();
  }

  /** Show so many pages after the first one, as they are now. @param {number} wanted */
  async function turnPages(wanted) {
    pages = wanted;
    const version = queue?.version;
    /** @type {Report[]} */
    const found = [];
    let after = queue?.next ?? "";
    try {
      for (let n = 0; n < wanted && after !== ""; n++) {
        const page = /** @type {ReportPage} */ (await app.ask("report_page", { after }));
        found.push(...page.reports);
        after = page.next ?? "";
      }
    } catch {
      // The connection went. The next one brings the queue, and this is done anew.
      return;
    }
    // A newer queue came meanwhile, and sees to its own pages.
    if (version !== queue?.version || pages !== wanted) return;
    extra = found;
    next = after;
    draw();
  }

  /** @param {number} more */
  function summonNow(more) {
    bell.ring("call");
    sayNow(words.queue.ring(more));
  }

  /** It rings once, and again when it has become more serious. @param {{report: string, at: number, more?: number}} push */
  function ring({ report, at, more }) {
    if ((rung.get(report) ?? 0) >= at) return;
    rung.set(report, at);
    summonNow(more ?? 0);
  }

  /** A room that needs somebody calls when it slows, and once more when it can only be read. @param {AloneRoom[]} waiting */
  function summon(waiting) {
    const fresh = rooms.wait(waiting);
    const first = fresh[0];
    if (first !== undefined) {
      bell.ring("call");
      sayNow(words.rooms.ring(first.name));
    }
    void session.look();
  }

  /** @param {Report} report @param {Report[]} [through] */
  function choose(report, through = []) {
    chosen = report;
    trail = through;
    file = fileView(app, latestOf(report), back, (part) => choose(part, [...through, report]));
    place.replaceChildren(file.element);
    both.dataset["chosen"] = "yes";
    draw();
    const title = place.querySelector("h1");
    if (title !== null) focusOn(title);
  }

  /** As it stands now, where it is in the queue. @param {Report} report */
  function latestOf(report) {
    return [...(queue?.open ?? []), ...extra, ...(queue?.closed ?? [])].find((one) => one.id === report.id) ?? report;
  }

  function back() {
    const holder = trail.at(-1);
    if (holder !== undefined) return choose(holder, trail.slice(0, -1));
    const from = chosen?.id;
    chosen = null;
    file = null;
    place.replaceChildren(empty);
    delete both.dataset["chosen"];
    draw();
    const row = [...reports.element.querySelectorAll("button.report")].find(
      (one) => one instanceof HTMLElement && one.dataset["report"] === from,
    );
    if (row instanceof HTMLElement) row.focus();
    else focusOn(/** @type {HTMLElement} */ (reports.element.querySelector("h1")));
  }

  /** @param {Part} to */
  function turn(to) {
    if (to === at) return;
    at = to;
    stand.replaceChildren(
      to === "rooms" ? rooms.element : to === "measures" ? measures.element : to === "notes" ? notes.element : both,
    );
    draw();
    const title = stand.querySelector("h1");
    if (title !== null) focusOn(title);
  }

  /** Draw once for all that changed since the last time. */
  function drawDue() {
    isDue = false;
    if (!signal.aborted) draw();
  }

  function draw() {
    if (at === "rooms") rooms.update();
    if (queue === null) return;
    const now = Date.now() + skew;
    keyed(
      nav,
      /** @type {Part[]} */ (["reports", "rooms", "measures", "notes"]),
      (one) => one,
      (one) => {
        const go = button("", () => turn(one), { class: "quiet page" });
        return {
          element: go,
          update() {
            const n =
              one === "reports"
                ? queue?.open_count
                : one === "rooms"
                  ? rooms.waiting
                  : one === "notes"
                    ? queue?.unread_debriefs
                    : queue?.measures.filter((each) => each.appeal).length;
            text(go, n ? `${words.pages[one]} (${n})` : words.pages[one]);
            attr(go, "aria-current", one === at ? "page" : null);
          },
        };
      },
    );
    reports.update(queue, extra, next !== "", now, (trail[0] ?? chosen)?.id ?? "");
    if (chosen !== null) file?.update(latestOf(chosen));
    if (at === "measures") measures.update(queue);
    if (at === "notes") notes.update(queue);
    const todo = queue.open_count + rooms.waiting;
    document.title = todo > 0 ? `(${todo}) ${words.title} · Lamplight` : `${words.title} · Lamplight`;
  }

  /** @param {string} note */
  function leave(note) {
    ended.abort();
    clearInterval(ticking);
    client.stop();
    show(link, false);
    document.title = `${words.title} · Lamplight`;
    void checkSignIn(note);
  }

  const sound = check(words.queue.sound, bell.on.call);
  sound.input.addEventListener("change", () => bell.set("call", sound.input.checked));
  const foot = h(
    "div",
    { class: "comforts row" },
    sound.element,
    button(words.queue.soundTry, () => bell.play("call"), { class: "quiet" }),
    button(
      words.signOut,
      () => {
        void call("/api/staff/sign-out", {})
          .catch(() => null)
          .then(() => leave(words.out));
      },
      { class: "quiet" },
    ),
  );
  for (const doing of ["pointerdown", "keydown"])
    document.addEventListener(doing, () => bell.wake(), { signal, passive: true });
  for (const how of ["online", "offline"]) window.addEventListener(how, () => client.nudge(), { signal });
  document.addEventListener("visibilitychange", () => document.hidden || client.nudge(), { signal });
  window.addEventListener("pageshow", (event) => event.persisted && client.nudge(), { signal });
  window.addEventListener("chat:leaving", () => client.stop(), { signal });
  session.changed = () => {
    if (isDue || signal.aborted) return;
    isDue = true;
    if (document.hidden) setTimeout(drawDue, HIDDEN_DRAW_MS);
    else requestAnimationFrame(drawDue);
  };
  const ticking = setInterval(draw, TICK_MS);
  stage.replaceChildren(h("div", { class: "desk" }, triesNotice(account), nav, stand, foot));
  client.start();
}

if (!/\b(left|old)\b/.test(document.documentElement.className)) void checkSignIn();
