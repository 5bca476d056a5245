/** What a listener sees of a conversation after its end. */

/** @import {TalkView} from "../../types.js" */
/** @import {ListenerApp} from "./types.js" */

import { button, h, show, text } from "../../lib/dom.js";
import { clock } from "../../lib/time.js";
import { words } from "../../locales/en-listener.js";
import { check, troubleLine, twoTouches } from "../../shell/fields.js";
import { flagging, reporting } from "./talk-acts.js";

const w = words.talks;

/** A private wish to talk with the same person again. @param {ListenerApp["session"]} session @param {string} id */
function againBox(session, id) {
  const trouble = troubleLine();
  const again = check(w.again, false);
  const againLead = h("p", { id: `again-${id}`, class: "soft small", text: w.againLead });
  again.input.setAttribute("aria-describedby", againLead.id);
  again.input.addEventListener("change", () => {
    const on = again.input.checked;
    void trouble
      .around(() => session.ask("again", { session: id, on }))
      .then((isDone) => {
        if (!isDone) again.input.checked = !on;
      });
  });
  return { again, againLead, trouble };
}

/** After the end: how it ended, until when it can be read, and a private wish. @param {ListenerApp} app @param {TalkView} first @param {() => void} putAway */
export function afterwards({ session, say }, first, putAway) {
  const how = h("p", {});
  const until = h("p", { class: "soft small" });
  const { again, againLead, trouble } = againBox(session, first.id);
  const done = h("p", { class: "done small", role: "status", hidden: true });
  const tell = (/** @type {string} */ what) => {
    text(done, what);
    show(done, true);
  };
  const flag = flagging(session, first.id);
  const report = reporting(session, first.id, w.reportLeadAfter, () => tell(w.reported));
  const block = twoTouches({
    ask: w.block,
    lead: w.blockSureAfter,
    yes: w.blockYesAfter,
    no: w.cancel,
    danger: true,
    act: () => session.ask("block", { session: first.id }).then(() => tell(w.blocked)),
  });
  const flagged = h("p", { class: "soft small", hidden: true });
  const element = h(
    "div",
    { class: "pane-after card", hidden: true },
    how,
    until,
    again.element,
    againLead,
    trouble.element,
    h("div", { class: "row" }, flag.first, report.first, block.first),
    flag.panel,
    report.panel,
    block.panel,
    flagged,
    done,
    h("div", { class: "row" }, button(w.putAway, putAway, { class: "act second" })),
  );
  return {
    element,
    /** @param {TalkView} talk */
    update(talk) {
      if (!talk.ended_at) return;
      const isNew = element.hidden;
      text(how, w.ended[talk.ending ?? "other"]);
      text(until, talk.forget_at ? w.until(clock(talk.forget_at - session.state.skew)) : "");
      show(element, true);
      const isBlocked = talk.hides === true;
      show(flag.first, !talk.flagged);
      text(flagged, talk.flagged ? w.flagOn : "");
      show(flagged, talk.flagged === true);
      show(block.first, !isBlocked);
      for (const each of [again.element, againLead]) show(each, !isBlocked);
      if (isNew) {
        again.input.checked = talk.again === true;
        say(how.textContent ?? "");
      }
    },
  };
}
