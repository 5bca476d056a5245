/** What a report holds once it was opened: what was written, what is known of it, and the moderators' notes. */

/** @import {Post} from "../types.js" */
/** @import {Earlier, ModeratorApp, ReportFile} from "./types.js" */

import { avatar } from "../lib/avatar.js";
import { daily } from "../lib/daily.js";
import { h, text } from "../lib/dom.js";
import { clock, iso } from "../lib/time.js";
import { words } from "../locales/en-moderate.js";
import { field } from "../shell/fields.js";
import { foldIfLong } from "../shell/fold.js";
import { measureRow, moment, trouble } from "./parts.js";

const w = words.file;

/** @param {ModeratorApp} app @param {ReportFile} file @returns {HTMLElement[]} */
export function contents(app, file) {
  const { list, form } = notesOf(app, file);
  const erased = [
    ...new Set([...file.posts, ...file.earlier].map((each) => each.author).filter((id) => id.startsWith("e_"))),
  ];
  return [
    h("h2", { text: file.report.level === undefined ? w.note : w.fired }),
    ...(file.report.level === undefined ? [] : [h("p", { class: "soft", text: w.firedLead })]),
    ...(file.report.level === undefined
      ? [file.note === "" ? h("p", { class: "soft", text: w.noNote }) : long(file.note)]
      : fired(file.note)),
    h("h2", { text: w.posts }),
    file.posts.length === 0
      ? h("p", { class: "soft", text: w.noPosts })
      : h(
          "ol",
          { class: "snapshot", tabindex: 0, role: "list", "aria-label": w.posts },
          ...file.posts.map((post) =>
            postRow(
              post,
              post.offset === file.report.offset,
              file.earlier.filter((each) => each.offset === post.offset),
              erased,
            ),
          ),
        ),
    ...(file.network
      ? [
          h("h2", { text: w.network }),
          h("p", { class: "soft", text: w.sharedBy(file.network.others) }),
          ...(file.network.newcomer ? [h("p", { text: w.nearMeasure })] : []),
        ]
      : []),
    h("h2", { text: w.notes }),
    list,
    form,
    ...(file.measures.length === 0
      ? []
      : [
          h("h2", { text: w.before }),
          h("ul", { class: "decisions" }, ...file.measures.map((measure) => measureRow(app, measure, false).element)),
        ]),
  ];
}

/** The moderators' notes, and a form to add one. @param {ModeratorApp} app @param {ReportFile} file */
function notesOf(app, file) {
  const line = trouble();
  const list = h(
    "ul",
    { class: "notes" },
    ...file.notes.map((note) =>
      h(
        "li",
        {},
        long(note.note),
        daily(h("span", { class: "soft small" }), (said) => text(said, `${note.by.name}, ${moment(note.at)}`)),
      ),
    ),
  );
  const text_ = h("textarea", { rows: 2, maxlength: 2000, required: true });
  const form = h(
    "form",
    { class: "stack", novalidate: true },
    field(w.addNote, text_),
    line.element,
    h("div", { class: "row" }, h("button", { type: "submit", class: "act second", text: w.saveNote })),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void line.around(async () => {
      await app.ask("note", { report: file.report.id, note: text_.value });
      list.append(h("li", {}, h("p", { text: text_.value }), h("span", { class: "soft small", text: app.me.name })));
      text_.value = "";
      app.say(w.noted);
    });
  });
  return { list, form };
}

/** What may be long, and made to cover what stands around it. @param {string} said */
function long(said) {
  const text_ = h("p", { class: "text", text: said });
  const element = h("div", {}, text_);
  foldIfLong(text_);
  return element;
}

/** What stands in the place of a list's line where the model marked the words. */
const MODEL = "[model]";
/** The same, where several of somebody's posts did together. */
const SEVERAL = `${MODEL} several`;

/** The words that fired, and the line of the list. @param {string} note */
function fired(note) {
  const [said = "", phrase = ""] = note.split("\n");
  if (said === "") return [h("p", { class: "soft", text: w.erased })];
  return [
    h("p", {}, h("b", { text: `“${said}”` })),
    phrase.startsWith(MODEL)
      ? h("p", { class: "soft small", text: phrase === SEVERAL ? w.several : w.model })
      : h("details", {}, h("summary", { class: "small", text: w.line }), h("p", { class: "soft small", text: phrase })),
  ];
}

/** @param {Post} post @param {boolean} isIt @param {Earlier[]} earlier @param {string[]} erased */
function postRow(post, isIt, earlier, erased) {
  const isGone = post.redacted === true;
  const number = erased.indexOf(post.author) + 1;
  const last = earlier.at(-1);
  const now = isGone ? (last === undefined ? w.redacted : (w.gone[last.ended] ?? w.redacted)) : post.text;
  const said = h("p", { class: isGone ? "text soft" : "text", text: now });
  const element = h(
    "li",
    { class: isIt ? "post it" : "post" },
    avatar(post.author),
    h(
      "div",
      { class: "body" },
      h(
        "div",
        { class: "head" },
        h("b", { text: isGone && last !== undefined ? last.name : post.name }),
        number > 0 && h("span", { class: "soft", text: w.erasedPerson(number) }),
        h("time", { class: "soft", datetime: iso(post.at), text: clock(post.at) }),
        isIt && h("span", { class: "mark", text: w.reported }),
      ),
      ...earlier.map((version, n) =>
        h(
          "div",
          { class: "earlier" },
          h(
            "span",
            { class: "soft small" },
            `${n === 0 ? w.first : w.changed}, `,
            h("time", { datetime: iso(version.at), text: clock(version.at) }),
          ),
          version.warning !== undefined && h("p", { class: "soft small", text: w.warned(version.warning) }),
          long(version.text),
        ),
      ),
      earlier.length > 0 && !isGone && h("span", { class: "soft small", text: w.asReported }),
      said,
    ),
  );
  foldIfLong(said);
  return element;
}
