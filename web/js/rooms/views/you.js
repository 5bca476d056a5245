/** One's own corner: the name, the come-back code, the people one hides, one's data, and the look of the page. Fetched when opened. */

/** @import {Context, Person, View} from "../../types.js" */

import { EXPORT_PATH, forgetMe, makeCode, rename, restore } from "../identity.js";
import { fetched } from "../../lib/api.js";
import { button, h, keyed, show, text } from "../../lib/dom.js";
import { avatar } from "../../lib/avatar.js";
import { words as acts } from "../../locales/en-tools.js";
import { words as w } from "../../locales/en-you.js";
import { goneView } from "./gone.js";
import { personLine } from "../../shell/person-line.js";
import { troubleLine } from "../../shell/trouble-line.js";
import { twice } from "./twice.js";

/** @param {Context} context @returns {View} */
export function youView(context) {
  const cards = [
    nameCard(context),
    codeCard(context),
    restoreCard(context),
    hiddenCard(context),
    dataCard(),
    lookCard(),
    forgetCard(context),
    eraseCard(context),
  ];
  return {
    element: h(
      "div",
      { class: "you" },
      button(w.back, context.back, { class: "quiet back" }),
      h("h1", { text: w.title }),
      ...cards.map((c) => c.element),
    ),
    update: (state) => {
      for (const c of cards) c.update?.(state);
    },
  };
}

/** @param {string} title @param {...(Node | string | null | false)} children */
export function card(title, ...children) {
  return h("section", { class: "card", "aria-label": title }, h("h2", { text: title }), ...children);
}

/** @param {Context} context @returns {View} */
function nameCard({ session, say }) {
  const trouble = troubleLine();
  const done = h("p", { class: "done", hidden: true });
  const face = h("span", { class: "face" });
  const input = h("input", { id: "name", type: "text", autocomplete: "off", spellcheck: "false", maxlength: 64 });
  const form = h(
    "form",
    { class: "row" },
    face,
    h("div", { class: "field" }, h("label", { for: "name", text: w.nameLabel }), input),
    h("button", { type: "submit", class: "act", text: w.nameSave }),
  );
  let known = "";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show(done, false);
    void trouble.around(async () => {
      const name = await rename(session, input.value);
      input.value = name;
      text(done, w.nameDone(name));
      show(done, true);
      say(w.nameDone(name));
    });
  });
  return {
    element: card(w.nameTitle, h("p", { class: "soft", text: w.nameLead }), form, trouble.element, done),
    update({ me }) {
      if (me === null) return;
      if (known === me.name) return;
      face.replaceChildren(avatar(me.name));
      if (input.value === known) input.value = me.name;
      known = me.name;
    },
  };
}

/** @param {Context} context @returns {View} */
function codeCard(context) {
  const { session, say } = context;
  const others = button(
    w.others,
    () =>
      void trouble.around(async () =>
        (await fetched(() => import("./others.js"), "rooms/views/others.js")).ask(context, others),
      ),
    { class: "quiet" },
  );
  const trouble = troubleLine();
  const has = h("p", { class: "soft", text: w.codeHas });
  const make = button(w.codeMake, () => void trouble.around(reveal), { class: "act second" });
  const code = h("output", { class: "code", translate: "no" });
  const copied = h("span", { class: "soft" });
  const copy = button(w.codeCopy, () => void copyCode(), { class: "act second" });
  const away = button(w.codeHide, hide, { class: "quiet" });
  const shown = h(
    "div",
    { class: "shown", hidden: true },
    h("p", {}, code),
    h("p", { text: w.codeShown }),
    h("div", { class: "row" }, copy, away, copied),
  );

  async function reveal() {
    text(code, await makeCode(session));
    text(copied, "");
    show(shown, true);
    show(make, false);
    copy.focus();
    say(w.codeShown);
  }
  async function copyCode() {
    try {
      await navigator.clipboard.writeText(code.textContent ?? "");
      text(copied, w.codeCopied);
    } catch {
      text(copied, w.codeNoCopy);
    }
    say(copied.textContent ?? "");
  }
  function hide() {
    text(code, "");
    show(shown, false);
    show(make, true);
    make.focus();
  }
  return {
    element: card(w.codeTitle, h("p", { class: "soft", text: w.codeLead }), has, make, shown, others, trouble.element),
    update({ hasCode }) {
      show(has, hasCode && shown.hidden);
      text(make, hasCode ? w.codeRemake : w.codeMake);
    },
  };
}

/** @param {Context} context @returns {View} */
function restoreCard({ session, say }) {
  const trouble = troubleLine();
  const who = h("b");
  const input = h("input", {
    id: "restore",
    type: "text",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    maxlength: 200,
  });
  const done = h("p", { class: "done", hidden: true });
  const form = h(
    "form",
    { class: "row" },
    h("div", { class: "field" }, h("label", { for: "restore", text: w.restoreLabel }), input),
    h("button", { type: "submit", class: "act second", text: w.restoreDo }),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show(done, false);
    if (session.state.pending.length > 0) return trouble.say(w.restoreWait);
    void trouble.around(async () => {
      const name = await restore(session, input.value);
      input.value = "";
      text(done, w.restoreDone(name));
      show(done, true);
      say(w.restoreDone(name));
    });
  });
  return {
    element: card(w.restoreTitle, h("p", { class: "soft" }, w.restoreLead, " ", who, "."), form, trouble.element, done),
    update({ me }) {
      text(who, me?.name ?? "");
    },
  };
}

/** @param {Context} context @returns {View} */
function hiddenCard({ session }) {
  const trouble = troubleLine();
  const none = h("p", { class: "soft", text: w.hiddenNone });
  const list = h("ul", { class: "people" });
  const element = card(w.hiddenTitle, none, list, trouble.element);
  /** @param {Person} person */
  const row = (person) => {
    const undo = button(
      acts.unhide(person.name),
      () =>
        void trouble.around(async () => {
          await session.mute(person.id, false);
          element.querySelector("h2")?.focus();
        }),
      { class: "quiet" },
    );
    return { element: h("li", {}, personLine(person), undo), update() {} };
  };
  element.querySelector("h2")?.setAttribute("tabindex", "-1");
  return {
    element,
    update({ muted }) {
      show(none, muted.length === 0);
      keyed(
        list,
        muted.map(({ id, name }) => ({ id, name: name || w.hiddenSomebody })),
        (p) => p.id,
        row,
      );
    },
  };
}

/** @returns {View} */
function dataCard() {
  return {
    element: card(
      w.dataTitle,
      h("p", { class: "soft", text: w.dataLead }),
      h("p", {}, h("a", { class: "act second", href: EXPORT_PATH, download: "my-data.json", text: w.dataGet })),
    ),
  };
}

/** @param {Context} context @returns {View} */
function forgetCard({ session, go }) {
  const lead = h("p", { class: "soft" });
  const asked = twice({
    ask: w.forgetDo,
    yes: w.forgetYes,
    no: w.keep,
    act: async () => {
      await forgetMe(session);
      go({ name: "gone", how: "forgotten", view: goneView });
    },
  });
  return {
    element: card(w.forgetTitle, lead, ...asked),
    update({ hasCode }) {
      text(lead, hasCode ? w.forgetLead : w.forgetLeadNoCode);
    },
  };
}

/** What is said before somebody decides is fetched when they ask for it. @param {Context} context @returns {View} */
function eraseCard(context) {
  const trouble = troubleLine();
  const place = h("div");
  const ask = button(
    w.eraseDo,
    () =>
      void trouble.around(async () =>
        (await fetched(() => import("./erase.js"), "rooms/views/erase.js")).eraseForm(context, place, ask),
      ),
    { class: "act danger" },
  );
  return {
    element: card(w.eraseTitle, h("p", { class: "soft", text: w.eraseLead }), ask, place, trouble.element),
  };
}

/** @returns {View} */
function lookCard() {
  const page = document.documentElement;
  return {
    element: card(
      w.lookTitle,
      choice("theme", w.theme, w.themes, page.getAttribute("data-theme") ?? "auto"),
      choice("size", w.size, w.sizes, page.getAttribute("data-size") ?? "normal"),
      h("h3", { text: w.exitTitle }),
      h("p", { class: "soft", text: w.exitLead }),
    ),
  };
}

/** @param {"theme" | "size"} what @param {string} title @param {Record<string, string>} options @param {string} current */
function choice(what, title, options, current) {
  const usual = Object.keys(options)[0];
  const set = (/** @type {string} */ value) => {
    if (value === usual) document.documentElement.removeAttribute(`data-${what}`);
    else document.documentElement.setAttribute(`data-${what}`, value);
    try {
      if (value === usual) localStorage.removeItem(`chat.look.${what}`);
      else localStorage.setItem(`chat.look.${what}`, value);
    } catch {
      // It looks so until the page is closed; there is nowhere to keep it.
    }
  };
  const radios = Object.entries(options).map(([value, label]) =>
    h(
      "label",
      { class: "check" },
      h("input", { type: "radio", name: what, value, checked: value === current, on: { change: () => set(value) } }),
      h("span", { text: label }),
    ),
  );
  return h("fieldset", {}, h("legend", { text: title }), h("div", { class: "row" }, ...radios));
}
