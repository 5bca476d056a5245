/** What was done with accounts lately, and operators who don't count yet: fetched when an operator is here. */

/** @import {SignedIn} from "../listening/listener/types.js" */

import { call } from "../lib/api.js";
import { daily } from "../lib/daily.js";
import { button, h, keyed, show, text } from "../lib/dom.js";
import { withReauth } from "../shell/reauth.js";
import { doneLine, twoTouches } from "../shell/fields.js";
import { capital } from "../locales/en.js";
import { momentWord } from "../locales/en-moment.js";
import { words } from "../locales/en-accounts.js";

const w = words.acts;
const FIRST = 8;
const SEEN = "chat.operators.act";

/**
 * @typedef {import("wire").Person} Person
 * @typedef {import("wire").ActView} Act
 * @typedef {import("wire").WaitingView} Waiting
 * @typedef {Omit<import("wire").AccountsOk, "ok">} Accounts
 */

/** @param {number} at */
const moment = (at) => momentWord(at);
/** @param {Person | undefined} person */
const nameOf = (person) => (person === undefined ? "" : person.name || w.gone);

/** What an entry says. @param {Act} act */
export function said({ action, by, about, detail = "", is_machine: isMachine = false }) {
  const who = isMachine ? w.machine : by === undefined ? w.nobody : nameOf(by);
  const words = w.said[action];
  return words === undefined ? `${who}: ${action}` : words(who, nameOf(about), detail);
}

/** @param {Storage | null} storage @returns {number} the newest entry that was shown in this browser before */
function seenBefore(storage) {
  try {
    return Number(storage?.getItem(SEEN) ?? 0) || 0;
  } catch {
    return 0;
  }
}

/** @param {SignedIn} account @param {Storage | null} storage @param {(words: string) => void} sayNow */
export const accountsCard = (account, storage, sayNow) => new AccountsCard(account, storage, sayNow);

class AccountsCard {
  isWhole = false;
  /** The number of the newest entry. */
  newest = -1;
  /** @type {Accounts} */
  held = { acts: [], waiting: [] };
  list = h("ul", { class: "acts" });
  none = h("p", { class: "soft", text: w.none });
  more = button(w.more, () => this.#showAll(), { class: "quiet" });
  waitingList = h("ul", { class: "acts waiting" });

  /** @param {SignedIn} account @param {Storage | null} storage @param {(words: string) => void} sayNow */
  constructor(account, storage, sayNow) {
    this.account = account;
    this.storage = storage;
    this.sayNow = sayNow;
    this.before = seenBefore(storage);
    this.done = doneLine(sayNow);
    // By itself, because it stands above what can wait: who became an operator without right is stopped here.
    this.waiting = h(
      "section",
      { class: "card", "aria-labelledby": "waiting-title", hidden: true },
      h("h2", { id: "waiting-title", text: w.waitingTitle }),
      this.waitingList,
      this.done.element,
    );
    this.element = h(
      "section",
      { class: "card", "aria-labelledby": "accounts-title" },
      h("h2", { id: "accounts-title", text: w.title }),
      h("p", { class: "soft", text: w.lead }),
      this.none,
      this.list,
      this.more,
    );
  }

  /** @param {Accounts} next */
  update(next) {
    const { newest, account } = this;
    this.held = next;
    const first = next.acts[0];
    if (newest >= 0 && first !== undefined && first.seq > newest && first.by?.id !== account.member.id)
      this.sayNow(said(first));
    this.newest = first?.seq ?? 0;
    try {
      this.storage?.setItem(SEEN, String(this.newest));
    } catch {
      // Then it is called new again.
    }
    this.#draw();
  }

  #draw() {
    const { held, list, isWhole, waitingList } = this;
    keyed(
      list,
      isWhole ? held.acts : held.acts.slice(0, FIRST),
      (act) => `${act.seq} ${nameOf(act.by)} ${nameOf(act.about)}`,
      (act) => this.#row(act),
    );
    show(this.none, held.acts.length === 0);
    show(this.more, !isWhole && held.acts.length > FIRST);
    keyed(
      waitingList,
      held.waiting.filter((one) => one.at > Date.now()),
      (one) => `${one.member.id} ${one.at}`,
      (one) => this.#waitingRow(one),
    );
    show(this.waiting, waitingList.childElementCount > 0 || !this.done.element.hidden);
  }

  #showAll() {
    this.isWhole = true;
    this.#draw();
    const next = this.list.querySelectorAll("li")[FIRST];
    next?.setAttribute("tabindex", "-1");
    next?.focus();
  }

  /** @param {Act} act */
  #row(act) {
    const isFresh = act.seq > this.before && act.by?.id !== this.account.member.id;
    return {
      element: h(
        "li",
        {},
        daily(h("span", { class: "soft when" }), (when) => text(when, capital(moment(act.at)))),
        h("span", {}, said(act), isFresh && h("strong", { class: "fresh", text: ` ${w.fresh}` })),
      ),
      update() {},
    };
  }

  /** @param {Waiting} one */
  #waitingRow(one) {
    const name = nameOf(one.member);
    const isMine = one.by?.id === this.account.member.id;
    const agreeing = this.#agreeing(one.member.id, name);
    const by = one.by === undefined ? w.machine : nameOf(one.by);
    const away = h("p", { class: "soft" }, `${w.toTeam} `, h("a", { href: "/listen.html", text: w.team }), ".");
    return {
      element: h(
        "li",
        {},
        daily(h("p"), (said) => text(said, w.waiting(name, moment(one.at), by))),
        isMine ? h("p", { class: "soft", text: w.mine }) : h("div", { class: "row" }, agreeing.first),
        agreeing.panel,
        away,
      ),
      update() {},
    };
  }

  /** The other operator's agreement. @param {string} member @param {string} name */
  #agreeing(member, name) {
    const agreeing = twoTouches({
      ask: w.agree,
      lead: w.agreeLead(name),
      yes: w.agreeYes,
      no: w.cancel,
      act: () =>
        withReauth(this.account, async () => {
          await call("/api/staff/agree", { member });
          this.done.say(w.agreed(name));
        }),
    });
    agreeing.first.setAttribute("aria-label", `${w.agree}: ${name}`);
    return agreeing;
  }
}
