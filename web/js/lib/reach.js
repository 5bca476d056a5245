/** Asks whether the server is there at all. Fetched when no socket opens. */

import { Refused } from "./client.js";
import { patience } from "./time.js";

/** Whether the server's files come through: a small one, anew. */
export async function reach() {
  const answer = await fetch("/favicon.svg", { cache: "no-store", signal: patience() }).catch(() => null);
  if (answer?.ok) return;
  const code = answer === null ? "lost" : answer.status === 429 ? "rate_limited" : "internal";
  throw new Refused({
    code,
    message: "",
    temporary: true,
    retry_after: Number(answer?.headers.get("retry-after")) || undefined,
  });
}
