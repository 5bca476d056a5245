/** Company while waiting, for whoever waits: the offer with its agreement, and the room with one's own place above it. */

/** @import {CompanyOffer, CompanyView} from "wire" */
/** @import {Context, Standing} from "../../types.js" */
/** @import {Stage} from "./asking.js" */

import { button, focusOn, h, show, text } from "../../lib/dom.js";
import { words } from "../../locales/en-company.js";
import { estimateWord, placeWord, words as common } from "../../locales/en-listening.js";
import { refusalWord } from "../../locales/en.js";
import { troubleLine } from "../../shell/trouble-line.js";
import { CompanyRoom, dress } from "../company/room.js";
import { announceSeldom } from "./commands.js";

const o = words.offer;
const w = words.room;

/** @param {unknown} no */
const noSeat = (no) =>
  ["no_seat", "not_waiting"].includes(/** @type {{code?: string}} */ (no).code ?? "") ? o.gone : refusalWord(no);

/** The offer on the screen of whoever waits. @param {Context} context */
export const companyOffer = (context) => new OfferCard(context);

class OfferCard {
  /** @type {CompanyOffer | undefined} */
  offer;
  /** They opened the agreement themselves, or (`find`) the offer. @type {"" | "find" | "agree"} */
  opened = "";
  lead = h("p");
  here = h("p", { class: "here" });
  trouble = troubleLine(noSeat);
  title = h("h2", { text: o.title });

  /** @param {Context} context */
  constructor(context) {
    dress();
    const { session } = context;
    const { trouble, title, lead, here } = this;
    this.session = session;
    const yes = button(o.yes, () => this.#open("agree"), { class: "act" });
    const no = button(
      o.no,
      () =>
        void trouble.around(async () => {
          await session.ask("wait_alone");
          this.#open("");
        }),
      { class: "quiet" },
    );
    this.ask = h("div", {}, lead, here, h("div", { class: "row" }, yes, no));
    this.agreeTitle = h("h3", { text: o.agreementTitle });
    const sit = button(o.sit, () => void trouble.around(() => this.#sit()), { class: "act" });
    const back = button(o.back, () => this.#open(""), { class: "quiet" });
    this.agree = h(
      "div",
      {},
      this.agreeTitle,
      h("ul", { class: "plain company-agreement" }, ...o.agreement.map((line) => h("li", { text: line }))),
      h("p", { class: "soft", text: o.kept }),
      h("div", { class: "row" }, sit, back),
    );
    this.find = button(o.find, () => this.#open("find"), { class: "act second" });
    this.element = h(
      "section",
      { class: "card company-offer", "aria-label": o.title, hidden: true },
      title,
      this.ask,
      this.agree,
      this.find,
      trouble.element,
    );
  }

  /** @param {Standing} standing */
  update({ offer }) {
    this.offer = offer;
    show(this.element, offer !== undefined);
    if (offer === undefined) {
      this.opened = "";
      return;
    }
    text(this.lead, o.lead(offer.host));
    text(this.here, o.here(offer.sit));
    this.here.classList.toggle("someone", offer.sit > 0);
    this.#draw();
  }

  #draw() {
    const isAsked = this.offer?.ask === true || this.opened === "find";
    show(this.agree, this.opened === "agree");
    show(this.ask, isAsked && this.opened !== "agree");
    show(this.find, !isAsked && this.opened !== "agree");
  }

  /** @param {"" | "find" | "agree"} opened */
  #open(opened) {
    this.opened = opened;
    this.#draw();
    // What was pressed is not there any more.
    focusOn(opened === "agree" ? this.agreeTitle : this.title);
  }

  async #sit() {
    if (this.offer !== undefined) await this.session.ask("sit", { company: this.offer.id });
  }
}

/** The room, with one's own place always above it. @param {Context} context @param {CompanyView} first @returns {Stage} */
export function companyStage(context, first) {
  const { session, say } = context;
  const title = h("h1", { class: "company-place" });
  const estimate = h("p", { class: "soft" });
  const asked = h("p", { class: "here someone", hidden: true });
  const trouble = troubleLine();
  const stand = button(
    w.stand,
    () =>
      void trouble.around(async () => {
        await session.ask("stand");
        say(w.stood);
      }),
    { class: "quiet" },
  );
  const place = h("div", { class: "company-line", "aria-label": w.place, role: "group" }, title, estimate, asked);
  const room = new CompanyRoom(context, first, { head: [place], acts: [stand, trouble.element] });
  const sayPlace = announceSeldom(say);
  const sayAsked = announceSeldom(say);
  say(w.seated);
  return {
    element: h("div", { class: "talk-side" }, room.element),
    update(state, standing) {
      if (standing.company === undefined) return;
      const at = placeWord(standing.place ?? 0);
      text(title, at);
      text(estimate, estimateWord(standing.estimate_seconds, standing.estimate_from));
      text(asked, standing.being_asked ? common.waiting.asked : "");
      show(asked, standing.being_asked === true);
      sayPlace(at, at);
      sayAsked(standing.being_asked ? common.waiting.asked : "", String(standing.being_asked));
      room.update(state, standing.company);
    },
    shown: () => room.shown(),
    gone: () => room.gone(),
  };
}
