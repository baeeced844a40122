// A large file on its way out that may stop and go on: tus-js-client, under the contract that a PUT has here.

import { objectsIn } from "../helpers/frames.js";
import { problemOf } from "../helpers/failures.js";

const LIBRARY = "../vendor/tus.js"; // no module: it makes `window.tus`, for the first large file

/** As `put` of platform.js; `begun(url)` hears where the upload lies, and with `url` it goes on there. */
export function sendResumable({ path, file, name, key, author, url, begun, progress }) {
  let upload;
  let stopped = false;
  const start = async (resolve, reject) => {
    await import(LIBRARY);
    if (stopped) return;
    upload = new window.tus.Upload(file, {
      endpoint: path,
      uploadUrl: url,
      headers: { ...identity(author), "X-Key": key, "X-Name": encodeURIComponent(author.name), Accept: "application/json" },
      metadata: { filename: name },
      retryDelays: null, // models/uploads.js knows when to try again,
      storeFingerprintForResuming: false, // and models/unfinished.js where
      onUploadUrlAvailable() {
        begun(upload.url);
        if (stopped) upload.abort();
      },
      onProgress: progress,
      onSuccess: () => resolve({ file: { id: upload.url.split("/").at(-1) } }),
      onError: (error) => reject(faultOf(error.originalResponse)),
    });
    upload.start();
  };
  const done = new Promise((resolve, reject) => {
    start(resolve, reject).catch(() => reject(faultOf()));
  });
  const abort = () => {
    stopped = true;
    if (upload?.url) upload.abort(); // before that nobody knows what to go on with, or to take away
  };
  return { done, abort };
}

/** Nothing is to be left of an upload; should nobody hear it, the server's own time for it ends. */
export function dropUpload(url, author) {
  fetch(url, { method: "DELETE", headers: { ...identity(author), "Tus-Resumable": "1.0.0" } }).catch(() => {});
}

const identity = ({ client }) => ({ "X-Client": client });

/** 409 and 423 say that the one before has not quite let go. */
function faultOf(response) {
  if (!response || [409, 423].includes(response.getStatus())) return { code: "unreachable", message: "" };
  return problemOf(objectsIn(response.getBody())[0]);
}
