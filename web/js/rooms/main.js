/** Puts the page together: vault, client, session, and the screens that show its state. */

/** @import {Context, Screen, StandingLine, State, View} from "../types.js" */

import { fetched, reach } from "../lib/api.js";
import { focusOn, h, show, text } from "../lib/dom.js";
import { Client } from "../lib/client.js";
import { newId } from "../lib/text.js";
import { words } from "../locales/en.js";
import { Session } from "./session.js";
import { Vault } from "./vault.js";
import { helpDialog } from "../shell/help-dialog.js";
import { linkLine } from "../shell/link-line.js";
import { missed } from "../shell/trouble-line.js";
import { agreementView } from "./views/agreement.js";
import { lobbyView } from "./views/lobby.js";
import { roomView } from "./views/room.js";

const TICK_MS = 1_000;
const HIDDEN_DRAW_MS = 250;
/** Where this tab is, for a reload. No address says it, and "Leave now" wipes it. */
const PLACE = "chat.place";
const AGAIN_MS = 10_000;
const LATER_MS = 3_000;

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

function keptPlace() {
  try {
    return sessionStorage.getItem(PLACE) ?? "";
  } catch {
    return "";
  }
}

/** @param {Screen} screen */
function keepPlace(screen) {
  try {
    const place = screen.name === "room" ? screen.room : screen.name === "asking" ? "#ask" : "";
    if (place === "") sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, place);
  } catch {
    // A reload leads to the lobby.
  }
}

function begin() {
  const vault = new Vault(localOrNone(), { tab: newId(), locks: navigator.locks ?? null });
  const address = new URL("/ws", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const session = new Session({
    vault,
    now: () => Date.now(),
    connect: (options) =>
      new Client({
        ...options,
        reach,
        url: address.href,
        WebSocket,
        timers: {
          now: () => Date.now(),
          setTimeout: (f, ms) => window.setTimeout(f, ms),
          clearTimeout: (t) => window.clearTimeout(t ?? undefined),
        },
        random: Math.random,
        newId,
      }),
  });
  page(session, vault);
}

/** @param {Session} session @param {Vault} vault */
function page(session, vault) {
  const stage = byId("screen");
  const main = byId("main");
  /** @type {Screen} */
  let screen = { name: "lobby" };
  /** @type {View | null} */
  let view = null;
  let isDue = false;
  /** Who asked for a listener here. @type {string | undefined} */
  let asker;
  /** @type {Context} */
  const context = {
    session,
    go: (to) => {
      if (to.name === "lobby") history.replaceState(null, "");
      else if (history.state === null) history.pushState({ deep: true }, "");
      turnTo(to);
    },
    back: () => (history.state === null ? turnTo({ name: "lobby" }) : history.back()),
    enter: (room, agreement, insteadOf) => enter(context, room, agreement ?? null, insteadOf),
    say: announcer(byId("say")),
    sayNow: announcer(byId("say-now")),
  };
  const link = linkLine(context, byId("link"));
  const lines = [byId("link"), byId("standing")];
  const measuring = new ResizeObserver(() => {
    const high = lines.map((line) => (getComputedStyle(line).position === "sticky" ? line.offsetHeight : 0));
    document.documentElement.style.setProperty("--lines", `${Math.max(...high)}px`);
  });
  for (const line of lines) measuring.observe(line);
  helpDialog(byId("help-link"), byId("help"));
  const askLink = byId("ask-link");
  askLink.addEventListener("click", (event) => {
    event.preventDefault();
    if (screen.name !== "asking") context.go({ name: "asking" });
  });
  /** @type {StandingLine | null} */
  let line = null;

  let isFetching = false;
  let askedAt = 0;

  /** One-to-one is fetched by those who use it. @param {State} state */
  function stand(state) {
    const isUsed = screen.name === "asking" || (state.standing?.state ?? "none") !== "none";
    if (line !== null) line.update(state, screen.name);
    else if (isUsed && !isFetching && Date.now() - askedAt > AGAIN_MS) void fetchLine();
  }

  async function fetchLine() {
    isFetching = true;
    askedAt = Date.now();
    const one = await fetched(
      () => import("../listening/seeker/standing-line.js"),
      "listening/seeker/standing-line.js",
    ).catch(() => null);
    line = one === null ? null : await one.standingLine(context, byId("standing"), askLink);
    isFetching = false;
    const frame = stage.querySelector(".asking-frame");
    if (line !== null) stand(session.state);
    else if (frame !== null) missed(frame, () => void fetchLine());
  }

  /** What could not be fetched is tried again, though nothing happens meanwhile. */
  function later() {
    setTimeout(draw, LATER_MS);
    return null;
  }

  /** @type {Promise<ReturnType<typeof import("./decisions.js").decisionsCard> | null> | null} */
  let decisions = null;

  /** What moderators have to say is fetched where there is any. @param {State} state */
  async function said({ link: { why } }) {
    if (decisions === null && session.decisions === null && why !== "banned") return;
    decisions ??= fetched(() => import("./decisions.js"), "rooms/decisions.js").then(
      (found) => found.decisionsCard(context, stage),
      () => (decisions = later()),
    );
    (await decisions)?.update(session.decisions, why === "banned");
  }

  /** @type {Promise<ReturnType<typeof import("./notices.js").noticesCard> | null> | null} */
  let noticesView = null;

  /** And what those who run this place have. @param {State} state */
  async function noted({ rooms, pending }) {
    const { notices, moved, reading } = session.house;
    const room = screen.name === "room" ? rooms[screen.room]?.room : undefined;
    const isUsual = room === undefined || (room.status === "open" && room.attendance === "attended");
    if (
      noticesView === null &&
      notices.length === 0 &&
      moved === null &&
      !reading &&
      isUsual &&
      !pending.some((p) => p.why === "read_only")
    )
      return;
    noticesView ??= fetched(() => import("./notices.js"), "rooms/notices.js").then(
      (found) => found.noticesCard(context, stage),
      () => (noticesView = later()),
    );
    (await noticesView)?.update(screen);
  }

  /** @param {Screen} to */
  function turnTo(to) {
    const isFirst = view === null;
    view?.gone?.();
    screen = to;
    asker = session.state.me?.id;
    keepPlace(to);
    // What was read aloud to somebody who is known here no longer.
    if (to.name === "gone") for (const id of ["say", "say-now"]) text(byId(id), "");
    session.show(to.name === "room" ? to.room : null);
    session.watch(to.name !== "room");
    view = make(context, to);
    document.body.dataset["screen"] = to.name;
    stage.replaceChildren(view.element);
    view.update?.(session.state);
    scrollTo(0, 0);
    const heading = stage.querySelector("h1");
    stand(session.state);
    void said(session.state);
    void noted(session.state);
    // Who has just come begins at the top of the page, with the skip link, the helplines and the way out.
    if (heading !== null && !isFirst) focusOn(heading);
    view.shown?.();
  }

  function toLobby() {
    history.replaceState(null, "");
    turnTo({ name: "lobby" });
  }

  const way = { context, view: () => view, turnTo, toLobby, start: () => void session.start(), place: keptPlace };

  /** Where the address or the history leads, which most visits do not need. @param {boolean} isFirst */
  function arrive(isFirst) {
    fetched(() => import("./arriving.js"), "rooms/arriving.js").then(
      (found) => found.arrive(way, isFirst),
      () => {
        toLobby();
        way.start();
      },
    );
  }

  function draw() {
    isDue = false;
    const { state } = session;
    link.update(state);
    stand(state);
    void said(state);
    void noted(state);
    const isAnother = asker !== undefined && state.me?.id !== asker;
    asker ??= state.me?.id;
    const isLeft = screen.name === "room" && state.rooms[screen.room] === undefined && state.open === null;
    if (isLeft || (screen.name === "asking" && isAnother)) turnTo({ name: "lobby" });
    else view?.update?.(state);
  }

  session.subscribe(() => {
    if (isDue) return;
    isDue = true;
    if (document.hidden) setTimeout(draw, HIDDEN_DRAW_MS);
    else requestAnimationFrame(draw);
  });
  window.addEventListener("popstate", () => {
    if (location.hash === "" && history.state === null) turnTo({ name: "lobby" });
    else arrive(false);
  });
  byId("home").addEventListener("click", (event) => {
    event.preventDefault();
    if (screen.name !== "lobby" || view === null) context.back();
  });
  document.addEventListener("visibilitychange", () => session.away(document.hidden));
  window.addEventListener("online", () => session.client.nudge());
  window.addEventListener("offline", () => session.client.nudge());
  window.addEventListener("pageshow", (event) => event.persisted && session.client.nudge());
  window.addEventListener("storage", (event) => {
    if (event.key === null && session.state.me !== null) {
      session.forgotten();
      fetched(() => import("./views/gone.js"), "rooms/views/gone.js").then(
        ({ goneView: view }) => turnTo({ name: "gone", how: "forgotten", view }),
        () => location.reload(),
      );
    } else void session.shared(event.key, event.newValue);
  });
  window.addEventListener("beforeunload", (event) => session.isHolding && event.preventDefault());
  window.addEventListener("chat:leaving", () => {
    vault.isWiped = true;
    session.client.stop();
  });
  let day = "";
  setInterval(() => {
    session.do({ type: "tick", now: Date.now() });
    // Days are called something else after midnight, or in another zone.
    const today = `${new Date().toDateString()} ${new Date().getTimezoneOffset()}`;
    if (day !== today) draw();
    day = today;
  }, TICK_MS);
  main.removeAttribute("aria-busy");
  if (location.hash !== "" || (history.state !== null && keptPlace() !== "")) return arrive(true);
  toLobby();
  way.start();
}

/** @param {Context} context @param {Screen} screen */
function make(context, screen) {
  switch (screen.name) {
    case "lobby":
      return lobbyView(context);
    case "agreement":
      return agreementView(context, screen);
    case "full":
      return screen.view(context, screen);
    case "room":
      return roomView(context, screen.room);
    case "you":
      return screen.view(context);
    case "asking":
      return { element: h("div", { class: "asking-frame" }, h("h1", { text: words.lobby.askGo })) };
    case "gone":
      return screen.view(context, screen.how);
  }
}

/** Into a room, or to what stands before it. @param {Context} context @param {string} room @param {number | null} agreement @param {string} [insteadOf] */
async function enter(context, room, agreement, insteadOf) {
  const { session } = context;
  // Whoever still has to accept the agreement gives up the other seat only then.
  if (agreement === null) session.swap = insteadOf === undefined ? null : { room, insteadOf };
  // Who only reads is in it, and gets a seat all the same.
  if (session.state.rooms[room] !== undefined && insteadOf === undefined) {
    context.go({ name: "room", room });
    return;
  }
  try {
    await session.enter(room, agreement);
    context.go({ name: "room", room });
  } catch (no) {
    const { code = "", details = {} } = /** @type {Partial<import("../lib/client.js").Refused>} */ (no);
    const card = session.state.lobby?.find((c) => c.id === room);
    if (code === "agreement_required") {
      context.go({
        name: "agreement",
        room,
        title: card?.name ?? "",
        text: String(details["agreement"] ?? words.agreement.none),
        version: Number(details["agreement_version"] ?? card?.agreement_version ?? 1),
        again: card?.unread !== undefined,
      });
      return;
    }
    if (code === "room_split") {
      const { id, name } = details["rooms"][0];
      context.say(words.full.led(name));
      return enter(context, id, agreement);
    }
    const full = ["room_full", "seats_used"].includes(code)
      ? await fetched(() => import("./views/full.js"), "rooms/views/full.js").catch(() => null)
      : null;
    if (full === null) throw no;
    context.go({ name: "full", room, rooms: details["rooms"] ?? [], limit: details["limit"], view: full.fullView });
  }
}

/** Words for people who listen. The same words twice are said twice. @param {HTMLElement} element */
function announcer(element) {
  return (/** @type {string} */ what) => {
    text(element, "");
    setTimeout(() => text(element, what), 60);
  };
}

if (!/\b(left|old)\b/.test(document.documentElement.className)) {
  show(byId("link"), false);
  begin();
}
