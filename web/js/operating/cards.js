/** What operators can take along, and what they can try: parts of their page that show no load. */

import { fetched } from "../lib/api.js";
import { button, h } from "../lib/dom.js";
import { words } from "../locales/en-operators.js";

/** What may be taken along, for those who may. */
export function statisticsCard() {
  const w = words.statistics;
  return h(
    "section",
    { class: "card", "aria-labelledby": "statistics-title" },
    h("h2", { id: "statistics-title", text: w.title }),
    h("p", { text: w.lead }),
    h("p", { class: "soft", text: w.here }),
    h(
      "p",
      {},
      h("a", { class: "act second", href: "/api/staff/statistics", download: "statistics.csv", text: w.download }),
    ),
  );
}

/** The flight simulator. Its form is fetched when somebody wants it. @param {(what: string) => void} tell @param {(what: string) => void} sayNow */
export function simulatorCard(tell, sayNow) {
  const w = words.simulator;
  const begin = button(
    w.begin,
    () =>
      void fetched(() => import("./queue-simulator.js"), "operating/queue-simulator.js").then(startSimulator, () =>
        tell(words.link.lost),
      ),
    { class: "act second" },
  );
  const element = h(
    "section",
    { class: "card", "aria-labelledby": "flight-title" },
    h("h2", { id: "flight-title", text: w.title }),
    h("p", { text: w.lead }),
    h("p", {}, begin),
  );

  /** @param {typeof import("./queue-simulator.js")} found */
  function startSimulator({ simulatorView }) {
    const view = simulatorView(sayNow);
    begin.parentElement?.replaceWith(view);
    view.querySelector("input")?.focus();
  }
  return element;
}

/**
 * How much the model marks. It is fetched when somebody wants it.
 * @param {import("./types.js").Acting} acting @param {(what: string) => void} tell
 */
export function screeningCard(acting, tell) {
  const w = words.screening;
  const begin = button(
    w.begin,
    () =>
      void fetched(() => import("./screening.js"), "operating/screening.js").then(
        async ({ screeningView }) => {
          const { element: view, load } = screeningView(acting);
          begin.parentElement?.replaceWith(view);
          title.tabIndex = -1;
          title.focus();
          await load();
        },
        () => tell(words.link.lost),
      ),
    { class: "act second" },
  );
  const title = h("h2", { id: "screening-title", text: w.title });
  return h(
    "section",
    { class: "card", "aria-labelledby": "screening-title" },
    title,
    h("p", { text: w.lead }),
    h("p", {}, begin),
  );
}
