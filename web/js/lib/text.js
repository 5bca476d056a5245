/** Text as it is compared, sent and counted. */

/** A text without all that the server may clean away. @param {string} text */
export const bare = (text) => text.replace(/[\p{C}\p{M}\p{Z}\p{DI}\u2800]/gu, "");

/** A text in which no half of a character stands: no server takes one. @param {string} text */
export const wellFormed = (text) => text.replace(/\p{Cs}/gu, "\ufffd");

/** As it goes to the server, well-formed in every field. @param {unknown} value */
export const json = (value) => JSON.stringify(value, (_, v) => (typeof v === "string" ? wellFormed(v) : v));

/** How long the server says a text is: code points, not UTF-16 units. @param {string} text */
export const lengthOf = (text) => [...text].length;

/** The beginning of a text, on one line. @param {string} text @param {number} [limit]  in code points */
export function excerpt(text, limit = 90) {
  const line = text.replace(/\s+/g, " ").trim();
  const points = [...line];
  return points.length <= limit
    ? line
    : points
        .slice(0, limit - 1)
        .join("")
        .trimEnd() + "…";
}

/** 128 random bits: `crypto.randomUUID` is missing without TLS. @param {Crypto} [source] */
export function newId(source = crypto) {
  const bytes = source.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}
