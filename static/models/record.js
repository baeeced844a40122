// The whole room on paper: walk the log from its beginning, and write down what was said, or who was there.

const PAGE = 500;

/** Every entry, page by page; `told(count)` hears how far it is. */
export async function wholeLog(ask, told = () => {}) {
  const all = [];
  let page;
  do {
    page = await ask(`after=${all.at(-1)?.seq ?? 0}&limit=${PAGE}`);
    all.push(...page);
    told(all.length);
  } while (page.length === PAGE);
  return all;
}
