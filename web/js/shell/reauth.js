/** Showing again who one is: asked for in a dialog, with the password and the second step, or with a passkey. */

import { button, h, show } from "../lib/dom.js";
import { call, fetched } from "../lib/api.js";
import { Refused } from "../lib/client.js";
import { newId } from "../lib/text.js";
import { words } from "../locales/en-listener.js";
import { field, idFor, passwordInput, textInput, troubleLine } from "./fields.js";

const w = words.account;

/** @typedef {Pick<import("wire").StaffResponse, "has_totp" | "has_passkey">} Shower  who is signed in */
/** @typedef {import("wire").ProofRequest} Proof */

/**
 * Do something; where it needs to be known again who asks, ask for it and do the same again. Who does not give it is
 * refused.
 * @param {Shower} account @param {() => Promise<unknown>} act
 */
export async function withReauth(account, act) {
  try {
    await act();
  } catch (no) {
    if (!(no instanceof Refused) || no.code !== "confirmation_required") throw no;
    if (!(await reauthenticate(account, (proof) => call("/api/staff/confirm", proof)))) throw no;
    await act();
  }
}

/**
 * Asks over a connection; where it needs the password, it is the same command that is given again.
 * @param {Shower} account
 * @param {import("../lib/client.js").Client} client
 * @returns {(cmd: string, fields?: object) => Promise<any>}
 */
export function askWithReauth(account, client) {
  /** What was asked and never answered, with its id: pressed again, it is the same command. @type {Map<string, string>} */
  const open = new Map();
  return async (cmd, fields) => {
    const what = JSON.stringify([cmd, fields]);
    const id = open.get(what) ?? newId();
    open.set(what, id);
    let ok = null;
    try {
      await withReauth(account, async () => {
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

/** @returns {Promise<Proof>} by a passkey; rejects with Refused where there is none */
async function shownPasskey() {
  const { hasPasskeys, showPasskey } = await fetched(() => import("../lib/passkeys.js"), "lib/passkeys.js");
  if (!hasPasskeys()) throw new Refused({ code: "passkey_place", message: "", temporary: false });
  const { options } = await call("/api/staff/prove", {});
  return { passkey: await showPasskey(options) };
}

/**
 * Ask who is there, and do something with the proof; what is refused is said in the dialog, which stays open.
 * @param {Shower} account @param {(proof: Proof) => Promise<unknown>} act @param {string} [lead]
 * @returns {Promise<boolean>} whether it was done
 */
export function reauthenticate(account, act, lead = w.confirmLead) {
  const trouble = troubleLine();
  const password = passwordInput("current-password");
  const code = textInput("one-time-code", { maxlength: 24 });
  const codeField = field(w.proofCode, code, w.proofCodeLead);
  show(codeField, account.has_totp);
  const title = h("h2", { id: idFor("confirm"), text: w.confirm });
  const byPasskey = button(w.byPasskey, () => void trouble.around(async () => finish(await shownPasskey())), {
    class: "act second",
  });
  show(byPasskey, account.has_passkey === true);
  const go = h("button", { type: "submit", class: "act", text: w.confirmDo });
  const cancel = button(w.cancel, () => dialog.close(), { class: "quiet" });
  const form = h(
    "form",
    { class: "stack", novalidate: true },
    title,
    h("p", { class: "soft", text: lead }),
    field(words.signIn.password, password),
    codeField,
    trouble.element,
    h("div", { class: "row" }, go, byPasskey, cancel),
  );
  const dialog = h("dialog", { class: "sheet", "aria-labelledby": title.id }, form);
  const before = document.activeElement;
  let isDone = false;

  /** @param {Proof} proof */
  async function finish(proof) {
    await act(proof);
    isDone = true;
    dialog.close();
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void trouble.around(async () => {
      try {
        await finish({ password: password.value, ...(!codeField.hidden && { code: code.value }) });
      } catch (no) {
        // It was turned on elsewhere, since this page was opened.
        if (no instanceof Refused && no.code === "sign_in_refused" && no.details["why"] === "code") {
          show(codeField, true);
          code.select();
        }
        throw no;
      }
    });
  });
  document.body.append(dialog);
  dialog.showModal();
  password.focus();
  return new Promise((done) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      done(isDone);
    });
  });
}
