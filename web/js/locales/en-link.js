/** Why there is no connection, where it is not just the network: what holds, and the way out. Fetched when it is so. */

/** @type {Record<string, string | ((it: string) => string)>} */
export const words = {
  crowd: (at) =>
    `Many people have come in from this network just now, and the door lets them in one after another. We try again at ${at}; you can leave this page open. On another network, such as mobile data, you may be in sooner.`,
  tabs: "These rooms are open in as many tabs or devices as one person can have. Close one of them, and this one comes in by itself.",
  blocked:
    "This network lets the page through, but not the live connection that the rooms need. Some schools, hospitals and workplaces block it. Try another network, such as mobile data. We keep trying here.",
  server:
    "The page is here, but the server behind it doesn't answer. It's not your doing, and nothing you wrote is lost. We keep trying.",
  store:
    "The server can't read what it keeps at the moment. It's not your doing, and nothing you wrote is lost. We keep trying.",
  origin: (host) =>
    `These rooms can't be used under the address ${host}: their server doesn't know it as its own. Loading the page again won't help. Whoever runs it has to allow this address.`,
  identity: "Your name here has been erased, has expired, or was signed out elsewhere.",
  out: "You were signed out here: your code was used elsewhere, or you chose it there.",
  refused: "This page and the rooms don't understand each other. Loading the page again usually helps.",
  banned: "You can't be here at the moment.",
  cookies:
    "This browser keeps no cookies for this page, so the rooms can't know you from one moment to the next. Allow cookies for this page in the browser's settings, then load it again. The helplines work without.",
};

/** @param {string} why @param {string} at  when it is tried again @param {string} host  the address of the page */
export function whyWord(why, at, host) {
  const said = words[why];
  return typeof said === "function" ? said(why === "origin" ? host : at) : said;
}
