/** Puts the moderators' page together: who is signed in, the connection, and what there is to do. */

/** @import {HelloOk, Trouble} from "../types.js" */
/** @import {SignedIn} from "../listening/listener/types.js" */
/** @import {AloneRoom, ModeratorApp, Queue, Report, ReportPage} from "./types.js" */

import { attr, button, focusOn, h, keyed, show, text } from "../lib/dom.js";
import { words } from "../locales/en-moderate.js";
import { Bell } from "../shell/bell.js";
import { check } from "../shell/fields.js";
import { rareWord } from "../shell/link-line.js";
import { announcer, byId, drawnSoon, followBrowser, mayBegin, storageOrNone } from "../shell/page.js";
import { askWithReauth } from "../shell/reauth.js";
import { triesNotice } from "../shell/sign-in-notice.js";
import { checkSignIn, signOut, staffClient, wakeByTouch } from "../shell/staff-page.js";
import { FileView } from "./file.js";
import { measuresView, notesView } from "./lists.js";
import { hasToRing, queueView, takenWord, titleOf } from "./queue.js";
import { RoomsView } from "./rooms.js";
import { ModeratorSession } from "./session.js";

const TICK_MS = 15_000;
const PARTS = /** @type {const} */ (["reports", "rooms", "measures", "notes"]);

/** @typedef {(typeof PARTS)[number]} Part */

const stage = byId("screen");
const say = announcer(byId("say"));
const sayNow = announcer(byId("say-now"));

/** Who is signed in here? @param {string} [note]  what happened before */
const comeIn = (note = "") => void checkSignIn(stage, open, { note, said: words.signIn });

const out = () => void signOut().then(() => comeIn(words.out));

/** @param {SignedIn} account */
function open(account) {
  if (account.roles.some((role) => role === "moderator" || role === "operator")) {
    new ModeratorsPage(account).begin();
    return;
  }
  const leave = button(words.signOut, out, { class: "quiet" });
  const title = h("h1", { text: words.title });
  stage.replaceChildren(h("div", { class: "narrow card door" }, title, h("p", { text: words.notYours }), leave));
}

class ModeratorsPage {
  /** @type {Queue | null} */
  queue = null;
  skew = 0;
  /** The pages after the first one, how many they are, and where the next one begins. @type {Report[]} */
  extra = [];
  pages = 0;
  next = "";
  /** @type {Report | null} */
  chosen = null;
  /** What one came through to what is on the screen. @type {Report[]} */
  trail = [];
  /** @type {Part} */
  at = "reports";
  /** What was rung for, and since when it is as urgent. @type {Map<string, number>} */
  rung = new Map();
  /** @type {FileView | null} */
  file = null;
  ended = new AbortController();
  link = byId("link");
  nav = h("nav", { class: "pages", "aria-label": words.pagesLabel });
  empty = h("p", { class: "soft choose", text: words.file.choose });
  place = h("div", { class: "file-place" }, this.empty);

  /** @param {SignedIn} account */
  constructor(account) {
    const { signal } = this.ended;
    this.account = account;
    this.bell = new Bell(storageOrNone("localStorage"), () => new AudioContext());
    this.client = staffClient({
      onOpen: (ok) => this.#opened(ok),
      onPush: (push) => this.#pushed(push),
      onTrouble: (trouble) => this.#trouble(trouble),
    });
    this.session = new ModeratorSession({ client: this.client, now: () => Date.now() });
    this.session.changed = drawnSoon(() => this.#draw(), signal);
    this.app = this.#app();
    this.rooms = new RoomsView(this.app, () => this.#draw());
    const more = () => void this.#turnPages(this.pages + 1);
    this.reports = queueView(this.app, (report) => this.#choose(report), more);
    this.measures = measuresView(this.app);
    this.notes = notesView(this.app);
    this.both = h("div", { class: "both" }, this.reports.element, this.place);
    this.stand = h("div", { class: "place" }, this.both);
    this.ticking = setInterval(() => this.#draw(), TICK_MS);
    text(this.link, words.lost);
    wakeByTouch(this.bell, signal);
    followBrowser(this.client, { signal });
  }

  begin() {
    const { account, nav, stand } = this;
    stage.replaceChildren(h("div", { class: "staff-page" }, triesNotice(account), nav, stand, this.#foot()));
    this.client.start();
  }

  /** @returns {ModeratorApp} */
  #app() {
    const { client, account, session } = this;
    return {
      ask: (cmd, fields) => client.patient(cmd, fields),
      askWithReauth: askWithReauth(account, client),
      fact: (cmd, fields, gate) => client.fact(cmd, fields, { gate }),
      session,
      me: account.member,
      say,
      queue: () => this.queue,
      mayOperate: account.roles.includes("operator"),
      roomName: (room) => this.rooms.nameOf(room),
      openRoom: (room, offset, epoch) => {
        this.#turn("rooms");
        void this.rooms.open(room, offset, epoch);
      },
    };
  }

  #foot() {
    const { bell } = this;
    const sound = check(words.queue.sound, bell.on.call);
    sound.input.addEventListener("change", () => bell.set("call", sound.input.checked));
    const again = button(words.queue.soundTry, () => bell.play("call"), { class: "quiet" });
    const leave = button(words.signOut, () => void signOut().then(() => this.#leave(words.out)), { class: "quiet" });
    return h("div", { class: "comforts row" }, sound.element, again, leave);
  }

  /** @param {HelloOk} ok */
  #opened(ok) {
    this.skew = ok.now - Date.now();
    show(this.link, false);
    this.client
      .patient("reports")
      .then((view) => this.#take(view, true))
      .catch(() => {});
    void this.session.opened(ok);
  }

  /** @param {any} push */
  #pushed(push) {
    if (push.push === "reports") this.#take(push, false);
    else if (push.push === "ring") this.#ring(push);
    else if (push.push === "standby") this.#summon(push.rooms);
    else this.session.take(push);
  }

  /** @param {Trouble} trouble */
  #trouble(trouble) {
    if (trouble.status === "connecting") return;
    // A new sign-in helps only where the one that there was is over.
    if (trouble.status === "stopped" && trouble.why !== "refused" && trouble.why !== "origin")
      return this.#leave(words.over);
    show(this.link, true);
    const until = trouble.status === "stopped" ? null : trouble.until;
    void rareWord(trouble.why, until).then((said) => text(this.link, said ?? words.lost));
  }

  /** @param {Queue} view @param {boolean} isFirst */
  #take(view, isFirst) {
    if (!isFirst && this.queue !== null && view.version < this.queue.version) return;
    this.#sayNews(view);
    this.queue = view;
    this.next = view.next ?? "";
    const { rung } = this;
    const waiting = view.open.filter((report) => hasToRing(report) && report.status === "open" && !rung.has(report.id));
    // What comes later is rung for by the server. What was there before this page came rings once, together.
    if (isFirst) for (const report of waiting) rung.set(report.id, report.newest_at ?? report.at);
    if (isFirst && waiting.length > 0) this.#summonNow(waiting.length - 1);
    if (this.pages > 0) void this.#turnPages(this.pages);
    this.#draw();
  }

  /** What is new in a view, aloud: reports that came, and those that were taken over. @param {Queue} view */
  #sayNews(view) {
    const { queue, account } = this;
    if (queue === null) return;
    const known = new Set([...queue.open, ...queue.closed].map((report) => report.id));
    if (view.open.some((report) => !known.has(report.id) && !hasToRing(report))) say(words.queue.fresh);
    for (const report of view.open) {
      const was = queue.open.find((one) => one.id === report.id);
      const lost = takenWord(report, account.member.id);
      const isTaken = was?.claimed_by?.id === account.member.id && report.claimed_by?.id !== account.member.id;
      if (isTaken && lost !== "") sayNow(`${titleOf(report, this.app)}: ${lost}`);
    }
  }

  /** Show so many pages after the first one, as they are now. @param {number} wanted */
  async #turnPages(wanted) {
    this.pages = wanted;
    const version = this.queue?.version;
    /** @type {Report[]} */
    const found = [];
    let after = this.queue?.next ?? "";
    try {
      for (let n = 0; n < wanted && after !== ""; n++) {
        const page = /** @type {ReportPage} */ (await this.app.ask("report_page", { after }));
        found.push(...page.reports);
        after = page.next ?? "";
      }
    } catch {
      // The connection went. The next one brings the queue, and this is done anew.
      return;
    }
    // A newer queue came meanwhile, and sees to its own pages.
    if (version !== this.queue?.version || this.pages !== wanted) return;
    this.extra = found;
    this.next = after;
    this.#draw();
  }

  /** @param {number} more */
  #summonNow(more) {
    this.bell.ring("call");
    sayNow(words.queue.ring(more));
  }

  /** It rings once, and again when it has become more serious. @param {{report: string, at: number, more?: number}} push */
  #ring({ report, at, more }) {
    if ((this.rung.get(report) ?? 0) >= at) return;
    this.rung.set(report, at);
    this.#summonNow(more ?? 0);
  }

  /** A room that needs somebody calls when it slows, and once more when it can only be read. @param {AloneRoom[]} waiting */
  #summon(waiting) {
    const first = this.rooms.wait(waiting)[0];
    if (first !== undefined) {
      this.bell.ring("call");
      sayNow(words.rooms.ring(first.name));
    }
    void this.session.look().then(() => this.#draw());
  }

  /** @param {Report} report @param {Report[]} [through] */
  #choose(report, through = []) {
    this.chosen = report;
    this.trail = through;
    const within = (/** @type {Report} */ part) => this.#choose(part, [...through, report]);
    this.file = new FileView(this.app, this.#latestOf(report), () => this.#back(), within);
    this.place.replaceChildren(this.file.element);
    this.both.dataset["chosen"] = "yes";
    this.#draw();
    const title = this.place.querySelector("h1");
    if (title !== null) focusOn(title);
  }

  /** As it stands now, where it is in the queue. @param {Report} report */
  #latestOf(report) {
    const { queue, extra } = this;
    return [...(queue?.open ?? []), ...extra, ...(queue?.closed ?? [])].find((one) => one.id === report.id) ?? report;
  }

  #back() {
    const holder = this.trail.at(-1);
    if (holder !== undefined) return this.#choose(holder, this.trail.slice(0, -1));
    const from = this.chosen?.id;
    this.chosen = null;
    this.file = null;
    this.place.replaceChildren(this.empty);
    delete this.both.dataset["chosen"];
    this.#draw();
    const all = [...this.reports.element.querySelectorAll("button.report")];
    const row = all.find((one) => one instanceof HTMLElement && one.dataset["report"] === from);
    if (row instanceof HTMLElement) row.focus();
    else focusOn(/** @type {HTMLElement} */ (this.reports.element.querySelector("h1")));
  }

  /** @param {Part} to */
  #turn(to) {
    if (to === this.at) return;
    this.at = to;
    const { rooms, measures, notes, both } = this;
    const element = { rooms: rooms.element, measures: measures.element, notes: notes.element, reports: both }[to];
    this.stand.replaceChildren(element);
    this.#draw();
    const title = this.stand.querySelector("h1");
    if (title !== null) focusOn(title);
  }

  #draw() {
    const { queue, rooms, at } = this;
    if (at === "rooms") rooms.update();
    if (queue === null) return;
    keyed(
      this.nav,
      PARTS,
      (one) => one,
      (one) => this.#tab(one),
    );
    const chosen = (this.trail[0] ?? this.chosen)?.id ?? "";
    this.reports.update(queue, this.extra, this.next !== "", Date.now() + this.skew, chosen);
    if (this.chosen !== null) this.file?.update(this.#latestOf(this.chosen));
    if (at === "measures") this.measures.update(queue);
    if (at === "notes") this.notes.update(queue);
    const todo = queue.open_count + rooms.waiting;
    document.title = todo > 0 ? `(${todo}) ${words.title} · Lamplight` : `${words.title} · Lamplight`;
  }

  /** @param {Part} one */
  #tab(one) {
    const go = button("", () => this.#turn(one), { class: "quiet page" });
    return {
      element: go,
      update: () => {
        const n = this.#count(one);
        text(go, n > 0 ? `${words.pages[one]} (${n})` : words.pages[one]);
        attr(go, "aria-current", one === this.at ? "page" : null);
      },
    };
  }

  /** How much waits in a part. @param {Part} one */
  #count(one) {
    const { queue, rooms } = this;
    if (queue === null) return 0;
    switch (one) {
      case "reports":
        return queue.open_count;
      case "rooms":
        return rooms.waiting;
      case "measures":
        return queue.measures.filter((each) => each.appeal).length;
      case "notes":
        return queue.unread_debriefs;
    }
  }

  /** @param {string} note */
  #leave(note) {
    this.ended.abort();
    clearInterval(this.ticking);
    this.client.stop();
    show(this.link, false);
    document.title = `${words.title} · Lamplight`;
    comeIn(note);
  }
}

if (mayBegin()) comeIn();
