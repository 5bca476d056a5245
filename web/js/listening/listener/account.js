/** One's own account: signing out, the password, and what else opens it. */

/** @import {ListenerApp, Part} from "./types.js" */

import { button, h, show } from "../../lib/dom.js";
import { call, fetched } from "../../lib/api.js";
import { words as common } from "../../locales/en.js";
import { words as you } from "../../locales/en-you.js";
import { words } from "../../locales/en-listener.js";
import { reauthenticate } from "../../shell/reauth.js";
import { card, doneLine, field, passwordInput, troubleLine, twoTouches } from "../../shell/fields.js";

const w = words.account;

/** @param {ListenerApp} app @param {() => void} out  after signing out @returns {Part} */
export function accountView(app, out) {
  const { account } = app;
  const leaving = twoTouches({
    ask: w.signOut,
    lead: w.signOutLead,
    yes: w.signOutYes,
    no: w.stay,
    act: async () => {
      await call("/api/staff/sign-out", {});
      out();
    },
  });
  const factors = h("div", { class: "factors" }, h("p", { class: "soft", text: w.loading }));
  const fetchFactors = () =>
    void fetched(() => import("./factors.js"), "listening/listener/factors.js").then(
      ({ factorCards, elsewhereCard }) => factors.replaceChildren(...factorCards(app), elsewhereCard(app)),
      () =>
        factors.replaceChildren(
          h("p", { class: "trouble", role: "alert", text: w.lost }),
          button(common.status.again, fetchFactors, { class: "act second" }),
        ),
    );
  fetchFactors();
  const waits = account.operator_from !== undefined && account.operator_from > Date.now();
  return {
    element: h(
      "div",
      { class: "narrow" },
      h("h1", { text: w.title }),
      h(
        "div",
        { class: "card" },
        h("p", { text: w.who(account.member.name, account.login) }),
        waits && h("p", { text: w.operatorWaits }),
        leaving.first,
        leaving.panel,
      ),
      factors,
      passwordCard(app),
      lookCard(),
    ),
  };
}

/** @param {ListenerApp} app */
function passwordCard(app) {
  const { account, say } = app;
  const trouble = troubleLine();
  const done = doneLine(say);
  const current = passwordInput("current-password");
  const next = passwordInput("new-password");
  const currentField = field(w.current, current);
  const form = h(
    "form",
    { class: "stack", novalidate: true },
    currentField,
    field(w.next, next, words.signIn.passwordLead),
    trouble.element,
    done.element,
    h("div", { class: "row" }, h("button", { type: "submit", class: "act second", text: w.change })),
  );
  // Where there is more to show than a password, the dialog asks for all of it.
  const needsMore = () => account.has_totp || account.has_passkey === true;
  form.addEventListener("focusin", () => show(currentField, !needsMore()));

  /** @param {import("../../shell/reauth.js").Proof} proof */
  async function change({ password, code, passkey }) {
    app.renewing = call("/api/staff/password", { new: next.value, current: password, code, passkey });
    await app.renewing;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    done.say("");
    void trouble.around(async () => {
      if (!needsMore()) await change({ password: current.value });
      else if (!(await reauthenticate(account, change, w.passwordProof))) return;
      current.value = next.value = "";
      done.say(w.changed);
    });
  });
  return card(w.passwordTitle, form);
}

/** Light or dark, as in the rooms. */
function lookCard() {
  const page = document.documentElement;
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
  return card(
    you.lookTitle,
    h("fieldset", {}, h("legend", { text: you.theme }), h("div", { class: "row" }, ...radios)),
  );
}
