/** A facilitator's groups and meetings, as the page follows them: those of members, and what only hosts can do. Knows no DOM. */

/** @import {GroupCard, MeetingView, Person} from "wire" */
/** @import {Session} from "../../rooms/session.js" */

import { Meetings } from "../meetings.js";

const KEEPS_NOTHING = /** @type {any} */ ({ all: [], keep: () => {} });

export class HostMeetings extends Meetings {
  /** @type {Person[] | null} the other facilitators */
  facilitators = null;

  /** @param {Session} session */
  constructor(session) {
    super(session, KEEPS_NOTHING);
  }

  /** Ask for what there is, as soon as there is a connection. */
  async begin() {
    if (this.session.client.isOpen) await this.fetchGroups().catch(() => {});
  }

  /** Groups, and the meetings that go on: before their doors are open, numbers are enough. Rejects with Refused. @override */
  async fetchGroups() {
    const { groups } = await this.session.client.patient("groups");
    this.do({ type: "groups", groups });
    for (const group of this.mine)
      for (const { id, stage, doors_at: at } of group.dates)
        if (stage === "live" || at <= this.now) this.follow(id).catch(() => {});
  }

  /** The groups that one leads: one that meets soon first. @returns {GroupCard[]} */
  get mine() {
    return (this.state.groups ?? []).filter((group) => group.mine === true && group.ended_at === undefined);
  }

  /** @param {string} group @returns {GroupCard | undefined} */
  group(group) {
    return this.state.groups?.find((each) => each.id === group);
  }

  /** The meeting that one is in and leads. @returns {MeetingView | undefined} */
  get present() {
    return Object.values(this.state.views).find(
      ({ here, stage, place }) => here === true && stage === "live" && place === "host",
    );
  }

  /** Those who could be co-hosts. Rejects with Refused. */
  async fetchFacilitators() {
    this.facilitators ??= (await this.session.client.patient("facilitators")).facilitators;
    return this.facilitators ?? [];
  }

  /**
   * Open, change, plan or end. The same `id` again is the same command. Rejects with Refused.
   * @param {string} cmd @param {object} fields @param {string} [id] @returns {Promise<GroupCard>}
   */
  async edit(cmd, fields, id) {
    const { group } = await this.session.client.patient(cmd, fields, id);
    this.do({ type: "group", group });
    return group;
  }

  /** @param {string} meeting @param {string} why */
  async callOff(meeting, why) {
    await this.session.client.patient("cancel", { meeting, why });
    await this.fetchGroups();
  }

  /** Go in as a host, who keeps to the agreement that they wrote. @param {string} meeting */
  async goIn(meeting) {
    const group = this.state.groups?.find(({ dates }) => dates.some(({ id }) => id === meeting));
    try {
      await this.enter(meeting, group?.agreement_version ?? 1, "share");
    } catch (no) {
      const { code, details } = /** @type {import("../../lib/client.js").Refused} */ (no);
      if (code !== "agreement_required") throw no;
      await this.enter(meeting, Number(details["agreement_version"]), "share");
    }
  }
}
