// How long to wait before knocking again: soon at first, patient later, and never all browsers at once.

export const SHORTEST_MS = 300;
export const LONGEST_MS = 10_000; // a LAN's server comes back in seconds; nobody should stare at a banner for minutes

/** Milliseconds before try number `attempt` (from 0): anywhere between the shortest and a ceiling that doubles. */
export function backoff(attempt, random = Math.random) {
  const ceiling = Math.min(LONGEST_MS, 2 * SHORTEST_MS * 2 ** attempt);
  return Math.round(SHORTEST_MS + (ceiling - SHORTEST_MS) * random());
}
