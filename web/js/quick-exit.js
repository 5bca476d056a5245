/**
 * Leaving at once: by the link or by Shift three times. Loaded on its own, so that it works whatever else fails.
 * The page is blanked first, then what the tab stored is wiped, then the harmless page takes its place in the history.
 */

const WITHIN_MS = 1_500;
const PRESSES = 3;

export class ExitKey {
  constructor() {
    /** @type {number[]} when the bare presses so far ended */
    this.presses = [];
    this.isBare = false;
  }

  /** @param {string} key @param {boolean} isRepeat @param {boolean} isWithOthers  Ctrl, Alt or Meta is down too */
  down(key, isRepeat, isWithOthers) {
    if (key === "Shift" && !isWithOthers) {
      if (!isRepeat) this.isBare = true;
    } else this.reset();
  }

  /** Something else happened in between: a click, another key. */
  reset() {
    this.isBare = false;
    this.presses = [];
  }

  /** @param {string} key @param {number} now  ms @returns {boolean} whether it is time to leave */
  up(key, now) {
    if (key !== "Shift" || !this.isBare) return false;
    this.isBare = false;
    this.presses = [...this.presses.filter((at) => now - at <= WITHIN_MS), now];
    return this.presses.length >= PRESSES;
  }
}

const LEFT = "chat.left";
/** Other tabs of this browser hear it by their `storage` event and leave too. */
const BYE = "chat.bye";
const CARD = "chat.v1.card";

/**
 * Whether a card stays: its owner locked it with a passphrase, and chose so (docs/decisions/0240).
 * @param {string | null | undefined} card  as it is stored
 */
export const staysWhenLeaving = (card) => card?.startsWith('{"keep":1,') === true;

/** @param {import("./types.js").Leaving} world @param {{tellOthers: boolean}} how */
export function leave({ document, location, local, session, page }, { tellOthers }) {
  const to = document.querySelector("a[data-exit]")?.getAttribute("href") ?? "about:blank";
  document.documentElement.classList.add("left");
  document.title = "";
  document.body.replaceChildren();
  page.dispatchEvent(new Event("chat:leaving"));
  const card = attempt(() => local?.getItem(CARD));
  attempt(() => local?.clear());
  if (card && staysWhenLeaving(card)) attempt(() => local?.setItem(CARD, card));
  if (tellOthers) {
    attempt(() => local?.setItem(BYE, "1"));
    attempt(() => local?.removeItem(BYE));
  }
  attempt(() => session?.clear());
  // Where Back leads here all the same, boot.js finds this and shows nothing. It names only the harmless page.
  attempt(() => session?.setItem(LEFT, to));
  location.replace(to);
}

/** @param {Window} window */
export function guard(window) {
  const { document } = window;
  const key = new ExitKey();
  /** @param {boolean} tellOthers */
  const go = (tellOthers) =>
    leave(
      {
        document,
        location: window.location,
        local: storage(() => window.localStorage),
        session: storage(() => window.sessionStorage),
        page: window,
      },
      { tellOthers },
    );
  window.addEventListener("keydown", (e) => key.down(e.key, e.repeat, e.ctrlKey || e.altKey || e.metaKey), {
    capture: true,
  });
  window.addEventListener("keyup", (e) => key.up(e.key, e.timeStamp) && go(true), { capture: true });
  window.addEventListener("pointerdown", () => key.reset(), { capture: true });
  document.addEventListener("click", (e) => {
    if (!(e.target instanceof Element) || e.target.closest("a[data-exit]") === null) return;
    e.preventDefault();
    go(true);
  });
  window.addEventListener("storage", (e) => e.key === BYE && e.newValue !== null && go(false));
  window.addEventListener("pageshow", (e) => {
    if (e.persisted && document.documentElement.classList.contains("left")) go(false);
  });
}

/** @param {() => Storage} get */
function storage(get) {
  try {
    return get();
  } catch {
    return null;
  }
}

/** @template T @param {() => T} step */
function attempt(step) {
  try {
    return step();
  } catch {
    // A storage that refuses must not keep anybody here.
    return null;
  }
}

if (typeof window !== "undefined") guard(window);
