// A text as a square of dark and light that a telephone's camera reads.

import { correction, generate } from "../vendor/lean-qr.js";

const QUIET = 4; // light modules around it, as the standard asks (ISO/IEC 18004)

/** `{size, path}`: the side in modules with the quiet zone, and an SVG path of the dark ones. */
export function qr(text) {
  const code = generate(text, { minCorrectionLevel: correction.M });
  const path = [];
  for (let y = 0; y < code.size; y += 1) {
    for (let x = 0; x < code.size; x += 1) {
      if (code.get(x, y)) path.push(`M${x + QUIET} ${y + QUIET}h1v1h-1Z`);
    }
  }
  return { size: code.size + 2 * QUIET, path: path.join("") };
}
