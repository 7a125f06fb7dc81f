// Keys: which does what, as the reader has set them. Never while typing.

import { stored, store } from "./stored.js";
import { text } from "./texts.js";

const NAME = "revq-keys";
const DEFAULTS = {
  next: "j", previous: "k", diff: "d", open: "o", history: "h", undo: "u", rollback: "r",
  fine: "g", wrong: "f", filter: "/", pause: "p", release: "n", help: "?", close: "Escape",
};
// A key that is held down goes through the list; what else it does, it does once.
const REPEATED = ["next", "previous"];
const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

const dialog = document.querySelector("#keys");
const lines = dialog.querySelector("tbody");
const said = dialog.querySelector("[role=status]");

let keys = { ...DEFAULTS, ...stored(NAME, {}) };
let waiting = null;

// `act` does what an action's name says; false where the key stays the browser's.
export function listen(act) {
  addEventListener("keydown", (event) => {
    if (waiting) return take(event);
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest?.(TYPING) && event.key !== "Escape") return;
    if (document.querySelector("dialog[open]") && !(dialog.open && event.key === keys.help)) return;
    const action = actionOf(event.key) ?? actionOf(latin(event));
    // A key that a control under the focus takes for itself stays its own.
    if (!action || (event.repeat && !REPEATED.includes(action)) || (event.key === " " && event.target.closest?.("button, a, summary, input"))) return;
    if (act(action) !== false) event.preventDefault();
  });
  lines.append(...Object.keys(DEFAULTS).map(line));
  lines.addEventListener("click", (event) => ask(event.target.closest("button")));
  dialog.querySelector(".reset").addEventListener("click", () => set({ ...DEFAULTS }));
  dialog.addEventListener("close", () => (waiting = null));
  show();
}

function actionOf(key) {
  return Object.keys(DEFAULTS).find((name) => key && keys[name] === key);
}

// The letter that a keyboard of another script, such as the Cyrillic one, has on the same key.
function latin({ key, code, shiftKey }) {
  return !shiftKey && /^\P{ASCII}$/u.test(key) ? /^Key([A-Z])$/.exec(code)?.[1].toLowerCase() : "";
}

export function toggleHelp() {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function line(action) {
  const row = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  name.textContent = text(`key-${action}`);
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.action = action;
  button.textContent = text("key-change");
  button.ariaLabel = `${button.textContent}: ${name.textContent}`;
  row.append(name);
  row.insertCell().append(document.createElement("kbd"));
  row.insertCell().append(button);
  return row;
}

function ask(button) {
  if (!button) return;
  waiting = button;
  said.textContent = text("key-press");
}

// Backspace takes an action's key away; Escape leaves it.
function take(event) {
  if (["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
  event.preventDefault();
  event.stopPropagation();
  const action = waiting.dataset.action;
  const button = waiting;
  waiting = null;
  said.textContent = "";
  if (event.key === "Escape") return;
  const key = event.key === "Backspace" ? "" : event.key;
  const other = Object.keys(keys).find((name) => key && keys[name] === key && name !== action);
  if (other) {
    said.textContent = text("key-taken", { key, action: text(`key-${other}`) });
    return;
  }
  set({ ...keys, [action]: key });
  button.focus();
}

function set(changed) {
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
