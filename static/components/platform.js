// The browser behind the models: sockets, timers, requests, storage. Tests hand the models another one.

import { dropUpload, sendResumable } from "./resumable.js";
import { problemOf } from "../helpers/words.js";

/** `{open, later, forget, frame, now, random, get, put, send, drop}` */
export const platform = {
  open: (path) => new WebSocket(new URL(path, location.href.replace(/^http/, "ws"))),
  later: (ms, call) => setTimeout(call, ms),
  forget: (timer) => clearTimeout(timer),
  frame: nextFrame,
  now: () => Date.now(),
  random: () => Math.random(),
  get: getJson,
  put: putFile,
  send: sendResumable,
  drop: dropUpload,
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

/** Show a room's PIN; answers the code of the refusal, or null when it was right. */
export async function showPin(path, pin) {
  try {
    const answer = await fetch(path, { headers: { Accept: "application/json", "X-Pin": encodeURIComponent(pin) } });
    return answer.ok ? null : (await answer.json()).code;
  } catch {
    return "unreachable";
  }
}

/** At most `most` bytes of a file, from its beginning. */
export async function firstBytes(url, most) {
  const answer = await fetch(url, { headers: { Range: `bytes=0-${most - 1}` } });
  if (answer.status === 416) return new ArrayBuffer(0); // an empty file has no first byte
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.arrayBuffer();
}

/** Hand the reader a file that was made here. */
export function saveText(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** XMLHttpRequest, because fetch tells no upload progress. Answers `{done, abort}`; `done` rejects with {code, message}. */
function putFile({ path, file, key, author, progress }) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.open("PUT", path);
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-Name", encodeURIComponent(author.name));
    request.setRequestHeader("X-Client", author.client);
    request.setRequestHeader("X-Key", key);
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onload = () => {
      if (request.status < 300 && request.response) resolve(request.response);
      else reject(problemOf(request.response));
    };
    request.onerror = () => reject({ code: "unreachable", message: "" });
    request.onabort = () => reject({ code: "cancelled", message: "" });
    request.send(file);
  });
  return { done, abort: () => request.abort() };
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

/** Copy without the clipboard API, which plain http does not have. False: the browser refused, let people do it. */
export function copyText(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.className = "off-screen";
  const focused = document.activeElement;
  const home = focused?.closest("dialog") ?? document.body; // outside an open dialog everything is inert
  home.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } finally {
    area.remove();
    focused?.focus();
  }
}
