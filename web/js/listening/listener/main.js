/** Puts the console together: who is signed in, the session with the server, and the parts that show how things stand. */

/** @import {Context, State} from "../../types.js" */
/** @import {ListenerApp, Part, SignedIn} from "./types.js" */

import { fetched } from "../../lib/api.js";
import { Refused } from "../../lib/client.js";
import { attr, button, focusOn, h, isComposing, keyed, show } from "../../lib/dom.js";
import { newId } from "../../lib/text.js";
import { words } from "../../locales/en-listener.js";
import { Vault } from "../../rooms/vault.js";
import { Bell } from "../../shell/bell.js";
import { steady } from "../../shell/fields.js";
import { linkLine } from "../../shell/link-line.js";
import {
  announcer,
  browserOptions,
  byId,
  drawnSoon,
  followBrowser,
  mayBegin,
  storageOrNone,
  turnTo,
} from "../../shell/page.js";
import { triesNotice } from "../../shell/sign-in-notice.js";
import { invitationView, resetView, signInView } from "../../shell/sign-in.js";
import { missed } from "../../shell/trouble-line.js";
import { checkSignIn, isSignedOut, wakeByTouch, whoIsSignedIn } from "../../shell/staff-page.js";
import { accountView } from "./account.js";
import { NamespacedStorage, ownKey } from "./namespaced-storage.js";
import { keepLink, keptLink, linkIn } from "./one-time-link.js";
import { practiceView } from "./practice.js";
import { profileView } from "./profile.js";
import { proposalCard } from "./proposal.js";
import { ListenerSession } from "./session.js";
import { comforts, statusBar } from "./status.js";
import { talksView } from "./talks.js";
import { teamView } from "./team.js";

const TICK_MS = 1_000;
/** Pages that a reload, or a link from another page, leads back to. @type {Record<string, string>} */
const HASHES = { groups: "#groups", company: "#company" };
const WRITTEN_IN = "input, textarea, select, [contenteditable]";

const stage = byId("screen");
const say = announcer(byId("say"));
const sayNow = announcer(byId("say-now"));

/** Whoever comes with a link that is used once sees what it leads to; others are asked who they are. */
function comeIn() {
  const kept = storageOrNone("sessionStorage");
  const fresh = linkIn(location.hash, location.search);
  let note = "";
  if (fresh !== null) {
    // Whoever looks at the address, the history or over a shoulder finds no secret there.
    history.replaceState(null, "", location.pathname);
    if (fresh.secret === "") note = words.signIn.broken;
    else keepLink(kept, fresh);
  }
  const link = fresh?.secret === "" ? null : (fresh ?? keptLink(kept));
  if (link === null || link.secret === "") return void checkSignIn(stage, open, { note });
  const enter = (/** @type {SignedIn} */ account) => {
    keepLink(kept, null);
    open(account);
  };
  const instead = () => {
    keepLink(kept, null);
    comeIn();
  };
  stage.replaceChildren((link.kind === "invite" ? invitationView : resetView)(link.secret, enter, instead));
}

/** @param {SignedIn} account */
function open(account) {
  const local = storageOrNone("localStorage");
  const storage = local === null ? null : new NamespacedStorage(local);
  const vault = new Vault(storage, { tab: newId(), locks: navigator.locks ?? null });
  const session = new ListenerSession({ vault, now: () => Date.now(), client: browserOptions() });
  const bell = new Bell(local, () => new AudioContext());
  new ListenersPage({ session, account, say, sayNow, bell, go: () => {}, renewing: null }).begin();
  void session.start();
}

class ListenersPage {
  current = "";
  isAsking = false;
  ended = new AbortController();
  link = byId("link");
  ringing = h(
    "p",
    { class: "card", hidden: true },
    `${words.ring} `,
    h("a", { href: "/moderate.html", text: words.ringGo }),
  );
  nav = h("nav", { class: "pages", "aria-label": words.pagesLabel });
  place = h("div", { class: "place" });

  /** @param {ListenerApp} app */
  constructor(app) {
    const { session, account } = app;
    this.app = app;
    this.session = session;
    app.go = (to) => this.#turn(to);
    session.onRing = () => this.#ring();
    /** @type {Context} */
    const context = {
      session,
      say,
      sayNow,
      go: () => {},
      back: () => {},
      enter: () => Promise.resolve(),
      meet: () => Promise.resolve(),
    };
    this.link.replaceChildren();
    this.line = linkLine(context, this.link);
    this.status = statusBar(app);
    this.proposal = proposalCard(app);
    this.context = context;
    this.talks = talksView(app, context);
    /** @type {Part} */
    this.part = this.talks;
    const above = [triesNotice(account), this.ringing, this.status.element, this.proposal.element];
    const front = h("div", { class: "front" }, ...above, this.nav, this.place);
    this.element = h("div", { class: "staff-page" }, front, comforts(app));
    this.#follow();
    this.ticking = setInterval(() => {
      session.do({ type: "tick", now: Date.now() });
      this.#draw();
    }, TICK_MS);
  }

  begin() {
    stage.replaceChildren(this.element);
    this.#turn(this.#home);
  }

  /** Hear what happens to the session and to the page. */
  #follow() {
    const { session, app } = this;
    const { signal } = this.ended;
    session.subscribe(drawnSoon(() => this.#draw(), signal));
    wakeByTouch(app.bell, signal, () => session.doing());
    followBrowser(session.client, {
      signal,
      seen: (isHidden) => session.away(isHidden),
      leaving: () => {
        session.vault.isWiped = true;
      },
    });
    document.addEventListener("keydown", (event) => this.#press(event), { signal });
    window.addEventListener("storage", (event) => this.#stored(event), { signal });
    window.addEventListener("beforeunload", (event) => session.isHolding && event.preventDefault(), { signal });
  }

  #ring() {
    show(this.ringing, true);
    this.app.bell.ring("call");
    sayNow(words.ring);
  }

  /** Those that somebody may open. */
  get #pages() {
    const { roles } = this.app.account;
    const canSee = roles.some((role) => role === "operator" || role === "moderator");
    const own = this.session.isListener ? ["listen", "practice", "profile"] : [];
    const groups = roles.includes("facilitator") ? ["groups"] : [];
    const company = keepsCompany(roles) ? ["company"] : [];
    return [...own, ...groups, ...company, "account", ...(canSee ? ["team"] : [])];
  }

  /** Where somebody begins: in a reload of their groups there, else where their work is. */
  get #home() {
    const { roles } = this.app.account;
    const isHost = roles.includes("facilitator");
    if (isHost && location.hash === HASHES["groups"]) return "groups";
    if (keepsCompany(roles) && location.hash === HASHES["company"]) return "company";
    if (this.session.isListener && roles.includes("listener")) return "listen";
    return isHost ? "groups" : "account";
  }

  /** @param {string} to */
  #turn(to) {
    if (to === this.current) return;
    const isFirst = this.current === "";
    this.current = to;
    if (this.part !== this.talks) this.part.gone?.();
    this.part = this.#made(to);
    this.place.replaceChildren(this.part.element);
    attr(this.element, "data-page", to);
    // A reload leads back to it.
    history.replaceState(null, "", location.pathname + (HASHES[to] ?? ""));
    this.#draw();
    scrollTo(0, 0);
    const title = this.place.querySelector("h1");
    if (title !== null && !isFirst) focusOn(title);
  }

  /** @param {string} to @returns {Part} */
  #made(to) {
    const { app } = this;
    switch (to) {
      case "practice":
        return practiceView(app);
      case "profile":
        return profileView(app);
      case "account":
        return accountView(app, () => this.#leave(words.signIn.out, true));
      case "team":
        return teamView(app);
      case "groups":
        return fetchedPart(async () => {
          const { groupsPart } = await fetched(() => import("../../meetings/host/part.js"), "meetings/host/part.js");
          return groupsPart(app, this.context);
        });
      case "company":
        return fetchedPart(async () => {
          const { companyPart } = await fetched(() => import("./company.js"), "listening/listener/company.js");
          return companyPart(app, this.context);
        });
      default:
        return this.talks;
    }
  }

  #draw() {
    const { state, view, isListener, serverNow: now } = this.session;
    if (state.link.status === "stopped" && state.link.why === "identity") return void this.#comeBack();
    this.line.update(state);
    if (!isListener && ["", "listen"].includes(this.current)) return this.#turn(this.#home);
    keyed(
      this.nav,
      this.#pages,
      (one) => one,
      (one) => this.#tab(one),
    );
    // What stands above it comes with the first view: nothing that can be pressed may move under a finger. Where the
    // server cannot be reached, one's own account can be all the same.
    show(this.nav, view !== null || !isListener || state.link.status === "lost");
    steady(() => {
      this.status.update?.(view, now);
      this.proposal.update?.(view, now);
    });
    this.part.update?.(view, now);
    this.element.classList.toggle("unsure", state.link.status !== "open");
    document.title = this.#titleOf(state);
  }

  /** @param {string} one */
  #tab(one) {
    const label = words.pages[/** @type {keyof typeof words.pages} */ (one)];
    const go = button(label, () => this.#turn(one), { class: "quiet page" });
    return { element: go, update: () => attr(go, "aria-current", one === this.current ? "page" : null) };
  }

  /** @param {State} state */
  #titleOf(state) {
    const { view } = this.session;
    if (!this.proposal.element.hidden || (view?.invitations ?? []).length > 0) return words.waitingTitle;
    const unread = Object.values(state.rooms).reduce((n, room) => n + (room.id.startsWith("s-") ? room.unread : 0), 0);
    return unread > 0 ? words.writtenTitle(unread) : `${words.title} · Lamplight`;
  }

  /** The connection's sign-in is over. A new password, or another tab, may have begun another. */
  async #comeBack() {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      // It ends the sign-in of this connection before the answer brings the next one.
      await this.app.renewing?.catch(() => {});
      const now = await whoIsSignedIn();
      if (now.member.id !== this.app.account.member.id) return location.reload();
      this.session.client.start();
      this.session.do({ type: "link", link: { status: "lost", why: "network" } });
    } catch (no) {
      if (!this.ended.signal.aborted && isSignedOut(no)) this.#leave(words.signIn.over, false);
    } finally {
      this.isAsking = false;
    }
  }

  /** @param {string} note @param {boolean} isWanted */
  #leave(note, isWanted) {
    this.ended.abort();
    clearInterval(this.ticking);
    if (this.part !== this.talks) this.part.gone?.();
    this.talks.gone?.();
    this.session.client.stop();
    if (isWanted) this.session.vault.wipe();
    document.title = `${words.title} · Lamplight`;
    show(this.link, false);
    turnTo(stage, h("div", {}, signInView(open, note)));
    scrollTo(0, 0);
  }

  /** Another tab changed what this browser keeps. @param {StorageEvent} event */
  #stored(event) {
    const key = ownKey(event.key);
    if (key === undefined || key === null) return;
    // Another tab signed in as somebody else: nothing here is theirs.
    if (this.session.vault.isForAnother(key, event.newValue, this.app.account.member.id)) location.reload();
    else void this.session.shared(key, event.newValue);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const { proposal, talks } = this;
    if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || isComposing(event)) return;
    // On a Mac, Option and a key write a letter, such as ñ or ń: where one writes, that is what is meant.
    const isWriting = event.target instanceof HTMLElement && event.target.matches(WRITTEN_IN);
    if (isWriting && event.key.toLowerCase() !== event.code.slice(-1).toLowerCase()) return;
    const nth = /^Digit([1-4])$/.exec(event.code)?.[1];
    if (event.code === "KeyY" && !proposal.element.hidden) proposal.accept();
    else if (event.code === "KeyN" && !proposal.element.hidden) proposal.decline();
    else if (nth !== undefined && this.session.isListener) {
      this.#turn("listen");
      talks.open(Number(nth) - 1);
    } else return;
    event.preventDefault();
  }
}

/** Who may keep company with people who wait. @param {readonly string[]} roles */
const keepsCompany = (roles) => roles.some((role) => ["listener", "facilitator", "moderator"].includes(role));

/** What not everybody has, so that others need not fetch it. @param {() => Promise<Part>} make @returns {Part} */
function fetchedPart(make) {
  const place = h("div", {}, h("p", { class: "soft", role: "status", text: words.loadingPart }));
  /** @type {Part | null} */
  let part = null;
  let isGone = false;
  async function fetchPart() {
    try {
      const made = await make();
      if (isGone) return made.gone?.();
      part = made;
      place.replaceChildren(part.element);
    } catch (no) {
      if (!(no instanceof Refused)) throw no;
      missed(place, () => void fetchPart());
    }
  }
  void fetchPart();
  return {
    element: place,
    update: (view, now) => part?.update?.(view, now),
    gone() {
      isGone = true;
      part?.gone?.();
    },
  };
}

if (mayBegin()) comeIn();
