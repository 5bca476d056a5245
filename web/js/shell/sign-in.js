/** Coming in: signing in, and accepting an invitation. */

/** @import {SignedIn} from "../listening/listener/types.js" */

import { button, h, show } from "../lib/dom.js";
import { call, fetched } from "../lib/api.js";
import { Refused } from "../lib/client.js";
import { refusalWord, words } from "../locales/en-listener.js";
import { field, idFor, passwordInput, textInput, troubleLine } from "./fields.js";

const w = words.signIn;

/**
 * @param {(account: SignedIn) => void} enter @param {string} note  what happened before
 * @param {{title: string, lead: string}} [said]  where it is another page's
 */
export function signInView(enter, note, said = w) {
  const trouble = troubleLine();
  const login = textInput("username", { maxlength: 64, name: "login" });
  const password = passwordInput("current-password");
  const code = textInput("one-time-code", { maxlength: 24, required: false });
  const codeField = h("div", { hidden: true }, field(w.code, code, w.codeLead));
  const passkey = button(
    w.passkey,
    () =>
      void trouble.around(async () => {
        const { hasPasskeys, showPasskey } = await fetched(() => import("../lib/passkeys.js"), "lib/passkeys.js");
        if (!hasPasskeys()) throw new Refused({ code: "passkey_place", message: "", temporary: false });
        const { options } = await call("/api/staff/passkey", {});
        enter(await call("/api/staff/passkey/sign-in", { passkey: await showPasskey(options) }));
      }),
    { class: "act second" },
  );
  show(passkey, "PublicKeyCredential" in window);
  const form = h(
    "form",
    { class: "stack", novalidate: true },
    field(w.login, login),
    field(w.password, password),
    revealing(password),
    codeField,
    trouble.element,
    h("div", { class: "row" }, h("button", { type: "submit", class: "act", text: w.enter }), passkey),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void trouble.around(async () => {
      const asked = {
        login: login.value,
        password: password.value,
        ...(code.value.trim() !== "" && { code: code.value }),
      };
      try {
        enter(await call("/api/staff/sign-in", asked));
      } catch (no) {
        const needsCode = no instanceof Refused && no.code === "sign_in_refused" && no.details["why"] === "code";
        if (needsCode && codeField.hidden) {
          show(codeField, true);
          code.focus();
          return;
        }
        if (needsCode) code.select();
        else if (no instanceof Refused && no.code === "sign_in_refused") password.select();
        throw no;
      }
    });
  });
  return h(
    "div",
    { class: "narrow card door" },
    h("h1", { text: said.title }),
    note !== "" && h("p", { class: "done", role: "status", text: note }),
    form,
    h("p", { class: "soft" }, said.lead, " ", h("a", { href: "/", text: w.rooms }), "."),
  );
}

/** @param {string} link @param {(account: SignedIn) => void} enter @param {() => void} instead */
export function invitationView(link, enter, instead) {
  const trouble = troubleLine();
  const login = textInput("username", { maxlength: 64, name: "login" });
  const name = textInput("off", { maxlength: 64, autocapitalize: "words" });
  const password = passwordInput("new-password");
  const form = h(
    "form",
    { class: "stack", novalidate: true },
    field(w.login, login, w.loginLead),
    field(w.name, name, w.nameLead),
    field(w.password, password, w.passwordLead),
    revealing(password),
    trouble.element,
    h(
      "div",
      { class: "row" },
      h("button", { type: "submit", class: "act", text: w.accept }),
      button(w.instead, instead, { class: "quiet" }),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void trouble.around(async () => {
      try {
        enter(
          await call("/api/staff/invitation", { link, login: login.value, name: name.value, password: password.value }),
        );
      } catch (no) {
        const code = no instanceof Refused ? no.code : "";
        const isLogin = no instanceof Refused && no.details["why"] === "login" && code === "name_refused";
        if (code === "password_weak") password.focus();
        else if (isLogin) login.focus();
        else if (code.startsWith("name_")) name.focus();
        throw no;
      }
    });
  });
  return h(
    "div",
    { class: "narrow card door" },
    h("h1", { text: w.inviteTitle }),
    h("p", { text: w.inviteLead }),
    form,
  );
}

/** The way back into an account that was reset. @param {string} link @param {(account: SignedIn) => void} enter @param {() => void} instead */
export function resetView(link, enter, instead) {
  const trouble = troubleLine();
  const password = passwordInput("new-password");
  const form = h(
    "form",
    { class: "stack", novalidate: true },
    field(words.account.next, password, w.passwordLead),
    revealing(password),
    trouble.element,
    h(
      "div",
      { class: "row" },
      h("button", { type: "submit", class: "act", text: w.resetDo }),
      button(w.instead, instead, { class: "quiet" }),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void trouble.around(async () => {
      try {
        enter(await call("/api/staff/reset/use", { link, password: password.value }));
      } catch (no) {
        if (no instanceof Refused && no.code === "password_weak") password.focus();
        throw no;
      }
    });
  });
  return h("div", { class: "narrow card door" }, h("h1", { text: w.resetTitle }), h("p", { text: w.resetLead }), form);
}

/** @param {unknown} no @param {() => void} again */
export function unreachableView(no, again) {
  const isLost = no instanceof Refused && no.code === "lost";
  return h(
    "div",
    { class: "narrow card door" },
    h("h1", { text: words.title }),
    h("p", { role: "status", text: isLost ? w.unreachable : refusalWord(no) }),
    button(w.again, again, { class: "act" }),
  );
}

/** @param {HTMLInputElement} password */
function revealing(password) {
  const box = h("input", { type: "checkbox", id: idFor("reveal") });
  box.addEventListener("change", () => {
    password.type = box.checked ? "text" : "password";
  });
  return h("label", { class: "check" }, box, h("span", { text: w.reveal }));
}
