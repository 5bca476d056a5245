/**
 * Links by which somebody becomes staff, or gets their account back: `#invite=` or `#reset=` and a secret. Pure, but for
 * the last part, which keeps one through a reload of this tab.
 */

/** @typedef {{kind: "invite" | "reset", secret: string}} Link  the secret is empty where the link is not whole */

const KEPT = "chat.link";

/**
 * The link in an address, whatever a mail program has put behind it, or made of its signs: the secret is the 43 signs
 * of base64url after the word. @param {string} hash @param {string} [query] @returns {Link | null}
 */
export function linkIn(hash, query = "") {
  const text = `${hash} ${query}`;
  const found = /(?:^|[#?&\s]|%23|%3F|%26)(invite|reset)(?:=|%3D)+([A-Za-z0-9_-]*)/i.exec(text);
  if (found === null) return null;
  const kind = found[1]?.toLowerCase() === "reset" ? "reset" : "invite";
  const signs = found[2] ?? "";
  return { kind, secret: signs.length >= 43 ? signs.slice(0, 43) : "" };
}

/** @param {Storage | null} storage @param {Link | null} link  null: it is used, or not wanted */
export function keepLink(storage, link) {
  try {
    if (link === null) storage?.removeItem(KEPT);
    else storage?.setItem(KEPT, `#${link.kind}=${link.secret}`);
  } catch {
    // Then it is gone when the page is loaded again.
  }
}

/** @param {Storage | null} storage @returns {Link | null} */
export function keptLink(storage) {
  try {
    return linkIn(storage?.getItem(KEPT) ?? "");
  } catch {
    return null;
  }
}
