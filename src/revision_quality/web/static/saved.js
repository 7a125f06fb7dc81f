// Filters saved by name in this browser: links, one of which the page may open with.

import { onStored, stored, store } from "./stored.js";
import { text } from "./texts.js";

const NAME = "revq-filters";

// `query` gives the filters in force, `tell` tells the reader; returns what shows the list anew.
export function keepFilters(box, path, query, tell) {
  const list = box.querySelector("ul");
  const texts = box.dataset;

  // Another tab may have saved something meanwhile.
  const set = (change) => {
    const isKept = store(NAME, change(readable()));
    if (!isKept) tell(text("not-kept"));
    show();
    return isKept;
  };

  const act = (text, name, action) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.ariaLabel = `${text}: ${name}`;
    button.addEventListener("click", action);
    return button;
  };

  const line = ({ name, query: kept, isDefault }) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `${path}?${kept || "urlversion=2"}`;
    link.dir = "auto";
    link.textContent = name;
    if (kept === query()) link.ariaCurrent = "true";
    const rename = () => {
      const given = prompt(texts.rename, name)?.trim();
      if (!given || given === name) return;
      set((all) => all.map((one) => (one.name === name ? { ...one, name: free(given, all) } : one)));
    };
    const open = () => set((all) => all.map((one) => ({ ...one, isDefault: one.name === name && !isDefault })));
    item.append(
      link, " ",
      act(isDefault ? texts.noDefault : texts.default, name, open), " ",
      act(texts.rename, name, rename), " ",
      act(texts.remove, name, () => set((all) => all.filter((one) => one.name !== name))),
    );
    return item;
  };

  const show = () => {
    const saved = readable();
    list.replaceChildren(...saved.map(line));
    box.querySelector("p").hidden = saved.length > 0;
    box.querySelector("form button").disabled = saved.some((one) => one.query === query());
  };

  box.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = event.target.elements.name.value.trim();
    if (!name) return;
    const isKept = set((all) => {
      const isDefault = all.some((one) => one.name === name && one.isDefault);
      return [...all.filter((one) => one.name !== name), { name, query: query(), isDefault }];
    });
    if (isKept) event.target.reset();
  });
  onStored(NAME, show);
  box.hidden = false;
  const first = readable().find((one) => one.isDefault);
  if (first?.query && !location.search) location.replace(`${path}?${first.query}`);
  return show;
}

function readable() {
  return stored(NAME, []).filter((one) => typeof one?.name === "string" && typeof one.query === "string");
}

function free(name, saved) {
  let found = name;
  for (let n = 2; saved.some((one) => one.name === found); n += 1) found = `${name} (${n})`;
  return found;
}
