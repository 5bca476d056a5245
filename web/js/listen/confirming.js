/** What is dangerous wants the password again: asked for in a dialog where the server says so, and then it goes on. */

import { button, h, show } from "../lib/dom.js";
import { call } from "../lib/api.js";
import { Refused } from "../lib/client.js";
import { newId } from "../lib/text.js";
import { words } from "../locales/en-listen.js";
import { field, idFor, passwordInput, textInput, troubleLine } from "./parts.js";

const w = words.account;

/**
 * Do something; where it needs the password, ask for it and do the same again. Who does not give it is refused.
 * @param {{has_totp: boolean}} account  who is signed in
 * @param {() => Promise<unknown>} act
 */
export async function confirmed(account, act) {
  try {
    await act();
  } catch (no) {
    if (!(no instanceof Refused) || no.code !== "confirmation_required") throw no;
    if (!(await ask(account))) throw no;
    await act();
  }
}

/**
 * Asks over a connection; where it needs the password, it is the same command that is given again.
 * @param {{has_totp: boolean}} account
 * @param {import("../lib/client.js").Client} client
 * @returns {(cmd: string, fields?: object) => Promise<any>}
 */
export function surely(account, client) {
  /** What was asked and never answered, with its id: pressed again, it is the same command. @type {Map<string, string>} */
  const open = new Map();
  return async (cmd, fields) => {
    const what = JSON.stringify([cmd, fields]);
    const id = open.get(what) ?? newId();
    open.set(what, id);
    let ok = null;
    try {
      await confirmed(account, async () => {
        ok = await client.patient(cmd, fields, id);
      });
    } catch (no) {
      if (no instanceof Refused && !no.temporary) open.delete(what);
      throw no;
    }
    open.delete(what);
    return ok;
  };
}

/** @param {{has_totp: boolean}} account @returns {Promise<boolean>} whether it was given */
function ask(account) {
  const trouble = troubleLine();
  const password = passwordInput("current-password");
  const code = textInput("one-time-code", { inputmode: "numeric", maxlength: 10 });
  const codeField = field(w.factorCode, code);
  show(codeField, account.has_totp);
  const title = h("h2", { id: idFor("confirm"), text: w.confirm });
  const form = h(
    "form",
    { class: "stack", novalidate: true },
    title,
    h("p", { class: "soft", text: w.confirmLead }),
    field(words.doors.password, password),
    codeField,
    trouble.element,
    h("div", { class: "row" }, h("button", { type: "submit", class: "act", text: w.confirmDo }), button(w.cancel, () => dialog.close(), { class: "quiet" })),
  );
  const dialog = h("dialog", { class: "sheet", "aria-labelledby": title.id }, form);
  const before = document.activeElement;
  let isGiven = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void trouble.around(async () => {
      try {
        await call("/api/staff/confirm", { password: password.value, ...(!codeField.hidden && { code: code.value }) });
      } catch (no) {
        // It was turned on elsewhere, since this page was opened.
        if (no instanceof Refused && no.details["why"] === "code") show(codeField, true);
        throw no;
      }
      isGiven = true;
      dialog.close();
    });
  });
  document.body.append(dialog);
  dialog.showModal();
  password.focus();
  return new Promise((done) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      done(isGiven);
    });
  });
}
