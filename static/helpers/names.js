// Friendly names for people who have not chosen one, and the initial and tone that stand for a name.

const ENGLISH = {
  first: "Quiet Brave Amber Lucky Swift Gentle Clever Mellow Sunny Velvet Misty Nimble Copper Silver Bright Calm Rustic Polar Tidal Wandering".split(" "),
  second: "Otter Heron Fox Maple Lynx Finch Badger Willow Comet Panda Marten Puffin Cedar Tern Hare Robin Seal Ibis Moth Beaver".split(" "),
  join: (first, second) => `${first} ${second}`,
};

const CHINESE = {
  first: "安静 勇敢 快乐 温柔 机灵 明亮 从容 晴朗 清晨 远山 微风 小小 闪亮 沉着 自在 月下 雪中 雨后 林间 海边".split(" "),
  second: "水獭 白鹭 狐狸 枫叶 猞猁 山雀 熊猫 柳树 彗星 海豹 野兔 知更鸟 松鼠 鲸鱼 燕子 麻雀 蜻蜓 小鹿 银杏 刺猬".split(" "),
  join: (first, second) => `${first}的${second}`,
};

export const NAME_MAX_CHARS = 32;
const TONES = 8; // as many as styles/tokens.css has --tone-N

/** A name nobody had to think about, in the reader's language. */
export function inventName(lang, random = Math.random) {
  const { first, second, join } = lang.startsWith("zh") ? CHINESE : ENGLISH;
  const pick = (words) => words[Math.floor(random() * words.length)];
  return join(pick(first), pick(second));
}

/** What the server will make of a typed name, as far as we can foresee: brackets and control signs go. */
export function tidyName(name) {
  const plain = name.normalize("NFC").replace(/[[\]\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "").trim();
  return Array.from(plain).slice(0, NAME_MAX_CHARS).join("").trim();
}

/** The sign in a person's circle: for `udp-50123` the last digits tell devices apart better than a "U" would. */
export function initialOf(name) {
  const device = /^(?:udp|tcp)-\d*?(\d{1,2})$/.exec(name);
  if (device) return device[1];
  return (Array.from(name.trim())[0] ?? "?").toLocaleUpperCase();
}

/** Always the same one of eight tones for the same name (FNV-1a, which spreads short strings well). */
export function toneOf(name) {
  let hash = 0x811c9dc5;
  for (const sign of name) hash = Math.imul(hash ^ sign.codePointAt(0), 0x01000193);
  return (hash >>> 0) % TONES;
}
