/** What opens one's own account beside the password: a second step, recovery codes, passkeys. Fetched when it is opened. */

/** @import {ListenerApp} from "./types.js" */

import { daily } from "../../lib/daily.js";
import { button, h, keyed, show, text } from "../../lib/dom.js";
import { call } from "../../lib/api.js";
import { Refused } from "../../lib/client.js";
import { hasPasskeys, makePasskey } from "../../lib/passkeys.js";
import { momentWord } from "../../locales/en-moment.js";
import { words } from "../../locales/en-accounts.js";
import { reauthenticate } from "../../shell/reauth.js";
import { card, doneLine, field, textInput, troubleLine, twoTouches } from "../../shell/fields.js";

const SVG = "http://www.w3.org/2000/svg";
/** Empty modules around the code, as ISO/IEC 18004 wants them. */
const QUIET = 4;

/** @typedef {import("wire").PasskeyRow} Passkey */

/** @param {number} at */
const moment = (at) => momentWord(at);

/** A QR code from its rows of 0 and 1: dark on light in every theme, or no camera reads it. @param {string[]} rows */
export function qrCode(rows) {
  const size = rows.length + 2 * QUIET;
  const dark = rows.flatMap((row, y) =>
    [...row].map((bit, x) => (bit === "1" ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")),
  );
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", dark.join(""));
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", words.factor.qr);
  svg.setAttribute("class", "qr");
  svg.append(path);
  return svg;
}

/** @param {ListenerApp} app @returns {HTMLElement[]} */
export function factorCards(app) {
  const codes = codesPanel(app);
  const factor = new SecondStepCard(app, codes, refresh);
  const keys = new PasskeysCard(app, refresh);
  async function refresh() {
    const found = await call("/api/staff/factors", null);
    app.account.has_totp = found.has_totp;
    app.account.has_passkey = found.passkeys.length > 0;
    factor.draw(found.recovery_left);
    keys.draw(found.passkeys);
  }
  void factor.trouble.around(refresh);
  return [factor.element, keys.element];
}

/** New recovery codes, shown once. @param {ListenerApp} app */
function codesPanel({ say }) {
  const w = words.codes;
  const list = h("ol", { class: "codes", translate: "no" });
  const copied = h("span", { class: "soft", role: "status" });
  const copy = button(
    w.copy,
    () => {
      navigator.clipboard.writeText([...list.children].map((each) => each.textContent).join("\n")).then(
        () => text(copied, w.copied),
        () => text(copied, w.noCopy),
      );
    },
    { class: "act second" },
  );
  const kept = button(
    w.kept,
    () => {
      list.replaceChildren();
      show(element, false);
    },
    { class: "act" },
  );
  const title = h("h3", { text: w.title, tabindex: "-1" });
  const element = h(
    "div",
    { class: "stack panel", hidden: true },
    title,
    h("p", { text: w.lead }),
    list,
    h("div", { class: "row" }, kept, copy, copied),
  );
  return {
    element,
    /** @param {string[]} codes */
    show(codes) {
      list.replaceChildren(...codes.map((code) => h("li", { class: "code", text: code })));
      text(copied, "");
      show(element, true);
      title.focus();
      say(w.title);
    },
  };
}

/** The second step: an app that shows a code, and recovery codes for when it is lost. */
class SecondStepCard {
  trouble = troubleLine();
  state = h("p", {});
  left = h("p", {});
  begin = button(words.factor.begin, () => void this.trouble.around(() => this.#start()), { class: "act second" });
  renew = button(words.factor.renew, () => void this.trouble.around(() => this.#renew()), { class: "quiet" });
  off = button(words.factor.off, () => void this.trouble.around(() => this.#turnOff()), { class: "quiet danger" });
  picture = h("div", { class: "qr-place" });
  secret = h("output", { class: "code" });
  link = h("a", { class: "quiet", text: words.factor.link });
  code = textInput("one-time-code", { inputmode: "numeric", maxlength: 10 });
  form = this.#form();
  /** How many recovery codes are left. */
  recoveryLeft = 0;

  /** @param {ListenerApp} app @param {ReturnType<typeof codesPanel>} codes @param {() => Promise<void>} refresh */
  constructor({ account, say }, codes, refresh) {
    this.account = account;
    this.codes = codes;
    this.refresh = refresh;
    this.done = doneLine(say);
    this.element = card(
      words.factor.title,
      h("p", { class: "soft", text: words.factor.lead }),
      this.state,
      this.left,
      h("div", { class: "row" }, this.begin, this.renew, this.off),
      this.form,
      this.trouble.element,
      this.done.element,
      codes.element,
    );
    this.draw();
  }

  /** @param {number} [recoveryLeft] */
  draw(recoveryLeft = this.recoveryLeft) {
    const w = words.factor;
    this.recoveryLeft = recoveryLeft;
    const isOn = this.account.has_totp;
    text(this.state, isOn ? w.isOn : w.isOff);
    text(this.left, isOn ? w.left(recoveryLeft) : "");
    text(this.begin, isOn ? w.replace : w.begin);
    for (const each of [this.off, this.renew, this.left]) show(each, isOn);
    show(this.begin, true);
    show(this.form, false);
    this.code.value = "";
    text(this.secret, "");
    delete this.secret.dataset["secret"];
    this.link.removeAttribute("href");
    this.picture.replaceChildren();
  }

  /** The secret to scan, and the first code of the app that has it. */
  #form() {
    const w = words.factor;
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.trouble.around(() => this.#turnOn());
    };
    return h(
      "form",
      { class: "stack", novalidate: true, hidden: true, on: { submit } },
      h("p", { text: w.scan }),
      this.picture,
      h("p", { class: "soft" }, w.secret, " ", this.secret),
      h("p", {}, this.link),
      field(w.code, this.code),
      h(
        "div",
        { class: "row" },
        h("button", { type: "submit", class: "act", text: w.on }),
        button(w.cancel, () => this.draw(), { class: "quiet" }),
      ),
    );
  }

  async #start() {
    const { secret } = this;
    this.done.say("");
    const factor = await call("/api/staff/totp", {});
    text(secret, factor.secret.match(/.{1,4}/g)?.join(" ") ?? factor.secret);
    secret.dataset["secret"] = factor.secret;
    this.link.setAttribute("href", factor.uri);
    this.picture.replaceChildren(qrCode(factor.qr));
    for (const each of [this.begin, this.off, this.renew]) show(each, false);
    show(this.form, true);
    this.code.focus();
  }

  async #turnOn() {
    const { account, code } = this;
    const w = words.factor;
    const secret = this.secret.dataset["secret"] ?? "";
    const codes = await this.#codesFrom(
      (proof) => call("/api/staff/totp/on", { secret, code: code.value, proof }),
      account.has_totp ? w.replaceLead : w.onLead,
    );
    if (codes === null) return;
    await this.refresh();
    this.done.say(w.onDone);
    this.codes.show(codes);
  }

  async #renew() {
    const codes = await this.#codesFrom((proof) => call("/api/staff/recovery", proof), words.factor.renewLead);
    if (codes === null) return;
    await this.refresh();
    this.codes.show(codes);
  }

  async #turnOff() {
    const w = words.factor;
    if (!(await reauthenticate(this.account, (proof) => call("/api/staff/totp/off", proof), w.offLead))) return;
    await this.refresh();
    this.done.say(w.offDone);
  }

  /**
   * New recovery codes, or null where the person thought better of it.
   * @param {(proof: any) => Promise<{codes: string[]}>} act  given a proof that it is them @param {string} lead
   */
  async #codesFrom(act, lead) {
    /** @type {string[]} */
    let codes = [];
    const make = async (/** @type {any} */ proof) => {
      codes = (await act(proof)).codes;
    };
    return (await reauthenticate(this.account, make, lead)) ? codes : null;
  }
}

class PasskeysCard {
  trouble = troubleLine();
  list = h("ul", { class: "people team" });
  none = h("p", { text: words.passkeys.none });
  name = textInput("off", { maxlength: 40, autocapitalize: "words" });

  /** @param {ListenerApp} app @param {() => Promise<void>} refresh */
  constructor({ account, say }, refresh) {
    const w = words.passkeys;
    this.account = account;
    this.refresh = refresh;
    this.done = doneLine(say);
    const form = h(
      "form",
      { class: "stack", novalidate: true, on: { submit: (/** @type {Event} */ event) => this.#submit(event) } },
      field(w.name, this.name, w.nameLead),
      h("div", { class: "row" }, h("button", { type: "submit", class: "act second", text: w.add })),
    );
    const nowhere = h("p", { class: "soft", text: w.nowhere });
    show(form, hasPasskeys());
    show(nowhere, !hasPasskeys());
    this.element = card(
      w.title,
      h("p", { class: "soft", text: w.lead }),
      this.none,
      this.list,
      form,
      nowhere,
      this.trouble.element,
      this.done.element,
    );
  }

  /** @param {Passkey[]} keys */
  draw(keys) {
    show(this.none, keys.length === 0);
    keyed(
      this.list,
      keys,
      (key) => `${key.id} ${key.used_at ?? ""}`,
      (key) => this.#row(key),
    );
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const { name, trouble, done } = this;
    done.say("");
    const called = name.value.trim();
    if (called === "") {
      name.focus();
      return trouble.say(words.passkeys.nameMissing);
    }
    void trouble.around(() => this.#add(called));
  }

  /** @param {string} called */
  async #add(called) {
    const w = words.passkeys;
    // The proof first: the device's question lasts five minutes, and a second one would be asked over the dialog.
    const isDone = await reauthenticate(
      this.account,
      async (proof) => {
        const { options } = await call("/api/staff/passkeys/begin", {});
        await call("/api/staff/passkeys", { name: called, made: await makePasskey(options), proof });
      },
      w.addLead,
    );
    if (!isDone) return;
    this.name.value = "";
    await this.refresh();
    this.done.say(w.added);
  }

  /** @param {string} id */
  async #remove(id) {
    const w = words.passkeys;
    const isDone = await reauthenticate(
      this.account,
      (proof) => call("/api/staff/passkeys/remove", { id, proof }),
      w.removeProof,
    );
    if (!isDone) throw new Refused({ code: "confirmation_required", message: "", temporary: false });
    await this.refresh();
    this.done.say(w.removed);
  }

  /** @param {Passkey} key */
  #row(key) {
    const w = words.passkeys;
    const removing = twoTouches({
      ask: w.remove,
      lead: w.removeLead(key.name),
      yes: w.removeYes,
      no: w.cancel,
      danger: true,
      act: () => this.#remove(key.id),
    });
    removing.first.setAttribute("aria-label", `${w.remove}: ${key.name}`);
    const used = () => (key.used_at === undefined ? w.unused : w.used(moment(key.used_at)));
    const besides = daily(h("span", { class: "soft small" }), (said) =>
      text(said, key.here ? used() : `${used()} ${w.elsewhere}`),
    );
    return {
      element: h(
        "li",
        {},
        h("span", { text: key.name }),
        besides,
        h("div", { class: "row" }, removing.first),
        removing.panel,
      ),
      update() {},
    };
  }
}

/** Sign-ins and browsers elsewhere. @param {ListenerApp} app */
export function elsewhereCard({ say }) {
  const w = words.elsewhere;
  const done = doneLine(say);
  const out = twoTouches({
    ask: w.out,
    lead: w.lead,
    yes: w.yes,
    no: w.cancel,
    act: async () => {
      await call("/api/staff/sign-out/elsewhere", {});
      done.say(w.done);
    },
  });
  return card(w.title, h("div", { class: "row" }, out.first), out.panel, done.element);
}
