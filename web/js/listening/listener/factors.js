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
  const keys = passkeysCard(app);
  const factor = factorCard(app, codes, refresh);
  async function refresh() {
    const found = await call("/api/staff/factors", null);
    app.account.has_totp = found.has_totp;
    app.account.has_passkey = found.passkeys.length > 0;
    factor.draw(found.recovery_left);
    keys.draw(found.passkeys);
  }
  keys.refresh = refresh;
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

/** @param {ListenerApp} app @param {ReturnType<typeof codesPanel>} codes @param {() => Promise<void>} refresh */
function factorCard({ account, say }, codes, refresh) {
  const w = words.factor;
  const trouble = troubleLine();
  const done = doneLine(say);
  const state = h("p", {});
  const left = h("p", {});
  const begin = button(w.begin, () => void trouble.around(start), { class: "act second" });
  const renew = button(
    w.renew,
    () =>
      void trouble.around(async () => {
        /** @type {string[]} */
        let made = [];
        const isDone = await reauthenticate(
          account,
          async (proof) => {
            made = (await call("/api/staff/recovery", proof)).codes;
          },
          w.renewLead,
        );
        if (!isDone) return;
        await refresh();
        codes.show(made);
      }),
    { class: "quiet" },
  );
  const off = button(
    w.off,
    () =>
      void trouble.around(async () => {
        if (!(await reauthenticate(account, (proof) => call("/api/staff/totp/off", proof), w.offLead))) return;
        await refresh();
        done.say(w.offDone);
      }),
    { class: "quiet danger" },
  );
  const picture = h("div", { class: "qr-place" });
  const secret = h("output", { class: "code" });
  const link = h("a", { class: "quiet", text: w.link });
  const code = textInput("one-time-code", { inputmode: "numeric", maxlength: 10 });
  const made = h(
    "form",
    { class: "stack", novalidate: true, hidden: true },
    h("p", { text: w.scan }),
    picture,
    h("p", { class: "soft" }, w.secret, " ", secret),
    h("p", {}, link),
    field(w.code, code),
    h(
      "div",
      { class: "row" },
      h("button", { type: "submit", class: "act", text: w.on }),
      button(w.cancel, () => draw(), { class: "quiet" }),
    ),
  );
  let held = 0;

  async function start() {
    done.say("");
    const factor = await call("/api/staff/totp", {});
    text(secret, factor.secret.match(/.{1,4}/g)?.join(" ") ?? factor.secret);
    secret.dataset["secret"] = factor.secret;
    link.setAttribute("href", factor.uri);
    picture.replaceChildren(qrCode(factor.qr));
    for (const each of [begin, off, renew]) show(each, false);
    show(made, true);
    code.focus();
  }
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    void trouble.around(async () => {
      /** @type {string[]} */
      let fresh = [];
      const isDone = await reauthenticate(
        account,
        async (proof) => {
          fresh = (
            await call("/api/staff/totp/on", { secret: secret.dataset["secret"] ?? "", code: code.value, proof })
          ).codes;
        },
        account.has_totp ? w.replaceLead : w.onLead,
      );
      if (!isDone) return;
      await refresh();
      done.say(w.onDone);
      codes.show(fresh);
    });
  });

  /** @param {number} [recoveryLeft] */
  function draw(recoveryLeft = held) {
    held = recoveryLeft;
    const isOn = account.has_totp;
    text(state, isOn ? w.isOn : w.isOff);
    text(left, isOn ? w.left(held) : "");
    text(begin, isOn ? w.replace : w.begin);
    for (const each of [off, renew, left]) show(each, isOn);
    show(begin, true);
    show(made, false);
    code.value = "";
    text(secret, "");
    delete secret.dataset["secret"];
    link.removeAttribute("href");
    picture.replaceChildren();
  }
  draw();
  return {
    trouble,
    draw,
    element: card(
      w.title,
      h("p", { class: "soft", text: w.lead }),
      state,
      left,
      h("div", { class: "row" }, begin, renew, off),
      made,
      trouble.element,
      done.element,
      codes.element,
    ),
  };
}

/** @param {ListenerApp} app */
function passkeysCard(app) {
  const { account, say } = app;
  const w = words.passkeys;
  const trouble = troubleLine();
  const done = doneLine(say);
  const list = h("ul", { class: "people team" });
  const none = h("p", { text: w.none });
  const name = textInput("off", { maxlength: 40, autocapitalize: "words" });
  const form = h(
    "form",
    { class: "stack", novalidate: true },
    field(w.name, name, w.nameLead),
    h("div", { class: "row" }, h("button", { type: "submit", class: "act second", text: w.add })),
  );
  const nowhere = h("p", { class: "soft", text: w.nowhere });
  show(form, hasPasskeys());
  show(nowhere, !hasPasskeys());
  const part = {
    element: card(
      w.title,
      h("p", { class: "soft", text: w.lead }),
      none,
      list,
      form,
      nowhere,
      trouble.element,
      done.element,
    ),
    refresh: () => Promise.resolve(),
    /** @param {Passkey[]} keys */
    draw(keys) {
      show(none, keys.length === 0);
      keyed(list, keys, (key) => `${key.id} ${key.used_at ?? ""}`, row);
    },
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    done.say("");
    const called = name.value.trim();
    if (called === "") {
      name.focus();
      return trouble.say(w.nameMissing);
    }
    void trouble.around(async () => {
      // The proof first: the device's question lasts five minutes, and a second one would be asked over the dialog.
      const isDone = await reauthenticate(
        account,
        async (proof) => {
          const { options } = await call("/api/staff/passkeys/begin", {});
          await call("/api/staff/passkeys", { name: called, made: await makePasskey(options), proof });
        },
        w.addLead,
      );
      if (!isDone) return;
      name.value = "";
      await part.refresh();
      done.say(w.added);
    });
  });

  /** @param {Passkey} key */
  function row(key) {
    const removing = twoTouches({
      ask: w.remove,
      lead: w.removeLead(key.name),
      yes: w.removeYes,
      no: w.cancel,
      danger: true,
      act: async () => {
        const isDone = await reauthenticate(
          account,
          (proof) => call("/api/staff/passkeys/remove", { id: key.id, proof }),
          w.removeProof,
        );
        if (!isDone) throw new Refused({ code: "confirmation_required", message: "", temporary: false });
        await part.refresh();
        done.say(w.removed);
      },
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
  return part;
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
