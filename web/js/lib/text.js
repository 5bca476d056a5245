/** Text as the server will keep it, so that the page can recognise its own posts and count what fits. */

/**
 * A post's text as the server cleans it: line breaks made one kind, control characters out, no space around it.
 * @param {string} text
 */
export function cleanText(text) {
  let kept = "";
  for (const c of text.replace(/\r\n?/g, "\n")) {
    if (c === "\n" || c === "\t" || (c >= " " && !(c >= "\x7f" && c <= "\x9f"))) kept += c;
  }
  return kept.trim();
}

/**
 * How long the server says a text is: code points, not UTF-16 units.
 * @param {string} text
 */
export function lengthOf(text) {
  let n = 0;
  for (const _ of text) n += 1;
  return n;
}

/**
 * The beginning of a text, on one line, for a quote.
 * @param {string} text
 * @param {number} [limit]  in code points
 */
export function excerpt(text, limit = 90) {
  const line = text.replace(/\s+/g, " ").trim();
  const points = [...line];
  return points.length <= limit ? line : points.slice(0, limit - 1).join("").trimEnd() + "…";
}

/**
 * A new command id: 128 random bits. `crypto.randomUUID` is missing where a page is served without TLS.
 * @param {Crypto} [source]
 */
export function newId(source = crypto) {
  const bytes = source.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
