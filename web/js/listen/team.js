/** Those who work here, for operators and moderators. */

/** @import {Account, Desk, Part, Role} from "./types.js" */

import { attr, button, h, keyed, show, text } from "../lib/dom.js";
import { call } from "../lib/api.js";
import { clock, dayWord } from "../lib/time.js";
import { words as pageWords } from "../locales/en.js";
import { ROLES, words } from "../locales/en-listen.js";
import { personLine } from "../views/room.js";
import { confirmed } from "./confirming.js";
import { card, choices, field, troubleLine, twoTouches } from "./parts.js";

const w = words.team;
/** @type {[string, string][]} */
const ALL = Object.entries(ROLES);

/** @param {Desk} desk @returns {Part} */
export function teamView(desk) {
  const isOperator = desk.account.roles.includes("operator");
  const trouble = troubleLine();
  const list = h("ul", { class: "people team" });
  const refresh = () => trouble.around(async () => {
    const { people } = await call("/api/staff/people", null);
    keyed(list, /** @type {Account[]} */ (people), (one) => `${one.member.id} ${one.roles.join()} ${one.revoked_at ?? ""}`, (one) => row(desk, one, isOperator, refresh));
  });
  void refresh();
  return {
    element: h("div", { class: "narrow" }, h("h1", { text: w.title }), h("p", { class: "soft", text: w.lead }), trouble.element, h("div", { class: "card" }, list), isOperator && inviteCard(desk)),
  };
}

/** @param {Desk} desk @param {Account} one @param {boolean} isOperator @param {() => Promise<unknown>} refresh */
function row({ account }, one, isOperator, refresh) {
  const roles = choices(w.roles(one.member.name), ALL, one.roles);
  const changing = twoTouches({
    ask: w.change, lead: w.changeLead, yes: w.changeSave, no: words.account.cancel,
    fields: [roles.element],
    act: () => confirmed(account, async () => {
      await call("/api/staff/roles", { member: one.member.id, roles: roles.value });
      await refresh();
    }),
  });
  const revoking = twoTouches({
    ask: w.revoke, lead: w.revokeSure(one.member.name), yes: w.revokeYes, no: words.account.cancel, danger: true,
    act: () => confirmed(account, async () => {
      await call("/api/staff/revoke", { member: one.member.id });
      await refresh();
    }),
  });
  attr(changing.first, "aria-label", `${w.change}: ${w.roles(one.member.name)}`);
  attr(revoking.first, "aria-label", `${w.revoke}: ${one.member.name}`);
  const is = one.revoked_at ? w.revoked : one.roles.map((role) => ROLES[/** @type {Role} */ (role)] ?? role).join(", ");
  const besides = [one.login, one.member.id === account.member.id ? w.you : "", one.has_totp ? w.secondStep : ""].filter((part) => part !== "").join(" · ");
  const acts = isOperator && !one.revoked_at ? [h("div", { class: "row" }, changing.first, revoking.first), changing.panel, revoking.panel] : [];
  return { element: h("li", {}, personLine(one.member, is), h("span", { class: "soft small", text: besides }), ...acts), update() {} };
}

/** @param {Desk} desk */
function inviteCard({ account, say }) {
  const trouble = troubleLine();
  const roles = choices(w.inviteLead, ALL, ["listener"]);
  const link = h("input", { type: "text", readonly: true });
  const until = h("p", { class: "soft" });
  const copied = h("span", { class: "soft", role: "status" });
  const copy = button(w.copy, () => {
    navigator.clipboard.writeText(link.value).then(
      () => text(copied, w.copied),
      () => {
        text(copied, w.noCopy);
        link.select();
      },
    );
  }, { class: "act second" });
  const made = h("div", { class: "stack", hidden: true }, field(w.link, link), until, h("div", { class: "row" }, copy, copied));
  const form = h("form", { class: "stack", novalidate: true }, roles.element, trouble.element, h("div", { class: "row" }, h("button", { type: "submit", class: "act", text: w.inviteDo })), made);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (roles.value.length === 0) return trouble.say(w.inviteNone);
    void trouble.around(() => confirmed(account, async () => {
      const ok = await call("/api/staff/invite", { roles: roles.value });
      link.value = new URL(ok.path, location.origin).href;
      const at = /** @type {number} */ (ok.expires_at);
      text(until, w.until(`${dayWord(at, Date.now(), pageWords.days)}, ${clock(at)}`));
      text(copied, "");
      show(made, true);
      copy.focus();
      say(until.textContent ?? "");
    }));
  });
  return card(w.invite, form);
}
