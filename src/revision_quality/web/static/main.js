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

const ANNOUNCE_MILLISECONDS = 3000;
const LAG_MILLISECONDS = 5000;
const RELOAD_MILLISECONDS = 5000;
const FAILURE_MILLISECONDS = 8000;
const MAX_HELD = 500;
const MAX_TOLD = 3;
const PARTS = ["summary", "active", "results", "json"];
const PATH = document.querySelector("#filters").getAttribute("action");

const TITLE = document.title;

const form = document.querySelector("#filters");
const live = document.querySelector("#live");
const status = document.querySelector("#status");
const outcome = document.querySelector("#outcome");
const heldButton = document.querySelector("#held");

const patrol = new Patrol(() => list.rows(), tell, (key) => list.remove(key));
const lagText = document.querySelector("#lag").dataset.text;
const showSaved = keepFilters(document.querySelector("#saved"), PATH, () => document.querySelector("#results").dataset.query, tell);
let list;
let feed;
let held = new Map();
let arrived = 0;
let announcing = null;
let unseen = 0;
let loading = null;
let isZoneTold = false;

function start() {
  const results = document.querySelector("#results");
  document.querySelector("#zone").textContent = zone;
  localise(document.querySelector("#summary"));
  form.elements.order.value = results.dataset.order ?? "newest";
  list = new ChangeList(results, patrol, () => load(location.href));
  showSaved();
  tellLag();
  openByClick(results);
  held = new Map();
  showHeld();
  feed = new Feed(PATH, results.dataset.query, results.dataset.seq, {
    change: onChange,
    remove: onRemove,
    summary: onSummary,
    reset: () => load(location.href),
    state: (state) => say(state === "open" ? text("up-to-date") : text("lost")),
  });
  // Groups are of days, and the server makes them: once in its own time zone, then in the reader's.
  if (list.isOfOtherDays && !isZoneTold) {
    isZoneTold = true;
    load(location.href);
  }
}

function onChange({ key, rank, html }) {
  if (html.includes("history-deleted")) forget(key);
  if (list.has(key) || (live.checked && !list.isGrouped)) {
    if (!list.has(key) && !list.covers(rank)) return;
    if (list.put(key, html)) announce();
  } else if (list.covers(rank) && (held.has(key) || held.size < MAX_HELD)) {
    held.set(key, html);
    showHeld();
  }
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
}

function onSummary({ html }) {
  const summary = document.querySelector("#summary");
  summary.innerHTML = html;
  localise(summary);
  tellLag();
}

// How far behind the clock the newest score is: what is shown may be no older than that.
function tellLag() {
  const newest = document.querySelector("#summary time");
  const seconds = newest ? Math.max(0, (Date.now() - Date.parse(newest.dateTime)) / 1000) : null;
  document.querySelector("#lag").textContent = seconds === null ? "" : lagText.replace("{age}", ageOf(seconds));
}

function announce() {
  arrived += 1;
  if (document.hidden) {
    unseen += 1;
    count();
  }
  announcing ??= setTimeout(() => {
    say(text("new", { n: arrived }));
    arrived = 0;
    announcing = null;
  }, ANNOUNCE_MILLISECONDS);
}

function say(text) {
  if (status.textContent !== text) status.textContent = text;
}

// What became of a key stays to be read until the next one; what failed stays longer, for a quick
// hand does not wait for it.
function tell(said, isFailure = false) {
  const line = document.createElement("p");
  line.textContent = said;
  line.dataset.until = isFailure ? performance.now() + FAILURE_MILLISECONDS : 0;
  outcome.append(line);
  if (outcome.children.length > MAX_TOLD) outcome.firstChild.remove();
}

function hush() {
  for (const line of [...outcome.children]) if (line.dataset.until < performance.now()) line.remove();
}

function showHeld() {
  heldButton.hidden = held.size === 0;
  const n = held.size === MAX_HELD ? text("or-more", { n: MAX_HELD }) : held.size;
  heldButton.textContent = text("view-new", { n });
  count();
}

// How many changes nobody has looked at yet, in the tab's title.
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

// Takes over from another address what depends on the filters. While the server is away the page
// stays, and asks again.
async function load(url) {
  loading?.abort();
  loading = new AbortController();
  const { signal } = loading;
  feed.close();
  document.querySelector("#results").ariaBusy = "true";
  try {
    const answer = await fetch(inLanguage(url), { signal, headers: { Accept: "text/html", "Time-Zone": zone } });
    if (!answer.ok && answer.status < 500 && answer.status !== 429) return location.assign(url);
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const keepPlace = place();
    for (const id of PARTS) document.getElementById(id).replaceWith(page.getElementById(id));
    describeLevels(page);
    showAddress();
    start();
    keepPlace();
  } catch {
    if (signal.aborted) return;
    say(text("lost"));
    setTimeout(() => signal.aborted || load(url), RELOAD_MILLISECONDS);
  }
}

// What the reader has in hand; returns what gives it back to them in another list.
function place() {
  const at = patrol.current;
  const hadFocus = document.activeElement === heldButton || list.results.contains(document.activeElement);
  const open = list.rows().filter(isOpen);
  return () => {
    for (const { id } of open) if (list.has(id)) toggle(list.row(id));
    const row = (at && list.row(at.id)) ?? list.rows()[0];
    if (row && hadFocus) patrol.go(row);
    else if (row && at) row.tabIndex = 0;
  };
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
  const { query, uselang } = document.querySelector("#results").dataset;
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

const judgements = {
  fine: () => patrol.judge("fine", text("fine")),
  false_positive: () => patrol.judge("false_positive", text("wrong")),
};

const acts = {
  next: () => patrol.move(1),
  previous: () => patrol.move(-1),
  diff: () => patrol.diff(),
  open: () => patrol.follow("open"),
  history: () => patrol.follow("hist"),
  undo: () => patrol.follow("undo"),
  rollback: () => patrol.follow("rollback"),
  fine: judgements.fine,
  wrong: judgements.false_positive,
  filter: () => form.querySelector("input").focus(),
  pause: () => live.click(),
  release,
  help: toggleHelp,
  close: () => closeCurrent(),
};

listen((name) => {
  hush();
  return acts[name]();
});

function closeCurrent() {
  const row = patrol.current;
  if (row && isOpen(row)) patrol.diff();
  else if (document.activeElement.closest("form")) patrol.go(row ?? list.rows()[0]);
}

document.querySelector("#keys .shut").addEventListener("click", toggleHelp);
document.querySelector("#help").addEventListener("click", toggleHelp);
document.querySelector(".hint").hidden = false;
document.addEventListener("click", (event) => {
  hush();
  const row = event.target.closest("#changes li[id]");
  if (row) patrol.take(row);
  const button = event.target.closest(".panel button[data-verdict]");
  if (button) judgements[button.dataset.verdict]();
});
document.addEventListener("submit", (event) => {
  const row = event.target.closest("li[id]");
  if (!row || !event.submitter?.dataset.act) return;
  event.preventDefault();
  patrol.act(row.id, event.target);
});
form.addEventListener("change", apply);
form.addEventListener("submit", apply);
live.addEventListener("change", () => live.checked && release());
heldButton.addEventListener("click", release);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unseen = 0;
  count();
});
setInterval(tellLag, LAG_MILLISECONDS);
live.addEventListener("change", () => !live.checked && say(text("paused")));
addEventListener("pagehide", () => feed.close());
addEventListener("pageshow", (event) => event.persisted && load(location.href));

document.querySelector(".live").hidden = false;
showAddress();
start();
