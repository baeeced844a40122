// Friendly names for people who have not chosen one.

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

/** A name nobody had to think about, in the reader's language. */
export function inventName(lang, random = Math.random) {
  const { first, second, join } = lang.startsWith("zh") ? CHINESE : ENGLISH;
  const pick = (words) => words[Math.floor(random() * words.length)];
  return join(pick(first), pick(second));
}
