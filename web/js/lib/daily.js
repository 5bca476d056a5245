/** Texts that name a day ("Today, 9:15"), said anew when it is another day, or the clock or its zone was changed. */

const LOOK_MS = 20_000;

/** What is said where, as long as that is kept by the page: the words hold on to what stands around their node. @type {WeakMap<Node, (node: any) => void>} */
const words = new WeakMap();
/** @type {Set<WeakRef<Node>>} */
const said = new Set();
let day = "";

/** What is equal as long as every day is called the same. */
export const today = () => `${new Date().toDateString()} ${new Date().getTimezoneOffset()}`;

/** Say something in an element now, and anew on every other day. @template {Node} T @param {T} node @param {(node: T) => void} say @returns {T} */
export function daily(node, say) {
  if (day === "") {
    day = today();
    setInterval(look, LOOK_MS);
    document.addEventListener("visibilitychange", look);
  }
  say(node);
  words.set(node, say);
  said.add(new WeakRef(node));
  return node;
}

function look() {
  const now = today();
  for (const one of said) {
    const node = one.deref();
    if (node === undefined) said.delete(one);
    else if (now !== day) words.get(node)?.(node);
  }
  day = now;
}
