// One text frame carries one or more JSON objects, separated by newlines: take them apart, skip what is none.

/** The objects of a frame in order; a bad line is left out and the others count. */
export function objectsIn(frame) {
  return frame.split("\n").flatMap((line) => {
    if (!line.trim()) return [];
    try {
      const value = JSON.parse(line);
      return value && typeof value === "object" ? [value] : [];
    } catch {
      return [];
    }
  });
}
