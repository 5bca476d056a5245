/** One's own account: signing out, the password, the second step. */

/** @import {Desk, Part} from "./types.js" */

import { button, h, show, text } from "../lib/dom.js";
import { call } from "../lib/api.js";
import { words as pageWords } from "../locales/en.js";
import { words } from "../locales/en-listen.js";
import { confirmed } from "./confirming.js";
import { card, doneLine, field, passwordInput, textInput, troubleLine, twoTouches } from "./parts.js";

const w = words.account;

/** @param {Desk} desk @param {() => void} out  after signing out @returns {Part} */
export function accountView(desk, out) {
  const { account } = desk;
  const leaving = twoTouches({
    ask: w.signOut, lead: w.signOutLead, yes: w.signOutYes, no: w.stay,
    act: async () => {
      await call("/api/staff/sign-out", {});
      out();
    },
  });
  return {
    element: h(
      "div",
      { class: "narrow" },
      h("h1", { text: w.title }),
      h("div", { class: "card" }, h("p", { text: w.who(account.member.name, account.login) }), leaving.first, leaving.panel),
      factorCard(desk),
      passwordCard(desk),
      lookCard(),
    ),
  };
}

/** @param {Desk} desk */
function passwordCard(desk) {
  const { say } = desk;
  const trouble = troubleLine();
  const done = doneLine(say);
  const current = passwordInput("current-password");
  const next = passwordInput("new-password");
  const form = h("form", { class: "stack", novalidate: true }, field(w.current, current), field(w.next, next, words.doors.passwordLead), trouble.element, done.element, h("div", { class: "row" }, h("button", { type: "submit", class: "act second", text: w.change })));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    done.say("");
    void trouble.around(async () => {
      desk.renewing = call("/api/staff/password", { current: current.value, new: next.value });
      await desk.renewing;
      current.value = next.value = "";
      done.say(w.changed);
    });
  });
  return card(w.passwordTitle, form);
}

/** @param {Desk} desk */
function factorCard({ account, say }) {
  const trouble = troubleLine();
  const done = doneLine(say);
  const state = h("p", {});
  const begin = button(w.factorBegin, () => void trouble.around(() => confirmed(account, start)), { class: "act second" });
  const secret = h("output", { class: "code" });
  const link = h("a", { class: "act second", text: w.factorLink });
  const code = textInput("one-time-code", { inputmode: "numeric", maxlength: 10 });
  const made = h("form", { class: "stack", novalidate: true, hidden: true }, h("p", { text: w.factorSecret }), h("p", {}, secret), h("p", {}, link), field(w.factorCode, code), h("div", { class: "row" }, h("button", { type: "submit", class: "act", text: w.factorOn })));
  const last = textInput("one-time-code", { inputmode: "numeric", maxlength: 10 });
  const off = h("form", { class: "stack", novalidate: true, hidden: true }, field(w.factorCode, last), h("div", { class: "row" }, h("button", { type: "submit", class: "act second", text: w.factorOff })));

  async function start() {
    const factor = await call("/api/staff/totp", {});
    text(secret, factor.secret.match(/.{1,4}/g)?.join(" ") ?? factor.secret);
    secret.dataset["secret"] = factor.secret;
    link.setAttribute("href", factor.uri);
    show(made, true);
    show(begin, false);
    code.focus();
  }
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    void trouble.around(() => confirmed(account, async () => {
      await call("/api/staff/totp/on", { secret: secret.dataset["secret"] ?? "", code: code.value });
      account.has_totp = true;
      code.value = "";
      text(secret, "");
      delete secret.dataset["secret"];
      link.removeAttribute("href");
      draw();
      done.say(w.factorOnDone);
    }));
  });
  off.addEventListener("submit", (event) => {
    event.preventDefault();
    void trouble.around(() => confirmed(account, async () => {
      await call("/api/staff/totp/off", { code: last.value });
      account.has_totp = false;
      last.value = "";
      draw();
      done.say(w.factorOffDone);
    }));
  });
  function draw() {
    text(state, account.has_totp ? w.factorIsOn : w.factorIsOff);
    show(made, false);
    show(begin, !account.has_totp);
    show(off, account.has_totp);
    done.say("");
  }
  draw();
  return card(w.factorTitle, h("p", { class: "soft", text: w.factorLead }), state, begin, made, off, trouble.element, done.element);
}

/** Light or dark, as in the rooms. */
function lookCard() {
  const page = document.documentElement;
  const you = pageWords.you;
  const current = page.getAttribute("data-theme") ?? "auto";
  const radios = Object.entries(you.themes).map(([value, label]) => {
    const input = h("input", { type: "radio", name: "theme", value });
    input.checked = value === current;
    input.addEventListener("change", () => {
      if (value === "auto") page.removeAttribute("data-theme");
      else page.setAttribute("data-theme", value);
      try {
        if (value === "auto") localStorage.removeItem("chat.look.theme");
        else localStorage.setItem("chat.look.theme", value);
      } catch {
        // It looks so until the page is closed.
      }
    });
    return h("label", { class: "check" }, input, h("span", { text: label }));
  });
  return card(you.lookTitle, h("fieldset", {}, h("legend", { text: you.theme }), h("div", { class: "row" }, ...radios)));
}
