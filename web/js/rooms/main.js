/** Puts the page together: vault, client, session, and the screens that show its state. */

/** @import {Context, Screen, StandingLine, State, View} from "../types.js" */

import { fetched } from "../lib/api.js";
import { focusOn, h, show, text } from "../lib/dom.js";
import { Client } from "../lib/client.js";
import { newId } from "../lib/text.js";
import { words } from "../locales/en.js";
import { helpDialog } from "../shell/help-dialog.js";
import { linkLine } from "../shell/link-line.js";
import { announcer, browserOptions, byId, drawnSoon, followBrowser, mayBegin, storageOrNone } from "../shell/page.js";
import { missed, troubleLine } from "../shell/trouble-line.js";
import { Session } from "./session.js";
import { isMeeting } from "./state.js";
import { Vault } from "./vault.js";
import { agreementView } from "./views/agreement.js";
import { lobbyView } from "./views/lobby.js";
import { roomView } from "./views/room.js";

const TICK_MS = 1_000;
/** Where this tab is, for a reload. No address says it, and "Leave now" wipes it. */
const PLACE = "chat.place";
const AGAIN_MS = 10_000;
const LATER_MS = 3_000;

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
    const place =
      "place" in screen ? screen.place : screen.name === "room" ? screen.room : screen.name === "asking" ? "#ask" : "";
    if (place === "") sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, place);
  } catch {
    // A reload leads to the lobby.
  }
}

function begin() {
  const vault = new Vault(storageOrNone("localStorage"), { tab: newId(), locks: navigator.locks ?? null });
  const connect = (/** @type {any} */ handlers) => new Client({ ...handlers, ...browserOptions() });
  new RoomsPage(new Session({ vault, now: () => Date.now(), connect })).begin();
}

class RoomsPage {
  stage = byId("screen");
  askLink = byId("ask-link");
  /** @type {Screen} */
  screen = { name: "lobby" };
  /** @type {View | null} */
  view = null;
  /** Who asked for a listener here. @type {string | undefined} */
  asker;
  /** One-to-one, once it is used. @type {StandingLine | null} */
  standing = null;
  isFetching = false;
  askedAt = 0;
  /** @type {Promise<import("./decisions.js").DecisionsCard | null> | null} */
  decisions = null;
  /** @type {Promise<import("./notices.js").NoticesCard | null> | null} */
  notices = null;
  day = "";

  /** @param {Session} session */
  constructor(session) {
    this.session = session;
    /** @type {Context} */
    this.context = {
      session,
      go: (to) => {
        if (to.name === "lobby") history.replaceState(null, "");
        else if (history.state === null) history.pushState({ deep: true }, "");
        this.#turnTo(to);
      },
      back: () => (history.state === null ? this.#turnTo({ name: "lobby" }) : history.back()),
      enter: (room, agreement, insteadOf) => enter(this.context, room, agreement ?? null, insteadOf),
      meet: async (place) =>
        (await fetched(() => import("../meetings/open.js"), "meetings/open.js")).openMeetings(this.context, place),
      say: announcer(byId("say")),
      sayNow: announcer(byId("say-now")),
    };
    this.link = linkLine(this.context, byId("link"));
    this.way = {
      context: this.context,
      view: () => this.view,
      turnTo: (/** @type {Screen} */ to) => this.#turnTo(to),
      toLobby: () => this.#toLobby(),
      start: () => void session.start(),
      place: keptPlace,
    };
    helpDialog(byId("help-link"), byId("help"), (on) => session.do({ type: "busy", what: "help", on }));
    measureLines([byId("link"), byId("standing")]);
    session.subscribe(drawnSoon(() => this.#draw()));
    this.#followBrowser();
    this.#followHands();
    setInterval(() => this.#tick(), TICK_MS);
  }

  begin() {
    byId("main").removeAttribute("aria-busy");
    if (location.hash !== "" || (history.state !== null && keptPlace() !== "")) return this.#arrive(true);
    this.#toLobby();
    this.way.start();
    // Whoever signed up for a meeting is told of it.
    if (this.session.vault.rooms().includes("meetings")) void this.context.meet("").catch(() => {});
  }

  #followBrowser() {
    const { session } = this;
    followBrowser(session.client, {
      seen: (isHidden) => session.away(isHidden),
      leaving: () => {
        session.vault.isWiped = true;
      },
    });
    window.addEventListener("popstate", () => {
      if (location.hash === "" && history.state === null) this.#turnTo({ name: "lobby" });
      else this.#arrive(false);
    });
    window.addEventListener("storage", (event) => {
      if (event.key === null && session.state.me !== null) this.#forgotten();
      else void session.shared(event.key, event.newValue);
    });
    window.addEventListener("beforeunload", (event) => session.isHolding && event.preventDefault());
  }

  #followHands() {
    this.askLink.addEventListener("click", (event) => {
      event.preventDefault();
      if (this.screen.name !== "asking") this.context.go({ name: "asking" });
    });
    const trouble = troubleLine();
    trouble.element.classList.add("link");
    byId("link").after(trouble.element);
    byId("card-link").addEventListener("click", () => {
      if (this.screen.name !== "card")
        void trouble.around(async () =>
          (await fetched(() => import("../card/open.js"), "card/open.js")).openCard(
            this.context,
            this.screen,
            keptPlace(),
          ),
        );
    });
    byId("home").addEventListener("click", (event) => {
      event.preventDefault();
      if (this.screen.name !== "lobby" || this.view === null) this.context.back();
    });
  }

  /** Another tab emptied what this browser keeps. */
  #forgotten() {
    this.session.forgotten();
    fetched(() => import("./views/gone.js"), "rooms/views/gone.js").then(
      ({ goneView: view }) => this.#turnTo({ name: "gone", how: "forgotten", view }),
      () => location.reload(),
    );
  }

  #tick() {
    this.session.do({ type: "tick", now: Date.now() });
    // Days are called something else after midnight, or in another zone.
    const today = `${new Date().toDateString()} ${new Date().getTimezoneOffset()}`;
    if (this.day !== today) this.#draw();
    this.day = today;
  }

  /** One-to-one is fetched by those who use it. @param {State} state */
  #stand(state) {
    const isUsed = this.screen.name === "asking" || (state.standing?.state ?? "none") !== "none";
    if (this.standing !== null) this.standing.update(state, this.screen.name);
    else if (isUsed && !this.isFetching && Date.now() - this.askedAt > AGAIN_MS) void this.#fetchStanding();
  }

  async #fetchStanding() {
    this.isFetching = true;
    this.askedAt = Date.now();
    const one = await fetched(
      () => import("../listening/seeker/standing-line.js"),
      "listening/seeker/standing-line.js",
    ).catch(() => null);
    this.standing = one === null ? null : await one.standingLine(this.context, byId("standing"), this.askLink);
    this.isFetching = false;
    const frame = this.stage.querySelector(".asking-frame");
    if (this.standing !== null) this.#stand(this.session.state);
    else if (frame !== null) missed(frame, () => void this.#fetchStanding());
  }

  /** What could not be fetched is tried again, though nothing happens meanwhile. */
  #later() {
    setTimeout(() => this.#draw(), LATER_MS);
    return null;
  }

  /** What moderators have to say is fetched where there is any. @param {State} state */
  async #decide({ link: { why } }) {
    const { session } = this;
    if (this.decisions === null && session.state.decisions === null && why !== "banned") return;
    this.decisions ??= fetched(() => import("./decisions.js"), "rooms/decisions.js").then(
      (found) => new found.DecisionsCard(this.context, this.stage),
      () => (this.decisions = this.#later()),
    );
    (await this.decisions)?.update(session.state.decisions, why === "banned");
  }

  /** And what those who run this place have. @param {State} state */
  async #note({ rooms, pending, place }) {
    const { screen, session } = this;
    const room = screen.name === "room" ? rooms[screen.room]?.room : undefined;
    const isUsual = room === undefined || (room.status === "open" && room.attendance === "attended");
    const isSeated = Object.keys(place.seatless).length === 0;
    const isQuiet = place.notices.length === 0 && place.moved === null && isSeated && isUsual;
    if (this.notices === null && isQuiet && !pending.some((p) => p.why === "read_only")) return;
    this.notices ??= fetched(() => import("./notices.js"), "rooms/notices.js").then(
      (found) => new found.NoticesCard(this.context, this.stage),
      () => (this.notices = this.#later()),
    );
    (await this.notices)?.update(session.state);
  }

  /** What stands around every screen. @param {State} state */
  #around(state) {
    this.#stand(state);
    void this.#decide(state);
    void this.#note(state);
  }

  /** @param {Screen} to */
  #turnTo(to) {
    const { session, stage } = this;
    const isFirst = this.view === null;
    this.view?.gone?.();
    this.screen = to;
    this.asker = session.state.me?.id;
    keepPlace(to);
    // What was read aloud to somebody who is known here no longer.
    if (to.name === "gone") for (const id of ["say", "say-now"]) text(byId(id), "");
    session.show(to.name === "room" ? to.room : null);
    session.watch(to.name !== "room");
    this.view = make(this.context, to);
    document.body.dataset["screen"] = to.name;
    stage.replaceChildren(this.view.element);
    this.view.update?.(session.state);
    scrollTo(0, 0);
    const heading = stage.querySelector("h1");
    this.#around(session.state);
    // Who has just come begins at the top of the page, with the skip link, the helplines and the way out.
    if (heading !== null && !isFirst) focusOn(heading);
    this.view.shown?.();
  }

  #toLobby() {
    history.replaceState(null, "");
    this.#turnTo({ name: "lobby" });
  }

  /** Where the address or the history leads, which most visits do not need. @param {boolean} isFirst */
  #arrive(isFirst) {
    fetched(() => import("./arriving.js"), "rooms/arriving.js").then(
      (found) => found.arrive(this.way, isFirst),
      () => {
        this.#toLobby();
        this.way.start();
      },
    );
  }

  #draw() {
    const { screen } = this;
    const { state } = this.session;
    this.link.update(state);
    this.#around(state);
    const isAnother = this.asker !== undefined && state.me?.id !== this.asker;
    this.asker ??= state.me?.id;
    const isLeft = screen.name === "room" && state.rooms[screen.room] === undefined && state.open === null;
    if (isLeft || (isAnother && ["asking", "meetings"].includes(screen.name))) this.#turnTo({ name: "lobby" });
    else this.view?.update?.(state);
  }
}

/** How high the lines under the head are, for what sticks below them. @param {HTMLElement[]} lines */
function measureLines(lines) {
  const measuring = new ResizeObserver(() => {
    const high = lines.map((line) => (getComputedStyle(line).position === "sticky" ? line.offsetHeight : 0));
    document.documentElement.style.setProperty("--lines", `${Math.max(...high)}px`);
  });
  for (const line of lines) measuring.observe(line);
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
    case "card":
    case "meetings":
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
  if (isMeeting(room)) return context.meet(room);
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
    const full = ["room_split", "room_full", "seats_used"].includes(code)
      ? await fetched(() => import("./views/full.js"), "rooms/views/full.js").catch(() => null)
      : null;
    if (full === null) throw no;
    await full.goElsewhere(context, room, agreement, code, details);
  }
}

if (mayBegin()) {
  show(byId("link"), false);
  begin();
}
