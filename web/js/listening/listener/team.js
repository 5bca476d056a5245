/** Those who work here, for operators and moderators. */

/** @import {Account, ListenerApp, Part, Role} from "./types.js" */

import { attr, button, h, keyed, show, text } from "../../lib/dom.js";
import { call } from "../../lib/api.js";
import { momentWord } from "../../locales/en-moment.js";
import { ROLES, words } from "../../locales/en-listener.js";
import { personLine } from "../../shell/person-line.js";
import { withReauth } from "../../shell/reauth.js";
import { card, choices, field, troubleLine, twoTouches } from "../../shell/fields.js";

const w = words.team;
/** @type {[string, string][]} */
const ALL = Object.entries(ROLES);

/** @param {ListenerApp} app @returns {Part} */
export function teamView(app) {
  const isOperator = app.account.roles.includes("operator");
  const trouble = troubleLine();
  const list = h("ul", { class: "people team" });
  const refresh = () =>
    trouble.around(async () => {
      const { people } = await call("/api/staff/people", null);
      keyed(
        list,
        /** @type {Account[]} */ (people),
        (one) => `${one.member.id} ${one.roles.join()} ${one.revoked_at ?? ""} ${one.operator_from ?? ""}`,
        (one) => row(app, one, isOperator, refresh),
      );
    });
  void refresh();
  return {
    element: h(
      "div",
      { class: "narrow" },
      h("h1", { text: w.title }),
      h("p", { class: "soft", text: w.lead }),
      trouble.element,
      h("div", { class: "card" }, list),
      isOperator && inviteCard(app),
    ),
  };
}

/** @param {ListenerApp} app @param {Account} one @param {boolean} isOperator @param {() => Promise<unknown>} refresh */
function row({ account }, one, isOperator, refresh) {
  const roles = choices(w.roles(one.member.name), ALL, one.roles);
  const changing = twoTouches({
    ask: w.change,
    lead: w.changeLead,
    yes: w.changeSave,
    no: words.account.cancel,
    fields: [roles.element],
    act: () =>
      withReauth(account, async () => {
        await call("/api/staff/roles", { member: one.member.id, roles: roles.value });
        await refresh();
      }),
  });
  const revoking = twoTouches({
    ask: w.revoke,
    lead: w.revokeSure(one.member.name),
    yes: w.revokeYes,
    no: words.account.cancel,
    danger: true,
    act: () =>
      withReauth(account, async () => {
        await call("/api/staff/revoke", { member: one.member.id });
        await refresh();
      }),
  });
  attr(changing.first, "aria-label", `${w.change}: ${w.roles(one.member.name)}`);
  attr(revoking.first, "aria-label", `${w.revoke}: ${one.member.name}`);
  const { link, resetting } = resetTouch(account, one);
  const isMe = one.member.id === account.member.id;
  const waits = one.operator_from !== undefined && one.operator_from > Date.now();
  const is = one.revoked_at ? w.revoked : one.roles.map((role) => ROLES[/** @type {Role} */ (role)] ?? role).join(", ");
  const besides = [one.login, isMe ? w.you : "", one.has_totp ? w.secondStep : "", waits ? w.waits : ""]
    .filter((part) => part !== "")
    .join(" · ");
  const acts =
    isOperator && !one.revoked_at
      ? [
          h("div", { class: "row" }, changing.first, !isMe && resetting.first, revoking.first),
          changing.panel,
          resetting.panel,
          link.element,
          revoking.panel,
        ]
      : [];
  return {
    element: h("li", {}, personLine(one.member, is), h("span", { class: "soft small", text: besides }), ...acts),
    update() {},
  };
}

/** Letting somebody back in who lost their password. @param {ListenerApp["account"]} account @param {Account} one */
function resetTouch(account, one) {
  const link = linkField(w.resetLink(one.member.name), w.resetLinkLead);
  const resetting = twoTouches({
    ask: w.reset,
    lead: w.resetSure(one.member.name),
    yes: w.resetYes,
    no: words.account.cancel,
    danger: true,
    act: () =>
      withReauth(account, async () => {
        const ok = await call("/api/staff/reset", { member: one.member.id });
        link.show(ok.path);
      }),
  });
  attr(resetting.first, "aria-label", `${w.reset}: ${one.member.name}`);
  return { link, resetting };
}

/** A link that is shown once, to be copied. @param {string} label @param {string} [lead] @param {Node} [more] */
function linkField(label, lead, more) {
  const link = h("input", { type: "text", readonly: true });
  const copied = h("span", { class: "soft", role: "status" });
  const copy = button(
    w.copy,
    () => {
      navigator.clipboard.writeText(link.value).then(
        () => text(copied, w.copied),
        () => {
          text(copied, w.noCopy);
          link.select();
        },
      );
    },
    { class: "act second" },
  );
  const element = h(
    "div",
    { class: "stack", hidden: true },
    field(label, link, lead),
    more ?? null,
    h("div", { class: "row" }, copy, copied),
  );
  return {
    element,
    /** @param {string} path */
    show(path) {
      link.value = new URL(path, location.origin).href;
      text(copied, "");
      show(element, true);
      copy.focus();
    },
  };
}

/** @param {ListenerApp} app */
function inviteCard({ account, say }) {
  const trouble = troubleLine();
  const roles = choices(w.inviteLead, ALL, ["listener"]);
  const until = h("p", { class: "soft" });
  const link = linkField(w.link, undefined, until);
  const form = h(
    "form",
    { class: "stack", novalidate: true },
    roles.element,
    trouble.element,
    h("div", { class: "row" }, h("button", { type: "submit", class: "act", text: w.inviteDo })),
    link.element,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (roles.value.length === 0) return trouble.say(w.inviteNone);
    void trouble.around(() =>
      withReauth(account, async () => {
        const ok = await call("/api/staff/invite", { roles: roles.value });
        const at = /** @type {number} */ (ok.expires_at);
        text(until, w.until(momentWord(at)));
        link.show(ok.path);
        say(until.textContent ?? "");
      }),
    );
  });
  return card(w.invite, form);
}
