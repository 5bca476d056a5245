/**
 * The way to the card, fetched when somebody opens it or keeps words on it. All that the card needs comes with it, so that it
 * works from then on without a connection. Nothing in this folder sends anything (docs/decisions/0240).
 */

/** @import {Context, Screen} from "../types.js" */
/** @import {Session} from "../rooms/session.js" */

import { h } from "../lib/dom.js";
import { newId } from "../lib/text.js";
import { keeping as w } from "../locales/en-card.js";
import { linesHere } from "./lines.js";
import { fresh, withKept } from "./model.js";
import { unlockForm } from "./passphrase.js";
import { CardStore } from "./store.js";
import { CardView } from "./view.js";

const STYLE = "/css/card.css";

/** One for each session, as long as the page lives. @type {WeakMap<Session, CardStore>} */
const stores = new WeakMap();

/** @param {Session} session @returns {CardStore} */
function storeOf(session) {
  const held = stores.get(session);
  if (held !== undefined) return held;
  const { vault } = session;
  const lines = linesHere();
  const store = new CardStore(vault, () => fresh(lines));
  // Without a key, everything was wiped.
  window.addEventListener("storage", ({ key }) => (key === null || vault.isCard(key)) && void store.heard(vault.card));
  window.addEventListener("beforeunload", (event) => store.isHolding && event.preventDefault());
  session.subscribe(() => vault.isWiped && store.forget());
  stores.set(session, store);
  return store;
}

/** Its style, once. */
function dress() {
  if (document.querySelector(`link[href="${STYLE}"]`) !== null) return Promise.resolve();
  return new Promise((done) => {
    const link = h("link", { rel: "stylesheet", href: STYLE, on: { load: () => done(null), error: () => done(null) } });
    document.head.append(link);
  });
}

/** @param {Context} context @param {Screen} from  where one comes from, and goes back to @param {string} place  that, for a reload */
export async function openCard(context, from, place) {
  await dress();
  const store = storeOf(context.session);
  const back = () => (from.name === "lobby" ? context.back() : context.go(from));
  context.go({ name: "card", place, view: () => new CardView(context, store, back) });
}

/**
 * Put a copy of somebody's words on the card. A locked one is opened first.
 * @param {Context} context @param {string} text
 * @param {(asked: HTMLElement) => void} ask  shows what is asked for in between @param {() => void} done
 */
export async function keepWords({ session, say }, text, ask, done) {
  const store = storeOf(session);
  const keep = async () => {
    await store.change(withKept(store.card, text, newId()));
    say(store.trouble === "" ? w.kept : store.trouble === "full" ? w.full : w.refused);
    done();
  };
  if (!store.isClosed) return keep();
  ask(
    h(
      "div",
      {},
      h("p", { text: w.closed }),
      unlockForm(store, say, () => void keep()),
    ),
  );
}
