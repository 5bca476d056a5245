/** The way to groups and meetings. Fetched, with its style, when somebody goes there. */

/** @import {Context} from "../types.js" */
/** @import {Session} from "../rooms/session.js" */

import { h } from "../lib/dom.js";
import { storageOrNone } from "../shell/page.js";
import { groupView } from "./group.js";
import { groupsView } from "./groups.js";
import { KeptMeetings } from "./kept.js";
import { meetingView } from "./meeting.js";
import { Meetings } from "./meetings.js";
import { Presence } from "./presence.js";

const STYLE = "/css/meetings.css";
export const LIST = "#groups";

/**
 * What the screens of groups share.
 * @typedef {object} Way
 * @property {Context} context
 * @property {Meetings} meetings
 * @property {Presence} presence
 * @property {(place: string, said?: string) => void} open  another screen; `said` is told there
 */

/** One for each session, as long as the page lives. @type {WeakMap<Session, Way>} */
const ways = new WeakMap();

/** Its style, once. */
function dress() {
  if (document.querySelector(`link[href="${STYLE}"]`) !== null) return Promise.resolve();
  return new Promise((done) => {
    const link = h("link", { rel: "stylesheet", href: STYLE, on: { load: () => done(null), error: () => done(null) } });
    document.head.append(link);
  });
}

/** Go to the list of groups, to a group (`g-`) or to a meeting (`m--`); with "" only be told of one's own. @param {Context} context @param {string} place */
export async function openMeetings(context, place) {
  await dress();
  const { meetings, open } = wayOf(context);
  if (place === "") meetings.recall();
  else open(place);
}

/** @param {Context} context @returns {Way} */
function wayOf(context) {
  const { session } = context;
  const held = ways.get(session);
  if (held !== undefined) return held;
  const meetings = new Meetings(session, new KeptMeetings(storageOrNone("localStorage"), session.vault));
  /** @type {Way} */
  const way = {
    context,
    meetings,
    presence: new Presence(context, meetings, (meeting) => way.open(meeting)),
    open: (place, said = "") =>
      context.go({
        name: "meetings",
        place,
        view: () =>
          place.startsWith("m-")
            ? meetingView(way, place)
            : place.startsWith("g-")
              ? groupView(way, place, said)
              : groupsView(way),
      }),
  };
  ways.set(session, way);
  return way;
}
