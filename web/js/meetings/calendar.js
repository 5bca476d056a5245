/** Dates for the calendar of one's own device, under a name that tells nobody anything. */

import { button, h, show, text } from "../lib/dom.js";
import { newId } from "../lib/text.js";
import { words } from "../locales/en-meeting.js";
import { calendarFile } from "./ics.js";

const w = words.calendar;

/**
 * A button that opens into a small form.
 * @param {() => {dates: number[], minutes: number}} what  as it is when the file is saved
 */
export function calendarForm(what) {
  const title = h("input", { type: "text", id: "calendar-title", value: w.usual, maxlength: 80, autocomplete: "off" });
  const address = h("input", { type: "checkbox", id: "calendar-address" });
  const note = h("p", { class: "soft", text: w.addressNote, hidden: true });
  const done = h("p", { class: "done", role: "status", text: "" });
  const form = h(
    "form",
    { class: "calendar", hidden: true },
    h("p", { class: "soft", text: w.lead }),
    h("div", { class: "field" }, h("label", { for: "calendar-title", text: w.title }), title),
    h("label", { class: "check", for: "calendar-address" }, address, h("span", { text: w.address })),
    note,
    h("div", { class: "row" }, h("button", { type: "submit", class: "act second", text: w.save })),
    done,
  );
  const toggle = button(w.open, () => turn(form.hidden === true), { class: "quiet", "aria-expanded": "false" });

  /** @param {boolean} isOpen */
  function turn(isOpen) {
    show(form, isOpen);
    show(done, false);
    text(toggle, isOpen ? w.close : w.open);
    toggle.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) title.focus();
  }
  show(done, false);
  address.addEventListener("change", () => show(note, address.checked));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { dates, minutes } = what();
    const name = title.value.trim() || w.usual;
    const more = address.checked ? { address: `${location.origin}/` } : {};
    save(calendarFile({ dates, minutes, title: name, now: Date.now(), newId, ...more }));
    text(done, w.saved);
    show(done, true);
  });
  return h("div", { class: "calendar-place" }, toggle, form);
}

/** @param {string} file */
function save(file) {
  const address = URL.createObjectURL(new Blob([file], { type: "text/calendar" }));
  const link = h("a", { href: address, download: "reminder.ics" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
