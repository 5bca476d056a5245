/** Puts the page together: vault, client, session, and the screens that show its state. */

/** @import {Context, Screen, StandingLine, State, View} from "./types.js" */

import { button, focusOn, h, show, text } from "./lib/dom.js";
import { Client } from "./lib/client.js";
import { newId } from "./lib/text.js";
import { words } from "./locales/en.js";
import { Session } from "./session.js";
import { Vault } from "./vault.js";
import { helpDialog, linkLine } from "./views/lines.js";
import { agreementView, lobbyView } from "./views/lobby.js";
import { roomView } from "./views/room.js";
import { youView } from "./views/you.js";

const TICK_MS = 1_000;
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
  void session.start();
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

  /** @type {Context} */
  const context = {
    session,
    go: (to) => {
      if (to.name === "lobby") history.replaceState(null, "");
      else if (history.state === null) history.pushState({ deep: true }, "");
      turnTo(to);
    },
    back: () => (history.state === null ? turnTo({ name: "lobby" }) : history.back()),
    enter: (room, agreement) => enter(context, room, agreement ?? null),
    say: announcer(byId("say")),
    sayNow: announcer(byId("say-now")),
  };
  const link = linkLine(context, byId("link"));
  helpDialog(byId("help-link"), byId("help"));
  const askLink = byId("ask-link");
  askLink.addEventListener("click", (event) => {
    event.preventDefault();
    if (screen.name !== "asking") context.go({ name: "asking" });
  });
  /** @type {StandingLine | null} */
  let line = null;

  /** One-to-one is fetched by those who use it. @param {State} state */
  function stand(state) {
    const isUsed = screen.name === "asking" || (state.standing?.state ?? "none") !== "none";
    if (line !== null || !isUsed) return line?.update(state, screen.name);
    line = { update() {} };
    import("./listening.js")
      .then((one) => one.standingLine(context, byId("standing"), askLink))
      .catch(() => null)
      .then((made) => {
        line = made;
        if (made !== null) stand(session.state);
      });
  }

  /** @type {Promise<ReturnType<typeof import("./matters.js").mattersCard> | null> | null} */
  let matters = null;

  /** What moderators have to say is fetched where there is any. @param {State} state */
  async function said({ link: { why } }) {
    if (session.matters === null && why !== "banned") return;
    matters ??= import("./matters.js").then((found) => found.mattersCard(context, stage), () => (matters = null));
    (await matters)?.update(session.matters, why === "banned");
  }

  /** @type {Promise<ReturnType<typeof import("./house.js").houseNotes> | null> | null} */
  let house = null;

  /** And what those who run this place have. @param {State} state */
  async function noted({ rooms, pending }) {
    const { notices, moved } = session.house;
    const room = screen.name === "room" ? rooms[screen.room]?.room : undefined;
    const isUsual = room === undefined || (room.status === "open" && room.attendance === "attended");
    if (house === null && notices.length === 0 && moved === null && isUsual && !pending.some((p) => p.why === "read_only")) return;
    house ??= import("./house.js").then((found) => found.houseNotes(context, stage), () => (house = null));
    (await house)?.update(screen);
  }

  /** @param {Screen} to */
  function turnTo(to) {
    const isFirst = view === null;
    view?.gone?.();
    screen = to;
    session.show(to.name === "room" ? to.room : null);
    session.watch(to.name !== "room");
    view = make(context, to);
    document.body.dataset["screen"] = to.name;
    stage.replaceChildren(view.element);
    view.update?.(session.state);
    scrollTo(0, 0);
    const heading = stage.querySelector("h1");
    stand(session.state);
    void noted(session.state);
    // Who has just come begins at the top of the page, with the skip link, the helplines and the way out.
    if (heading !== null && !isFirst) focusOn(heading);
    view.shown?.();
  }

  function draw() {
    isDue = false;
    const { state } = session;
    link.update(state);
    stand(state);
    void said(state);
    void noted(state);
    if (screen.name === "room" && state.rooms[screen.room] === undefined && state.open === null) turnTo({ name: "lobby" });
    else view?.update?.(state);
  }

  session.subscribe(() => {
    if (isDue) return;
    isDue = true;
    if (document.hidden) setTimeout(draw, HIDDEN_DRAW_MS);
    else requestAnimationFrame(draw);
  });
  history.replaceState(null, "");
  window.addEventListener("popstate", () => turnTo({ name: "lobby" }));
  byId("home").addEventListener("click", (event) => {
    event.preventDefault();
    if (screen.name !== "lobby") context.back();
  });
  document.addEventListener("visibilitychange", () => session.away(document.hidden));
  window.addEventListener("online", () => session.client.nudge());
  window.addEventListener("offline", () => session.client.nudge());
  window.addEventListener("pageshow", (event) => event.persisted && session.client.nudge());
  window.addEventListener("storage", (event) => {
    if (event.key === null && session.state.me !== null) {
      session.forgotten();
      turnTo({ name: "gone", how: "forgotten" });
    } else void session.shared(event.key, event.newValue);
  });
  window.addEventListener("beforeunload", (event) => session.isHolding && event.preventDefault());
  window.addEventListener("chat:leaving", () => {
    vault.isWiped = true;
    session.client.stop();
  });
  setInterval(() => session.do({ type: "tick", now: Date.now() }), TICK_MS);
  turnTo(screen);
  main.removeAttribute("aria-busy");
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
      return youView(context);
    case "asking":
      return { element: h("div", { class: "asking-frame" }, h("h1", { text: words.lobby.askGo })) };
    case "gone":
      return goneView(context, screen.how);
  }
}

/** Into a room, or to what stands before it. @param {Context} context @param {string} room @param {number | null} agreement */
async function enter(context, room, agreement) {
  const { session } = context;
  if (session.state.rooms[room] !== undefined) {
    context.go({ name: "room", room });
    return;
  }
  try {
    await session.enter(room, agreement);
    context.go({ name: "room", room });
  } catch (no) {
    const { code = "", details = {} } = /** @type {Partial<import("./lib/client.js").Refused>} */ (no);
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
    const full = code === "room_full" ? await import("./views/full.js").catch(() => null) : null;
    if (full === null) throw no;
    context.go({ name: "full", room, rooms: details["rooms"] ?? [], view: full.fullView });
  }
}

/** @param {Context} context @param {"forgotten" | "erased"} how */
function goneView({ session, go }, how) {
  const anew = () => {
    session.beginAnew();
    go({ name: "lobby" });
  };
  return {
    element: h("div", { class: "card narrow" }, h("h1", { text: words.gone.title }), h("p", { text: words.gone[how] }),
      button(words.gone.again, anew, { class: "act" })),
  };
}

/** Words for people who listen. The same words twice are said twice. @param {HTMLElement} element */
function announcer(element) {
  return (/** @type {string} */ what) => {
    text(element, "");
    setTimeout(() => text(element, what), 60);
  };
}

if (!document.documentElement.classList.contains("left")) {
  show(byId("link"), false);
  begin();
}
