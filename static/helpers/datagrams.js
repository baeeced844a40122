// How a text reaches a UDP peer: in datagrams, each beginning with the speaker's name. (docs/protocols/datagram.md)

const DATAGRAM_MAX_BYTES = 1024;

/** `{used, max, count}`: bytes of the text, how many of them one datagram takes, how many datagrams it comes in. */
export function datagramsOf(name, text) {
  const encode = (words) => new TextEncoder().encode(words);
  const body = encode(text.replace(/\r\n|[\n\v\f\r]/g, "\n    ")); // as the server sets it in
  const max = DATAGRAM_MAX_BYTES - encode(`[${name}] \n`).length;
  let count = 0;
  for (let at = 0; at < body.length; count += 1) {
    let end = Math.min(body.length, at + max);
    while (end < body.length && (body[end] & 0xc0) === 0x80) end -= 1; // not inside a character
    if (end - at > 1 && end < body.length && body[end - 1] === 0x0a) end -= 1;
    at = end;
  }
  return { used: body.length, max, count };
}
