/** Puts the console together: who is signed in, the session with the server, and the parts that show how things stand. */

/** @import {Context, State} from "../../types.js" */
/** @import {ListenerApp, Part, SignedIn} from "./types.js" */

import { attr, button, focusOn, h, isComposing, keyed, show, text } from "../../lib/dom.js";
import { call, reach } from "../../lib/api.js";
import { Refused } from "../../lib/client.js";
import { newId } from "../../lib/text.js";
import { words } from "../../locales/en-listener.js";
import { Vault } from "../../rooms/vault.js";
import { linkLine } from "../../shell/link-line.js";
import { accountView } from "./account.js";
import { Bell } from "../../shell/bell.js";
import { ListenerSession } from "./session.js";
import { invitationView, resetView, signInView, unreachableView } from "../../shell/sign-in.js";
import { keepLink, keptLink, linkIn } from "./one-time-link.js";
import { triesNotice } from "../../shell/sign-in-notice.js";
import { steady } from "../../shell/fields.js";
import { practiceView } from "./practice.js";
import { profileView } from "./profile.js";
import { proposalCard } from "./proposal.js";
import { ownKey, NamespacedStorage } from "./namespaced-storage.js";
import { comforts, statusBar } from "./status.js";
import { talksView } from "./talks.js";
import { teamView } from "./team.js";

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

function sessionOrNone() {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

/** Words for people who listen. The same words twice are said twice. @param {HTMLElement} element */
function announcer(element) {
  return (/** @type {string} */ what) => {
    text(element, "");
    setTimeout(() => text(element, what), 60);
  };
}

const stage = byId("screen");
const say = announcer(byId("say"));
const sayNow = announcer(byId("say-now"));

/** @param {HTMLElement} element */
function turnTo(element) {
  stage.replaceChildren(element);
  scrollTo(0, 0);
  const first = element.querySelector("h1");
  if (first !== null) focusOn(first);
}

/** Who is signed in here? @param {string} note  what happened before */
async function checkSignIn(note = "") {
  const kept = sessionOrNone();
  const fresh = linkIn(location.hash, location.search);
  if (fresh !== null) {
    // Whoever looks at the address, the history or over a shoulder finds no secret there.
    history.replaceState(null, "", location.pathname);
    if (fresh.secret === "") note = words.signIn.broken;
    else keepLink(kept, fresh);
  }
  const link = fresh?.secret === "" ? null : (fresh ?? keptLink(kept));
  if (link !== null && link.secret !== "") {
    const enter = (/** @type {SignedIn} */ account) => {
      keepLink(kept, null);
      open(account);
    };
    const instead = () => {
      keepLink(kept, null);
      void checkSignIn();
    };
    stage.replaceChildren((link.kind === "invite" ? invitationView : resetView)(link.secret, enter, instead));
    return;
  }
  try {
    open(await call("/api/staff/me", null));
  } catch (no) {
    const isOut = no instanceof Refused && no.code.startsWith("identity_");
    if (isOut) stage.replaceChildren(signInView(open, note));
    else stage.replaceChildren(unreachableView(no, () => void checkSignIn(note)));
  }
}

/** @param {SignedIn} account */
function open(account) {
  const local = localOrNone();
  const storage = local === null ? null : new NamespacedStorage(local);
  const vault = new Vault(storage, { tab: newId(), locks: navigator.locks ?? null });
  const address = new URL("/ws", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const session = new ListenerSession({
    vault,
    now: () => Date.now(),
    client: {
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
    },
  });
  const bell = new Bell(local, () => new AudioContext());
  page({ session, account, say, sayNow, bell, go: () => {}, renewing: null });
  void session.start();
}

/** @param {ListenerApp} app */
function page(app) {
  const { session, account, bell } = app;
  app.go = turn;
  const ended = new AbortController();
  const { signal } = ended;
  /** @type {Context} */
  const context = { session, say, sayNow, go: () => {}, back: () => {}, enter: () => Promise.resolve() };
  const linkElement = byId("link");
  linkElement.replaceChildren();
  const link = linkLine(context, linkElement);
  const status = statusBar(app);
  const proposal = proposalCard(app);
  const ringing = h(
    "p",
    { class: "card", hidden: true },
    `${words.ring} `,
    h("a", { href: "/moderate.html", text: words.ringGo }),
  );
  session.onRing = () => {
    show(ringing, true);
    bell.ring("call");
    sayNow(words.ring);
  };
  const nav = h("nav", { class: "pages", "aria-label": words.pagesLabel });
  const place = h("div", { class: "place" });
  const element = h(
    "div",
    { class: "desk" },
    h("div", { class: "front" }, triesNotice(account), ringing, status.element, proposal.element, nav, place),
    comforts(app),
  );
  const talks = talksView(app, context);
  let current = "";
  /** @type {Part} */
  let part = talks;
  let isDue = false;
  let isAsking = false;

  const canSee = account.roles.some((role) => role === "operator" || role === "moderator");
  const pages = () => [
    ...(session.isListener ? ["listen", "practice", "profile"] : []),
    "account",
    ...(canSee ? ["team"] : []),
  ];
  /** @param {string} to */
  function turn(to) {
    if (to === current) return;
    const isFirst = current === "";
    current = to;
    if (part !== talks) part.gone?.();
    part = made(to);
    place.replaceChildren(part.element);
    attr(element, "data-page", to);
    draw();
    scrollTo(0, 0);
    const title = place.querySelector("h1");
    if (title !== null && !isFirst) focusOn(title);
  }

  /** @param {string} to @returns {Part} */
  function made(to) {
    switch (to) {
      case "practice":
        return practiceView(app);
      case "profile":
        return profileView(app);
      case "account":
        return accountView(app, () => leave(words.signIn.out, true));
      case "team":
        return teamView(app);
      default:
        return talks;
    }
  }

  function draw() {
    isDue = false;
    const { state, view } = session;
    if (state.link.status === "stopped" && state.link.why === "identity") return void comeBack();
    link.update(state);
    if (!session.isListener && ["", "listen"].includes(current)) return turn("account");
    const now = session.serverNow;
    keyed(
      nav,
      pages(),
      (one) => one,
      (one) => tab(one),
    );
    // What stands above it comes with the first view: nothing that can be pressed may move under a finger.
    show(nav, view !== null || !session.isListener);
    steady(() => {
      status.update?.(view, now);
      proposal.update?.(view, now);
    });
    part.update?.(view, now);
    element.classList.toggle("unsure", state.link.status !== "open");
    document.title = titleOf(state);
  }

  /** @param {string} one */
  function tab(one) {
    const go = button(words.pages[/** @type {keyof typeof words.pages} */ (one)], () => turn(one), {
      class: "quiet page",
    });
    return { element: go, update: () => attr(go, "aria-current", one === current ? "page" : null) };
  }

  /** @param {State} state */
  function titleOf(state) {
    if (!proposal.element.hidden || (session.view?.invitations ?? []).length > 0) return words.waitingTitle;
    const unread = Object.values(state.rooms).reduce((n, room) => n + (room.id.startsWith("s-") ? room.unread : 0), 0);
    return unread > 0 ? words.writtenTitle(unread) : `${words.title} · Lamplight`;
  }

  /** The connection's sign-in is over. A new password, or another tab, may have begun another. */
  async function comeBack() {
    if (isAsking) return;
    isAsking = true;
    try {
      // It ends the sign-in of this connection before the answer brings the next one.
      await app.renewing?.catch(() => {});
      const now = await call("/api/staff/me", null);
      if (now.member.id !== account.member.id) return location.reload();
      session.client.start();
      session.do({ type: "link", link: { status: "lost", why: "network" } });
    } catch (no) {
      if (!signal.aborted && no instanceof Refused && no.code.startsWith("identity_")) leave(words.signIn.over, false);
    } finally {
      isAsking = false;
    }
  }

  /** @param {string} note @param {boolean} isWanted */
  function leave(note, isWanted) {
    ended.abort();
    clearInterval(ticking);
    talks.gone?.();
    session.client.stop();
    if (isWanted) session.vault.wipe();
    document.title = `${words.title} · Lamplight`;
    show(linkElement, false);
    turnTo(h("div", {}, signInView(open, note)));
  }

  /** @param {KeyboardEvent} event */
  function press(event) {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || isComposing(event)) return;
    // On a Mac, Option and a key write a letter, such as ñ or ń: where one writes, that is what is meant.
    const isWriting =
      event.target instanceof HTMLElement && event.target.matches("input, textarea, select, [contenteditable]");
    if (isWriting && event.key.toLowerCase() !== event.code.slice(-1).toLowerCase()) return;
    const nth = /^Digit([1-4])$/.exec(event.code)?.[1];
    if (event.code === "KeyY" && !proposal.element.hidden) proposal.accept();
    else if (event.code === "KeyN" && !proposal.element.hidden) proposal.decline();
    else if (nth !== undefined && session.isListener) {
      turn("listen");
      talks.open(Number(nth) - 1);
    } else return;
    event.preventDefault();
  }

  session.subscribe(() => {
    if (isDue || signal.aborted) return;
    isDue = true;
    if (document.hidden) setTimeout(() => !signal.aborted && draw(), HIDDEN_DRAW_MS);
    else requestAnimationFrame(() => !signal.aborted && draw());
  });
  for (const doing of ["pointerdown", "keydown"]) {
    document.addEventListener(
      doing,
      () => {
        bell.wake();
        session.doing();
      },
      { signal, passive: true },
    );
  }
  document.addEventListener("keydown", press, { signal });
  document.addEventListener("visibilitychange", () => session.away(document.hidden), { signal });
  for (const how of ["online", "offline"]) window.addEventListener(how, () => session.client.nudge(), { signal });
  window.addEventListener("pageshow", (event) => event.persisted && session.client.nudge(), { signal });
  window.addEventListener(
    "storage",
    (event) => {
      const key = ownKey(event.key);
      if (key === undefined || key === null) return;
      // Another tab signed in as somebody else: nothing here is theirs.
      if (session.vault.isForAnother(key, event.newValue, account.member.id)) location.reload();
      else void session.shared(key, event.newValue);
    },
    { signal },
  );
  window.addEventListener("beforeunload", (event) => session.isHolding && event.preventDefault(), { signal });
  window.addEventListener(
    "chat:leaving",
    () => {
      session.vault.isWiped = true;
      session.client.stop();
    },
    { signal },
  );
  const ticking = setInterval(() => {
    session.do({ type: "tick", now: Date.now() });
    draw();
  }, TICK_MS);
  stage.replaceChildren(element);
  turn(session.isListener && account.roles.includes("listener") ? "listen" : "account");
}

if (!/\b(left|old)\b/.test(document.documentElement.className)) void checkSignIn();
