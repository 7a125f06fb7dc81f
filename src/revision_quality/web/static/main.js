// Beyond plain HTML: local times, live rows, filters that apply at once.

import { retract } from "./act.js";
import { isOpen, openByClick, renew, toggle } from "./detail.js";
import { Feed } from "./feed.js";
import { ChangeList } from "./list.js";
import { listen, toggleHelp } from "./keys.js";
import { Patrol } from "./patrol.js";
import { inLanguage, text } from "./texts.js";
import { ageOf, localise, zone } from "./times.js";
import { keepFilters } from "./saved.js";

const ANNOUNCE_MS = 3000;
// A busy wiki must not talk all the time.
const QUIET_MS = 20000;
const LAG_MS = 5000;
const RELOAD_MS = 5000;
const FAILURE_MS = 8000;
const MAX_HELD = 500;
const MAX_TOLD = 3;
const PARTS = ["summary", "active", "results", "json"];
const byId = (id) => document.getElementById(id);
const PATH = byId("filters").getAttribute("action");

const TITLE = document.title;

const form = byId("filters");
const live = byId("live");
const status = byId("status");
const outcome = byId("outcome");
const heldButton = byId("held");

const patrol = new Patrol(() => list.rows(), tell, (key) => list.remove(key));
const lagText = byId("lag").dataset.text;
const showSaved = keepFilters(byId("saved"), PATH, () => byId("results").dataset.query, tell);
let list;
let feed;
let held = new Map();
let arrived = 0;
let announcing = null;
let announced = -QUIET_MS;
let newest = null;
let unseen = 0;
let loading = null;
let isZoneTold = false;

function start() {
  const results = byId("results");
  byId("zone").textContent = zone;
  localise(byId("summary"));
  form.elements.order.value = results.dataset.order ?? "newest";
  list = new ChangeList(results, patrol, () => load(location.href));
  showSaved();
  readSummary();
  openByClick(results);
  held = new Map();
  showHeld();
  feed = new Feed(PATH, results.dataset.query, results.dataset.seq, {
    change: onChange,
    remove: onRemove,
    summary: onSummary,
    reset: () => load(location.href),
    state: (isOpen) => say(isOpen ? idle() : text("lost")),
  });
  // The server makes groups of days: once in its own time zone, then in the reader's.
  if (list.isOfOtherDays && !isZoneTold) {
    isZoneTold = true;
    load(location.href);
  }
}

function onChange({ key, rank, html }) {
  if (html.includes("history-deleted")) forget(key);
  const isHere = list.row(key) || list.covers(rank);
  if (list.row(key) || (live.checked && !list.isGrouped)) {
    if (isHere && list.put(key, html)) announce();
  } else if (isHere && (held.has(key) || held.size < MAX_HELD)) {
    held.set(key, html);
    showHeld();
  } else if (held.delete(key)) showHeld();
}

function onRemove({ key }) {
  forget(key);
  list.remove(key);
  if (held.delete(key)) showHeld();
}

// What is hidden or deleted goes from all that tells of it.
function forget(key) {
  renew(key);
  retract(key);
  hush((line) => line.key === key);
}

function onSummary({ html }) {
  const summary = byId("summary");
  summary.innerHTML = html;
  localise(summary);
  readSummary();
}

// The server says how old the newest score was: this clock may be wrong.
function readSummary() {
  const age = document.querySelector("#summary time")?.dataset.age;
  newest = age && clocks().map((now) => now - age * 1000);
  tellLag();
}

function tellLag() {
  const age = newest && Math.max(...clocks().map((now, which) => now - newest[which]));
  byId("lag").textContent = newest ? lagText.replace("{age}", ageOf(age / 1000)) : "";
}

// Where the machine slept, only one of the two may have gone on.
function clocks() {
  return [performance.now(), Date.now()];
}

function announce() {
  arrived += 1;
  if (document.hidden) {
    unseen += 1;
    count();
  }
  announcing ??= setTimeout(() => {
    status.textContent = text("new", { n: arrived });
    announced = performance.now();
    arrived = 0;
    announcing = null;
  }, Math.max(ANNOUNCE_MS, announced + QUIET_MS - performance.now()));
}

function idle() {
  return text(live.checked ? "up-to-date" : "paused");
}

function say(text) {
  if (status.textContent !== text) status.textContent = text;
}

// What became of a key stays until the next one; what failed longer.
function tell(said, isFailure, key) {
  const line = document.createElement("p");
  line.textContent = said;
  line.dataset.key = key;
  line.dataset.until = isFailure ? performance.now() + FAILURE_MS : 0;
  outcome.append(line);
  if (outcome.children.length > MAX_TOLD) outcome.firstChild.remove();
}

function hush(isOver = ({ until }) => until < performance.now()) {
  for (const line of [...outcome.children]) if (isOver(line.dataset)) line.remove();
}

function showHeld() {
  heldButton.hidden = held.size === 0;
  const n = held.size === MAX_HELD ? text("or-more", { n: MAX_HELD }) : held.size;
  heldButton.textContent = text("view-new", { n });
  count();
}

// The number of changes not looked at yet.
function count() {
  const number = held.size + unseen;
  document.title = number ? `(${number}) ${TITLE}` : TITLE;
}

function release() {
  const byButton = document.activeElement === heldButton;
  if (held.size === MAX_HELD || list.isGrouped) return load(location.href);
  for (const [key, html] of held) list.put(key, html);
  held.clear();
  showHeld();
  if (byButton) patrol.go(list.rows()[0]);
}

// Takes over from another address what depends on the filters; asks again while the server is away.
async function load(url) {
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  feed.close();
  byId("results").ariaBusy = "true";
  try {
    const answer = await fetch(inLanguage(url), { signal, headers: { Accept: "text/html", "Time-Zone": zone } });
    if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) return location.assign(url);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    // A login page of the network may answer instead.
    if (PARTS.some((id) => !page.getElementById(id))) throw answer;
    if (!page.querySelector(`[src="${new URL(import.meta.url).pathname}"]`)) return location.replace(url);
    const keepPlace = place();
    for (const id of PARTS) byId(id).replaceWith(page.getElementById(id));
    describeLevels(page);
    showAddress();
    start();
    keepPlace();
  } catch {
    if (signal.aborted) return;
    say(text("lost"));
    setTimeout(() => signal.aborted || load(url), RELOAD_MS);
  }
}

// What the reader has in hand; returns what gives it back in another list.
function place() {
  const at = patrol.current;
  const hadFocus = document.activeElement === heldButton || list.results.contains(document.activeElement);
  const open = list.rows().filter(isOpen);
  const unfolded = list.unfolded();
  return () => {
    list.unfold(unfolded);
    for (const { id } of open) if (list.row(id)) toggle(list.row(id));
    const row = (at && list.row(at.id)) ?? list.rows()[0];
    if (row && hadFocus) patrol.go(row);
    else if (row && at) row.tabIndex = 0;
  };
}

// A wiki may have levels of its own; the boxes stay: one has the focus.
function describeLevels(page) {
  const descriptions = page.querySelectorAll(".risks small");
  form.querySelectorAll(".risks small").forEach((small, index) => {
    small.textContent = descriptions[index].textContent;
  });
}

// The shortest address of the filters, to be shared.
function showAddress() {
  const { query, uselang } = byId("results").dataset;
  const asked = [query, uselang && `uselang=${uselang}`].filter(Boolean).join("&");
  // A bare address opens the reader's default filters.
  const bare = location.search ? "?urlversion=2" : "";
  history.replaceState(null, "", PATH + (asked ? `?${asked}` : bare));
  for (const back of document.querySelectorAll(".preferences [name=back]")) back.value = query;
  for (const login of document.querySelectorAll("a.preferences")) login.search = new URLSearchParams({ back: query });
}

function apply(event) {
  event.preventDefault();
  load(`${PATH}?${new URLSearchParams(new FormData(form))}`);
}

const acts = {
  next: () => patrol.move(1),
  previous: () => patrol.move(-1),
  diff: () => patrol.diff(),
  open: () => patrol.follow("open"),
  history: () => patrol.follow("hist"),
  undo: () => patrol.follow("undo"),
  rollback: () => patrol.follow("rollback"),
  fine: () => patrol.judge("fine", text("fine")),
  wrong: () => patrol.judge("false_positive", text("wrong")),
  filter: () => form.querySelector("input").focus(),
  pause: () => live.click(),
  release,
  help: toggleHelp,
  close: () => closeCurrent(),
};

listen((name) => {
  hush();
  acts[name]();
});

function closeCurrent() {
  const row = patrol.current;
  const isAway = document.activeElement !== document.body && !list.results.contains(document.activeElement);
  if (isAway) patrol.go(row ?? list.rows()[0]);
  else if (row && isOpen(row)) patrol.diff();
}

document.querySelector("#keys .shut").addEventListener("click", toggleHelp);
byId("help").addEventListener("click", toggleHelp);
document.addEventListener("click", (event) => {
  hush();
  const row = event.target.closest("#changes li[id]");
  if (row) patrol.take(row);
  const button = event.target.closest(".panel button[data-verdict]");
  if (button) acts[button.dataset.verdict === "fine" ? "fine" : "wrong"]();
});
document.addEventListener("submit", (event) => {
  const row = event.target.closest("li[id]");
  if (!row || !event.submitter?.dataset.act) return;
  event.preventDefault();
  patrol.act(row.id, event.target);
});
form.addEventListener("change", apply);
form.addEventListener("submit", apply);
live.addEventListener("change", () => {
  if (live.checked) release();
  say(idle());
});
heldButton.addEventListener("click", release);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unseen = 0;
  count();
});
setInterval(tellLag, LAG_MS);
addEventListener("pagehide", () => feed.close());
addEventListener("pageshow", (event) => event.persisted && load(location.href));

for (const part of document.querySelectorAll(".hint, .live")) part.hidden = false;
showAddress();
start();
