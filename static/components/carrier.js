// How files go out: a small one by one PUT, a large one in a way that may stop and go on.

import { problemOf } from "../helpers/failures.js";
import { dropUpload, sendResumable } from "./resumable.js";

/** More of what models are given as the platform: `{put, send, drop}`. */
export const carrier = { put: putFile, send: sendResumable, drop: dropUpload };

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
