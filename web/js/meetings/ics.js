/**
 * A calendar file (RFC 5545) for meetings, made in the browser. It names nothing but what the person put in
 * (docs/decisions/0222). Pure.
 */

const LINE_BYTES = 75;
const ALARM = "-PT10M";

/** A moment as calendars write it, in UTC. @param {number} at  ms */
const stamp = (at) => new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, "");

/** Text in a value (section 3.3.11). @param {string} text */
const escaped = (text) => text.replace(/[\\;,]/g, "\\$&").replace(/\r\n?|\n/g, "\\n");

/** A line of at most 75 bytes, continued after a space (section 3.1). @param {string} line */
function folded(line) {
  const bytes = new TextEncoder();
  const lines = [""];
  let length = 0;
  for (const point of line) {
    const more = bytes.encode(point).length;
    if (length + more > LINE_BYTES) {
      lines.push("");
      // The space that begins the next line counts.
      length = 1;
    }
    lines[lines.length - 1] += point;
    length += more;
  }
  return lines.join("\r\n ");
}

/**
 * @param {object} what
 * @param {readonly number[]} what.dates  beginnings, ms
 * @param {number} what.minutes
 * @param {string} what.title
 * @param {string} [what.address]  of the page, only if the person wants it there
 * @param {number} what.now
 * @param {() => string} what.newId  a new id for each date
 */
export function calendarFile({ dates, minutes, title, address, now, newId }) {
  const events = dates.flatMap((at) => [
    "BEGIN:VEVENT",
    `UID:${newId()}`,
    `DTSTAMP:${stamp(now)}`,
    `DTSTART:${stamp(at)}`,
    `DTEND:${stamp(at + minutes * 60_000)}`,
    `SUMMARY:${escaped(title)}`,
    ...(address === undefined ? [] : [`URL:${address}`]),
    "CLASS:PRIVATE",
    "BEGIN:VALARM",
    "ACTION:DISPLAY",
    `DESCRIPTION:${escaped(title)}`,
    `TRIGGER:${ALARM}`,
    "END:VALARM",
    "END:VEVENT",
  ]);
  const lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Calendar//EN", ...events, "END:VCALENDAR"];
  return lines.map((line) => `${folded(line)}\r\n`).join("");
}
