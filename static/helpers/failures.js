// Why a file did not come or go, from what the server says of it.

import { errorWords } from "./words.js";

/** {code, message} of a refusal, from the problem document that the server sends with it. */
export const problemOf = (problem) => ({ code: problem?.code ?? "unknown", message: problem?.detail ?? "" });

/** Why somebody's file did not come. What is known by its code is said in the reader's language. */
export function failureWords(t, { code, reason }) {
  const key = `transfer.${code}`;
  const words = t(key);
  return words === key ? errorWords(t, code, reason) : words;
}
