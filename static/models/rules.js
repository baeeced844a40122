// How this room is ruled: whether I am a host, and what holds for everybody.
//
// `hello` says how things stand; rules that come after it change that, one thing at a time.

import { computed, signal } from "../vendor/signals-core.js";

export class Rules {
  host = signal(false);
  topic = signal("");
  readOnly = signal(false);
  pin = signal(false); // whether who enters is asked for one
  muted = signal(new Set()); // peer ids
  #you;

  /** `you` is a signal of the peer that we are. */
  constructor(you) {
    this.#you = you;
  }

  /** Why I may not speak here just now: "readOnly", "muted" or null. */
  silenced = computed(() => {
    if (this.host.value) return null;
    if (this.readOnly.value) return "readOnly";
    return this.muted.value.has(this.#you.value?.id) ? "muted" : null;
  });

  meet({ host = false, rules = {} }) {
    this.host.value = host;
    this.topic.value = rules.topic ?? "";
    this.readOnly.value = rules.read_only ?? false;
    this.pin.value = rules.pin ?? false;
    this.muted.value = new Set(rules.muted);
  }

  obey({ topic, read_only: readOnly, pin, mute, unmute }) {
    if (topic !== undefined) this.topic.value = topic;
    if (readOnly !== undefined) this.readOnly.value = readOnly;
    if (pin !== undefined) this.pin.value = pin;
    if (mute) this.muted.value = new Set([...this.muted.value, mute.id]);
    if (unmute) this.muted.value = new Set([...this.muted.value].filter((id) => id !== unmute.id));
  }
}
