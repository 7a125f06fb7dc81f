// Keys: which does what, as the reader has set them. Never while typing.

import { onStored, stored, store } from "./stored.js";
import { text } from "./texts.js";

const NAME = "revq-keys";
const DEFAULTS = {
  next: "j", previous: "k", diff: "d", open: "o", history: "h", undo: "u", rollback: "r",
  fine: "g", wrong: "f", filter: "/", pause: "p", release: "n", help: "?", close: "Escape",
};
// What goes on while its key is held down.
const REPEATED = ["next", "previous"];
const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

const BINDABLE = /^(.|Enter|Escape|Backspace|Delete|Insert|Home|End|Page\w+|Arrow\w+|F\d+)$/u;

const dialog = document.querySelector("#keys");
const lines = dialog.querySelector("tbody");
const said = dialog.querySelector("[role=status]");

let keys = kept();
let waiting = null;

// `act` does what an action's name says.
export function listen(act) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (waiting) return take(event);
    const { key, target } = event;
    if (target.closest?.(TYPING) && key !== "Escape") return;
    // A key that a control under the focus takes for itself stays its own.
    if (["Enter", " "].includes(key) && target.closest?.("button, a, summary, input")) return;
    const action = actionOf(keyOf(event)) ?? actionOf(latin(event));
    if (!action || (event.repeat && !REPEATED.includes(action))) return;
    if (document.querySelector("dialog[open]") && !(dialog.open && action === "help")) return;
    event.preventDefault();
    act(action);
  });
  lines.append(...Object.keys(DEFAULTS).map(line));
  lines.addEventListener("click", (event) => ask(event.target.closest("button")));
  dialog.querySelector(".reset").addEventListener("click", () => set({ ...DEFAULTS }));
  dialog.addEventListener("close", () => (waiting = null));
  onStored(NAME, () => {
    keys = kept();
    show();
  });
  show();
}

// One key does one thing; what is kept goes before the defaults.
function kept() {
  const all = {};
  for (const [name, key] of [...Object.entries(stored(NAME, {})), ...Object.entries(DEFAULTS)]) {
    if (!Object.hasOwn(DEFAULTS, name) || name in all || typeof key !== "string") continue;
    all[name] = Object.values(all).includes(key) ? "" : key;
  }
  return all;
}

// As without Caps Lock.
function keyOf(event) {
  if (event.key?.length !== 1 || !event.getModifierState("CapsLock")) return event.key;
  return event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase();
}

function actionOf(key) {
  return Object.keys(DEFAULTS).find((name) => key && keys[name] === key);
}

// What a Latin keyboard has on the key, where another script's has its own.
function latin({ key, code, shiftKey }) {
  if (!/^\P{ASCII}$/u.test(key)) return "";
  if (code === "Slash") return shiftKey ? "?" : "/";
  return shiftKey ? "" : /^Key([A-Z])$/.exec(code)?.[1].toLowerCase();
}

export function toggleHelp() {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function line(action) {
  const row = document.createElement("tr");
  row.innerHTML = "<th scope=row></th><td><kbd></kbd></td><td><button type=button></button></td>";
  const [name, button] = row.querySelectorAll("th, button");
  name.textContent = text(`key-${action}`);
  button.dataset.action = action;
  button.textContent = text("key-change");
  button.ariaLabel = `${button.textContent}: ${name.textContent}`;
  return row;
}

function ask(button) {
  if (!button) return;
  waiting = button;
  said.textContent = `${text("key-press")} ${text("key-none")}`;
}

// Backspace takes an action's key away; Escape leaves it.
function take(event) {
  if (!BINDABLE.test(event.key)) return;
  event.preventDefault();
  event.stopPropagation();
  const action = waiting.dataset.action;
  const button = waiting;
  waiting = null;
  said.textContent = "";
  if (event.key === "Escape") return;
  const key = event.key === "Backspace" ? "" : keyOf(event);
  const other = Object.keys(keys).find((name) => key && keys[name] === key && name !== action);
  if (other) {
    said.textContent = text("key-taken", { key, action: text(`key-${other}`) });
    return;
  }
  set({ ...keys, [action]: key });
  button.focus();
}

function set(changed) {
  waiting = null;
  keys = changed;
  said.textContent = text(store(NAME, keys) ? "key-set" : "not-kept");
  show();
}

function show() {
  for (const button of lines.querySelectorAll("button")) {
    const key = keys[button.dataset.action];
    button.closest("tr").querySelector("kbd").textContent = key === " " ? text("key-space") : key || "–";
  }
}
