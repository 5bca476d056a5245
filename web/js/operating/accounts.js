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
export function accountsCard(account, storage, sayNow) {
  const before = seenBefore(storage);
  const done = doneLine(sayNow);
  const list = h("ul", { class: "acts" });
  const none = h("p", { class: "soft", text: w.none });
  const more = button(
    w.more,
    () => {
      isWhole = true;
      draw();
      list.querySelectorAll("li")[FIRST]?.setAttribute("tabindex", "-1");
      /** @type {HTMLElement | undefined} */ (list.querySelectorAll("li")[FIRST])?.focus();
    },
    { class: "quiet" },
  );
  const waiting = h("ul", { class: "acts waiting" });
  // By itself, because it stands above what can wait: whoever became an operator without right is stopped here.
  const waitingPart = h(
    "section",
    { class: "card", "aria-labelledby": "waiting-title", hidden: true },
    h("h2", { id: "waiting-title", text: w.waitingTitle }),
    waiting,
    done.element,
  );
  let isWhole = false;
  let newest = -1;
  /** @type {Accounts} */
  let held = { acts: [], waiting: [] };

  /** @param {Waiting} one */
  function waitingRow(one) {
    const name = nameOf(one.member);
    const isMine = one.by?.id === account.member.id;
    const agreeing = twoTouches({
      ask: w.agree,
      lead: w.agreeLead(name),
      yes: w.agreeYes,
      no: w.cancel,
      act: () =>
        withReauth(account, async () => {
          await call("/api/staff/agree", { member: one.member.id });
          done.say(w.agreed(name));
        }),
    });
    agreeing.first.setAttribute("aria-label", `${w.agree}: ${name}`);
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

  /** @param {Act} act */
  function row(act) {
    const isFresh = act.seq > before && act.by?.id !== account.member.id;
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

  function draw() {
    keyed(
      list,
      isWhole ? held.acts : held.acts.slice(0, FIRST),
      (act) => `${act.seq} ${nameOf(act.by)} ${nameOf(act.about)}`,
      row,
    );
    show(none, held.acts.length === 0);
    show(more, !isWhole && held.acts.length > FIRST);
    keyed(
      waiting,
      held.waiting.filter((one) => one.at > Date.now()),
      (one) => `${one.member.id} ${one.at}`,
      waitingRow,
    );
    show(waitingPart, waiting.childElementCount > 0 || !done.element.hidden);
  }

  return {
    waiting: waitingPart,
    element: h(
      "section",
      { class: "card", "aria-labelledby": "accounts-title" },
      h("h2", { id: "accounts-title", text: w.title }),
      h("p", { class: "soft", text: w.lead }),
      none,
      list,
      more,
    ),
    /** @param {Accounts} next */
    update(next) {
      held = next;
      const first = next.acts[0];
      if (newest >= 0 && first !== undefined && first.seq > newest && first.by?.id !== account.member.id)
        sayNow(said(first));
      newest = first?.seq ?? 0;
      try {
        storage?.setItem(SEEN, String(newest));
      } catch {
        // Then it is called new again.
      }
      draw();
    },
  };
}
