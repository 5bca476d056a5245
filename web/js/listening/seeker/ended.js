/** After a conversation: a kind closing, how it was, and whether one would talk with them again. */

/** @import {Context, State, TalkView} from "../../types.js" */
/** @import {StageShared, Stage} from "./asking.js" */

import { button, h, keyed, show, text } from "../../lib/dom.js";
import { ordered } from "../../lib/facts.js";
import { clock } from "../../lib/time.js";
import { commands, partner } from "./commands.js";
import { HEAVY, words } from "../../locales/en-listening.js";
import { troubleLine } from "../../shell/trouble-line.js";
import { choice } from "./intake.js";
import { helplines } from "./parts.js";
import { safety } from "./talk.js";

const w = words.ended;
const dayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });

/** @param {Context} context @param {StageShared} shared @param {TalkView} first @returns {Stage} */
export function endedStage(context, shared, first) {
  const { session, go } = context;
  const { id, room } = first;
  const name = partner(first);
  const how = h("p", { class: "lead" });
  const expires = h("p");
  const draft = session.vault.draft(room)?.text ?? "";
  const read = readAgain(context, room);
  const last = lastWords(room);
  const again = againCard(context, id, name);
  const wrong = wrongCard(context, first, name);

  return {
    element: h(
      "div",
      { class: "narrow ended" },
      h("h1", { text: w.title }),
      last.element,
      how,
      expires,
      draft.trim() !== "" &&
        h("div", { class: "card" }, h("p", { text: w.draft }), h("p", { class: "text", text: draft })),
      read.element,
      feedbackCard(context, first),
      again.element,
      wrong.element,
      h(
        "div",
        { class: "row" },
        button(w.again, () => shared.turn("anew"), { class: "act second" }),
        button(w.rooms, () => go({ name: "lobby" }), { class: "act second" }),
        helplines(w.help),
      ),
    ),
    update(state, { session: talk }) {
      if (talk === undefined) return;
      const said = w.how[talk.ending ?? "other"];
      // Who was blocked is hidden too, in the rooms.
      const isBlocked = talk.hides === true;
      text(how, isBlocked ? w.blockedHow : typeof said === "string" ? said : said(name));
      text(expires, talk.forget_at === undefined ? "" : w.expires(clock(talk.forget_at - state.skew)));
      read.update(state);
      last.update(state, talk, name, isBlocked);
      again.update(talk);
      show(again.element, !isBlocked);
      wrong.update(isBlocked, talk.forget_at === undefined ? "" : clock(talk.forget_at - state.skew));
    },
  };
}

/** A cruel last line can be told of too. @param {Context} context @param {TalkView} talk @param {string} name */
function wrongCard(context, talk, name) {
  const { block, report } = safety(context, () => talk, true);
  const lead = h("p", { class: "soft" });
  const never = button(words.acts.block, () => block.open(), { class: "quiet", "aria-haspopup": "dialog" });
  const done = h("p", { class: "done", role: "status", hidden: true });
  return {
    element: h(
      "section",
      { class: "card" },
      h("h2", { text: w.safety }),
      lead,
      done,
      h(
        "div",
        { class: "row" },
        button(words.acts.report, () => report.open(), { class: "quiet", "aria-haspopup": "dialog" }),
        never,
      ),
      block.element,
      report.element,
    ),
    /** @param {boolean} isBlocked @param {string} until */
    update(isBlocked, until) {
      text(lead, w.safetyLead(until));
      show(done, isBlocked);
      text(done, isBlocked ? w.blocked(name) : "");
      show(never, !isBlocked);
    },
  };
}

/** The last thing that the listener wrote, where they ended it: nobody should have to look for it. @param {string} room */
function lastWords(room) {
  const from = h("figcaption", { class: "soft" });
  const said = h("blockquote", { class: "text" });
  const element = h("figure", { class: "last-words", hidden: true }, said, from);
  return {
    element,
    /** @param {State} state @param {TalkView} talk @param {string} name @param {boolean} isBlocked */
    update(state, talk, name, isBlocked) {
      const at = state.rooms[room];
      const post =
        at === undefined
          ? undefined
          : ordered(at)
              .filter((each) => !each.redacted)
              .at(-1);
      const isTheirs = post !== undefined && post.warning === undefined && at?.me.includes(post.author) === false;
      show(element, isTheirs && talk.ending === "other" && !isBlocked);
      text(said, isTheirs ? post.text : "");
      text(from, isTheirs ? w.lastFrom(name) : "");
    },
  };
}

/** What was written, as long as it is kept. @param {Context} context @param {string} room */
function readAgain({ session }, room) {
  const list = h("ul", { class: "reading" });
  const none = h("p", { class: "soft", text: w.readNone, hidden: true });
  const trouble = troubleLine();
  const element = h("details", { class: "pinned" }, h("summary", { text: w.read }), none, list, trouble.element);
  element.addEventListener("toggle", () => {
    if (!element.open) return;
    void trouble.around(async () => {
      if (session.state.rooms[room] === undefined) await session.enter(room);
      while (session.state.rooms[room]?.more) if ((await session.older(room)) === 0) break;
      update(session.state);
    });
  });

  /** @param {State} state */
  function update(state) {
    const at = state.rooms[room];
    if (at === undefined || !element.open) return;
    const unsent = state.pending.filter((p) => p.room === room && p.offset === null);
    const lines = [
      ...ordered(at)
        .filter((post) => !post.redacted)
        .map((post) => ({
          key: `p${post.offset}`,
          head: `${post.name}, ${clock(post.at - state.skew)}`,
          said: post.text,
        })),
      ...unsent.map((p) => ({ key: p.id, head: w.notSent, said: p.text })),
    ];
    show(none, lines.length === 0 && !at.thin);
    keyed(
      list,
      lines,
      (line) => line.key,
      () => lineRow(),
    );
  }
  return { element, update };
}

function lineRow() {
  const head = h("p", { class: "soft" });
  const said = h("p", { class: "text" });
  return {
    element: h("li", {}, head, said),
    /** @param {{head: string, said: string}} line */
    update(line) {
      text(head, line.head);
      text(said, line.said);
    },
  };
}

/** Each answer is told as it is chosen: there is nothing to send. @param {Context} context @param {TalkView} talk */
function feedbackCard({ session }, { id, heard, heavy_after: heavy }) {
  const trouble = troubleLine();
  const thanks = h("p", { class: "done", hidden: true, role: "status" });
  const form = h(
    "form",
    {},
    choice(
      "heard",
      w.heard,
      w.heards.map((word, i) => /** @type {[string, string]} */ ([String(i), word])),
      heard === undefined ? "" : String(heard),
    ),
    choice(
      "heavy_after",
      w.heavy,
      HEAVY.map((word, i) => /** @type {[string, string]} */ ([String(i + 1), word])),
      heavy === undefined ? "" : String(heavy),
    ),
  );
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => void tell());
  let isDue = false;

  async function tell() {
    isDue = true;
    await trouble.around(async () => {
      while (isDue) {
        isDue = false;
        const data = new FormData(form);
        await commands(session).feedback(id, {
          ...(data.has("heard") && { heard: Number(data.get("heard")) }),
          ...(data.has("heavy_after") && { heavy: Number(data.get("heavy_after")) }),
        });
      }
      text(thanks, w.thanks);
      show(thanks, true);
    });
  }
  return h(
    "section",
    { class: "card" },
    h("h2", { text: w.feedbackTitle }),
    h("p", { class: "soft", text: w.feedbackLead }),
    form,
    thanks,
    trouble.element,
  );
}

/** @param {HTMLElement} phrase @param {HTMLElement} copied  where it is said whether it was */
async function copyWords(phrase, copied) {
  try {
    await navigator.clipboard.writeText(phrase.textContent ?? "");
    text(copied, w.copied);
  } catch {
    text(copied, w.noCopy);
  }
  show(copied, true);
}

/** @param {Context} context @param {string} id @param {string} name */
function againCard({ session, say }, id, name) {
  const trouble = troubleLine();
  const box = h("input", { type: "checkbox" });
  const lead = h("p", { text: w.againLead(name) });
  const both = h("p", { text: w.bothLead(name), hidden: true });
  const make = button(w.wordsMake, () => void trouble.around(show_), { class: "act", hidden: true });
  const phrase = h("code", { class: "code", tabindex: 0, hidden: true, translate: "no" });
  const meaning = h("p", { hidden: true });
  const copied = h("p", { class: "done", role: "status", hidden: true });
  const copy = button(w.copy, () => void copyWords(phrase, copied), { class: "act second", hidden: true });
  const element = h(
    "section",
    { class: "card" },
    h("h2", { text: w.againTitle }),
    lead,
    h("label", { class: "check" }, box, h("span", { text: w.againBox })),
    both,
    make,
    phrase,
    meaning,
    copy,
    copied,
    trouble.element,
  );
  box.addEventListener(
    "change",
    () =>
      void trouble
        .around(() => commands(session).again(id, box.checked))
        .then((isDone) => {
          if (!isDone) box.checked = !box.checked;
        }),
  );

  async function show_() {
    const ok = await commands(session).words(id);
    text(phrase, ok.words);
    text(meaning, w.wordsFor(name, dayFormat.format(ok.expires_at)));
    for (const each of [phrase, meaning, copy]) show(each, true);
    show(make, false);
    show(lead, false);
    phrase.focus();
  }

  let wasBoth = false;
  return {
    element,
    /** @param {TalkView} talk */
    update({ again = false, again_both: isBoth = false }) {
      if (document.activeElement !== box) box.checked = again;
      show(both, isBoth && phrase.hidden);
      show(make, isBoth && phrase.hidden);
      if (isBoth && !wasBoth) say(w.bothLead(name));
      wasBoth = isBoth;
    },
  };
}
