/** Words for a feeling, in four tempers, each with a plain hint for whoever is not sure what it means. Posts carry them as they stand. */

/** @type {readonly {temper: string, feelings: readonly [string, string][]}[]} */
export const FEELINGS = [
  {
    temper: "low",
    feelings: [
      ["tired", "worn out, in body or mind"],
      ["sad", "something hurts quietly"],
      ["lonely", "nobody seems near"],
      ["numb", "I hardly feel anything"],
      ["ashamed", "I'd like to hide"],
      ["discouraged", "it seems to lead nowhere"],
    ],
  },
  {
    temper: "tense",
    feelings: [
      ["anxious", "something could go wrong"],
      ["restless", "I can't settle"],
      ["overwhelmed", "too much at once"],
      ["angry", "something isn't right"],
      ["irritable", "small things are too much"],
      ["torn", "I want two things at once"],
    ],
  },
  {
    temper: "calm",
    feelings: [
      ["calm", "nothing pulls at me"],
      ["relieved", "a weight is gone"],
      ["safe", "nothing threatens me here"],
      ["grateful", "something good was given"],
      ["content", "it's enough as it is"],
      ["tender", "soft, easily moved"],
    ],
  },
  {
    temper: "lively",
    feelings: [
      ["hopeful", "it could get better"],
      ["curious", "I'd like to know more"],
      ["glad", "something went well"],
      ["proud", "I managed something"],
      ["brave", "afraid, and doing it anyway"],
      ["connected", "close to somebody"],
    ],
  },
];
