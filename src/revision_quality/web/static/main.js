// Beyond plain HTML: local times, live rows, filters that apply at once.

import { Feed } from "./feed.js";
import { ChangeList } from "./list.js";
import { localise, zone } from "./times.js";

const ANNOUNCE_MILLISECONDS = 3000;
const MAX_HELD = 500;
const PARTS = ["summary", "active", "results", "json"];
const PATH = document.querySelector("#filters").getAttribute("action");

const form = document.querySelector("#filters");
const live = document.querySelector("#live");
const status = document.querySelector("#status");
const heldButton = document.querySelector("#held");

let list;
let feed;
let held = new Map();
let arrived = 0;
let announcing = null;
let loading = null;

function start() {
  const results = document.querySelector("#results");
  document.querySelector("#zone").textContent = zone;
  localise(document.querySelector("#summary"));
  list = new ChangeList(results);
  held = new Map();
  showHeld();
  feed = new Feed(PATH, results.dataset.query, results.dataset.seq, {
    change: onChange,
    remove: onRemove,
    summary: onSummary,
    reset: () => load(location.href),
    state: (state) => say(state === "open" ? "Up to date." : "Connection lost; trying again."),
  });
}

function onChange({ key, timestamp, html }) {
  if (list.has(key) || live.checked) {
    if (!list.has(key) && !list.covers(timestamp)) return;
    if (list.put(key, html)) announce();
  } else if (list.covers(timestamp) && (held.has(key) || held.size < MAX_HELD)) {
    held.set(key, html);
    showHeld();
  }
}

function onRemove({ key }) {
  list.remove(key);
  if (held.delete(key)) showHeld();
}

function onSummary({ html }) {
  const summary = document.querySelector("#summary");
  summary.innerHTML = html;
  localise(summary);
}

function announce() {
  arrived += 1;
  announcing ??= setTimeout(() => {
    say(arrived === 1 ? "1 new change." : `${arrived} new changes.`);
    arrived = 0;
    announcing = null;
  }, ANNOUNCE_MILLISECONDS);
}

function say(text) {
  if (status.textContent !== text) status.textContent = text;
}

function showHeld() {
  heldButton.hidden = held.size === 0;
  const number = held.size === MAX_HELD ? `${MAX_HELD} or more` : held.size;
  heldButton.textContent = `View ${number} new change${held.size === 1 ? "" : "s"}`;
}

function release() {
  if (held.size === MAX_HELD) return load(location.href);
  for (const [key, html] of held) list.put(key, html);
  held.clear();
  showHeld();
}

// Takes over from another address what depends on the filters.
async function load(url) {
  loading?.abort();
  loading = new AbortController();
  feed.close();
  document.querySelector("#results").ariaBusy = "true";
  try {
    const answer = await fetch(url, { signal: loading.signal, headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of PARTS) document.getElementById(id).replaceWith(page.getElementById(id));
    describeLevels(page);
    showAddress();
    start();
  } catch (error) {
    if (error.name !== "AbortError") location.assign(url);
  }
}

// A wiki may have levels of its own; the boxes stay, because one of them has the focus.
function describeLevels(page) {
  const descriptions = page.querySelectorAll(".risks small");
  form.querySelectorAll(".risks small").forEach((small, index) => {
    small.textContent = descriptions[index].textContent;
  });
}

// The shortest address of the filters, so that it can be shared.
function showAddress() {
  const { query } = document.querySelector("#results").dataset;
  history.replaceState(null, "", query ? `${PATH}?${query}` : PATH);
}

function apply(event) {
  event.preventDefault();
  load(`${PATH}?${new URLSearchParams(new FormData(form))}`);
}

form.addEventListener("change", apply);
form.addEventListener("submit", apply);
live.addEventListener("change", () => live.checked && release());
heldButton.addEventListener("click", release);
addEventListener("pagehide", () => feed.close());
addEventListener("pageshow", (event) => event.persisted && load(location.href));

document.querySelector(".live").hidden = false;
showAddress();
start();
