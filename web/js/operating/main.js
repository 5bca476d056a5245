/** Puts the operators' page together: who is signed in, the connection, and the parts that show the load. */

/** @import {StopsFor, Trouble} from "../types.js" */
/** @import {SignedIn} from "../listening/listener/types.js" */
/** @import {Acting, LoadOk, LoadPush, Picture} from "./types.js" */

import { fetched } from "../lib/api.js";
import { Refused } from "../lib/client.js";
import { button, h, show, text } from "../lib/dom.js";
import { words } from "../locales/en-operators.js";
import { Bell } from "../shell/bell.js";
import { check } from "../shell/fields.js";
import { rareWord } from "../shell/link-line.js";
import { announcer, byId, drawnSoon, followBrowser, mayBegin, storageOrNone, turnTo } from "../shell/page.js";
import { askWithReauth } from "../shell/reauth.js";
import { triesNotice } from "../shell/sign-in-notice.js";
import { signInView } from "../shell/sign-in.js";
import { checkSignIn, signOut, staffClient, wakeByTouch } from "../shell/staff-page.js";
import { screeningCard, simulatorCard, statisticsCard } from "./cards.js";
import { attentionView, deliveryView, queueView, totalsView, workersView } from "./panels.js";
import { RoomsView } from "./rooms.js";
import { laid, news, whole } from "./state.js";

const OLD_MS = 4_000;
const TICK_MS = 1_000;
const AGAIN_MS = 5_000;
const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit", second: "2-digit" });

const stage = byId("screen");
const linkLine = byId("link");
const sayNow = announcer(byId("say-now"));

/** @param {string} what */
function tell(what) {
  text(linkLine, what);
  show(linkLine, what !== "");
}

const leave = () => void signOut().then(() => location.reload());

/** @param {SignedIn} account */
function open(account) {
  if (account.roles.some((role) => role === "operator" || role === "moderator")) new OperatorsPage(account).begin();
  else turnTo(stage, notYours());
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
      button(words.out, leave, { class: "quiet" }),
    ),
  );
}

class OperatorsPage {
  /** @type {Picture | null} */
  picture = null;
  here = "";
  heardAt = 0;
  /** The newest picture is not on the page yet. */
  isDue = false;
  /** @type {Map<string, string>} rooms that wait for a moderator */
  alone = new Map();
  /** @type {ReturnType<typeof import("./accounts.js").accountsCard> | null} */
  accounts = null;
  ended = new AbortController();
  live = h("p", { class: "live" });
  waitingPlace = h("div", {});
  accountsPlace = h("div", {});

  /** @param {SignedIn} account */
  constructor(account) {
    const { signal } = this.ended;
    this.account = account;
    this.mayOperate = account.roles.includes("operator");
    this.bell = new Bell(storageOrNone("localStorage"), () => new AudioContext());
    this.client = staffClient({
      onOpen: () => void this.#opened(),
      onPush: (push) => this.#pushed(push),
      onTrouble: (trouble) => this.#trouble(trouble),
    });
    /** @type {Acting} */
    this.acting = {
      ask: askWithReauth(account, this.client),
      nameOf: (room) => this.picture?.places.get(room)?.name ?? room,
      mayOperate: this.mayOperate,
    };
    this.parts = this.#parts();
    this.element = this.#layout();
    this.changed = drawnSoon(() => this.#draw(), signal);
    this.ticking = setInterval(() => this.#age(), TICK_MS);
    wakeByTouch(this.bell, signal);
    followBrowser(this.client, { signal });
  }

  begin() {
    stage.replaceChildren(this.element);
    this.client.start();
  }

  /** What is done is fetched when somebody begins. @param {(found: typeof import("./acts.js")) => void} begin */
  #act(begin) {
    void fetched(() => import("./acts.js"), "operating/acts.js").then(begin, () => tell(words.link.lost));
  }

  #parts() {
    const change = (/** @type {string} */ id, /** @type {string} */ name) =>
      this.#act((found) => found.roomSheet(this.acting, id, name));
    const drain = (/** @type {string} */ id, /** @type {string} */ name) =>
      this.#act((found) => found.workerSheet(this.acting, id, name));
    const rooms = new RoomsView(change);
    return {
      attention: attentionView((name) => rooms.find(name), change),
      totals: totalsView(),
      rooms,
      queue: queueView(),
      workers: workersView(() => this.here, this.mayOperate ? drain : null),
      delivery: deliveryView(),
    };
  }

  #layout() {
    const { attention, totals, rooms, queue, workers, delivery } = this.parts;
    return h(
      "div",
      { class: "operators" },
      this.#head(),
      triesNotice(this.account),
      attention.element,
      this.waitingPlace,
      totals.element,
      rooms.element,
      h("div", { class: "panels" }, ...queue.elements, delivery.element),
      workers.element,
      this.accountsPlace,
      this.mayOperate && screeningCard(this.acting, tell),
      this.mayOperate && simulatorCard(tell, sayNow),
      this.mayOperate && statisticsCard(),
      this.#sound(),
    );
  }

  #head() {
    const settings = () => this.#act((found) => found.settingsSheet(this.acting));
    return h(
      "div",
      { class: "first" },
      h("h1", { text: words.here }),
      this.live,
      button(words.rooms.settings, settings, { class: "quiet", "aria-haspopup": "dialog" }),
      button(words.out, leave, { class: "quiet" }),
    );
  }

  #sound() {
    const { bell } = this;
    const sound = check(words.sound, bell.on.call);
    sound.input.addEventListener("change", () => bell.set("call", sound.input.checked));
    const again = button(words.soundTry, () => bell.play("call"), { class: "quiet" });
    return h("div", { class: "row" }, sound.element, again);
  }

  async #opened() {
    try {
      const ok = /** @type {LoadOk} */ (await this.client.patient("load"));
      this.here = ok.here;
      this.#became(whole(ok));
      tell("");
      if (this.mayOperate) await this.#watchAccounts();
    } catch (no) {
      if (no instanceof Refused && no.code === "not_allowed") {
        this.#stop();
        turnTo(stage, notYours());
      }
      // Otherwise the connection was lost, and the next one asks again.
    }
  }

  /** @param {any} push */
  #pushed(push) {
    if (push.push === "load") this.#take(push);
    else if (push.push === "standby") this.#summon(push.rooms);
    else if (push.push === "accounts") this.accounts?.update(push);
  }

  /** @param {Trouble} trouble */
  #trouble(trouble) {
    if (trouble.status === "stopped") this.#over(trouble.why);
    else if (trouble.status === "waiting") {
      tell(words.link.lost);
      void rareWord(trouble.why, trouble.until).then((said) => said !== null && !this.client.isOpen && tell(said));
    }
  }

  /** What is done with accounts, shown as it happens. */
  async #watchAccounts() {
    const { client, ended } = this;
    const found = await fetched(() => import("./accounts.js"), "operating/accounts.js").catch(() => null);
    if (found === null) {
      const again = () => !ended.signal.aborted && client.isOpen && void this.#watchAccounts().catch(() => {});
      setTimeout(again, AGAIN_MS);
      return;
    }
    if (this.accounts === null) {
      this.accounts = found.accountsCard(this.account, storageOrNone("localStorage"), sayNow);
      this.waitingPlace.replaceChildren(this.accounts.waiting);
      this.accountsPlace.replaceChildren(this.accounts.element);
    }
    this.accounts.update(await client.patient("accounts"));
  }

  /**
   * A room that needs a moderator calls when it slows, and once more when it can only be read.
   * @param {{id: string, name: string, attendance: string}[]} rooms
   */
  #summon(rooms) {
    const known = this.alone;
    this.alone = new Map(rooms.map((room) => [room.id, room.attendance]));
    if (rooms.some((room) => known.get(room.id) !== room.attendance)) this.bell.ring("call");
  }

  /** @param {LoadPush} push */
  #take(push) {
    if (this.picture !== null) this.#became(laid(this.picture, push));
  }

  /** @param {Picture} next */
  #became(next) {
    const before = this.picture;
    const fresh = before === null ? [] : news(before.attention, next.attention);
    // What changed stays so until it is on the page.
    const isUndrawn = before !== null && this.isDue;
    this.picture = isUndrawn ? { ...next, changed: new Set([...before.changed, ...next.changed]) } : next;
    this.isDue = true;
    this.heardAt = performance.now();
    const first = fresh[0];
    if (first !== undefined) sayNow(words.attention.news(first.words));
    this.changed();
  }

  #draw() {
    this.isDue = false;
    const { picture } = this;
    if (picture === null) return;
    for (const part of Object.values(this.parts)) part.update(picture);
    const urgent = picture.attention.filter((each) => each.urgent === true).length;
    document.title = urgent > 0 ? words.urgentTitle(urgent) : `${words.title} · Lamplight`;
    this.#age();
  }

  #age() {
    if (this.picture === null) return;
    const isOld = performance.now() - this.heardAt > OLD_MS;
    this.element.classList.toggle("unsure", isOld);
    text(this.live, (isOld ? words.old : words.live)(clock.format(this.picture.at)));
  }

  /** @param {StopsFor} why */
  #over(why) {
    if (why === "refused") return tell(words.link.stopped);
    this.#stop();
    turnTo(stage, h("div", {}, signInView(open, words.signIn.over, words.signIn)));
  }

  #stop() {
    this.ended.abort();
    clearInterval(this.ticking);
    this.client.stop();
    tell("");
    document.title = `${words.title} · Lamplight`;
  }
}

if (mayBegin()) void checkSignIn(stage, open, { said: words.signIn });
