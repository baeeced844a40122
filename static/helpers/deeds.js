// What a host did, in words: one sentence for each kind of rule.

/** `entry` is of type "rule"; kinds of a later server are told as such. `nameOf(peer)` is what to call somebody. */
export function deedWords(t, { from, rule }, nameOf = ({ name }) => name) {
  const host = nameOf(from);
  const { topic, read_only: readOnly, pin, mute, unmute, rename, name, remove } = rule ?? {};
  if (topic !== undefined) return topic ? t("deed.topic", { host, topic }) : t("deed.noTopic", { host });
  if (readOnly !== undefined) return readOnly ? t("deed.readOnly", { host }) : t("deed.open", { host });
  if (pin !== undefined) return pin ? t("deed.pin", { host }) : t("deed.noPin", { host });
  if (mute) return t("deed.mute", { host, name: nameOf(mute) });
  if (unmute) return t("deed.unmute", { host, name: nameOf(unmute) });
  if (rename) return name ? t("deed.rename", { host, name: rename.name, to: name }) : t("deed.unname", { host, name: rename.name });
  if (remove) return t("deed.remove", { host, name: nameOf(remove) });
  return t("deed.other", { host });
}
