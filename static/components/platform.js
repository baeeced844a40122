// The browser behind the models: sockets, timers, requests, storage. Tests hand the models another one.

/** `{open, later, forget, frame, now, random, get}`; components/carrier.js has what files need besides. */
export const platform = {
  open: (path) => new WebSocket(new URL(path, location.href.replace(/^http/, "ws"))),
  later: (ms, call) => setTimeout(call, ms),
  forget: (timer) => clearTimeout(timer),
  frame: nextFrame,
  now: () => Date.now(),
  random: () => Math.random(),
  get: getJson,
};

/** Before the next paint; a hidden tab paints nothing, so there it is soon. */
function nextFrame(call) {
  if (document.hidden) setTimeout(call, 50);
  else requestAnimationFrame(call);
}

async function getJson(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

/** A named place in localStorage (or `sessionStorage`) for one JSON value; where storage is forbidden, memory has to do. */
export function shelf(name, storage = () => localStorage) {
  let memory = null;
  return {
    read() {
      try {
        return JSON.parse(storage().getItem(`roombridge.${name}`));
      } catch {
        return memory;
      }
    },
    write(value) {
      memory = value;
      try {
        storage().setItem(`roombridge.${name}`, JSON.stringify(value));
      } catch {
        // full or forbidden: the page works, it only forgets
      }
    },
  };
}
