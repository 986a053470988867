// The key below the plots: the signs that a course has.

const KEY = [
  ["hatched", "could be higher: something is not charted"], ["dashed", "estimated"],
  ["limit", "limit"], ["dotted", "baseline"], ["counting", "counting to 3 h"],
  ["today", "different today"], ["ahead", "not known yet"], ["first", "first tocilizumab"], ["seen", "you last looked"], ["night", "night 22–06"],
];
export const keyOf = (data) => {
  const list = document.createElement("ul");
  list.className = "plot-key";
  list.setAttribute("aria-label", "Key");
  const isShown = {
    seen: data.seen_at !== null, today: Object.keys(data.today).length > 0,
    ahead: data.is_then, first: data.first_tocilizumab_at !== null,
  };
  for (const [sign, words] of KEY) {
    if (isShown[sign] === false) continue;
    const item = document.createElement("li");
    item.dataset.sign = sign;
    item.textContent = words;
    list.append(item);
  }
  return list;
};
