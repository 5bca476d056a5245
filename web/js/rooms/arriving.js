/** Where the address, or the history of this tab, leads: the helplines, asking, the room one was in. Fetched for those. */

/** @import {Context, Screen, View} from "../types.js" */

/**
 * @typedef {object} Way
 * @property {Context} context
 * @property {() => View | null} view  what is shown; null before anything is
 * @property {(screen: Screen) => void} turnTo
 * @property {() => void} toLobby
 * @property {() => void} start  connect; whoever was nobody is given a name
 * @property {() => string} place  where this tab was: a room, "#ask", "#groups", a group or a meeting
 */

/** Go there. The address keeps nothing of it. @param {Way} way @param {boolean} isFirst  the page has just been loaded */
export function arrive(way, isFirst) {
  const { hash, pathname } = location;
  const help = document.getElementById("help-link");
  if (isFirst && hash === "#help") {
    // Whoever only looks for a number stays nobody here.
    document.querySelector(".help-sheet")?.addEventListener(
      "close",
      () => {
        history.replaceState(null, "", pathname);
        way.toLobby();
        way.start();
      },
      { once: true },
    );
    return help?.click();
  }
  if (isFirst) way.start();
  if (hash === "") return comeBack(way);
  history.replaceState(isFirst || document.body.dataset["screen"] === "lobby" ? null : { deep: true }, "", pathname);
  if (hash === "#help") help?.click();
  else if (hash === "#ask") way.context.go({ name: "asking" });
  else if (isFirst) way.toLobby();
}

/** Be where this tab was, once the rooms are known. Nobody is led into a room that they have left. @param {Way} way */
function comeBack({ context, view, turnTo, toLobby, place: kept }) {
  const { session, enter, meet } = context;
  const place = kept();
  if (place === "") return toLobby();
  if (place === "#ask") return turnTo({ name: "asking" });
  if (/^(#groups|g-|m--)/.test(place)) return void meet(place).catch(toLobby);
  const before = view();
  let isBusy = false;
  const stop = () => session.listeners.delete(look);

  function look() {
    if (view() !== before) return stop();
    const { link, lobby, rooms } = session.state;
    const isMember = rooms[place] !== undefined || lobby?.find(({ id }) => id === place)?.unread !== undefined;
    if (link.status === "stopped" || (lobby !== null && !isMember)) {
      stop();
      return toLobby();
    }
    if (isBusy || link.status !== "open" || lobby === null) return;
    isBusy = true;
    enter(place).then(stop, (no) => {
      isBusy = false;
      if (no.code === "lost") return;
      stop();
      toLobby();
    });
  }
  session.subscribe(look);
  look();
}
