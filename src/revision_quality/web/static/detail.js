// A change closely, below its row: the same as on its own page.

import { localise } from "./times.js";
import { inLanguage, text } from "./texts.js";

// Of each answer under way, the keys of what is hidden meanwhile.
const underWay = new Set();

export function isOpen(row) {
  return panelOf(row) !== null;
}

export async function toggle(row) {
  if (isOpen(row)) return close(row);
  const panel = document.createElement("div");
  panel.className = "panel";
  panel.id = `panel-${row.id}`;
  row.append(panel);
  tie(row, panel);
  await fill(row, panel);
}

// An open panel tells of other edits, too: what is hidden of them must go at once.
export function renew(key) {
  for (const hidden of underWay) hidden.add(key);
  for (const told of document.querySelectorAll(".panel > [data-of]")) {
    if (!told.dataset.of.split(" ").includes(key)) continue;
    const panel = told.parentElement;
    if (panel.contains(document.activeElement)) panel.parentElement.focus();
    fill(panel.parentElement, panel);
  }
}

async function fill(row, panel) {
  panel.textContent = text("loading");
  panel.ariaBusy = "true";
  const detail = await read(linkOf(row).href);
  if (detail) {
    panel.replaceChildren(...detail.childNodes);
    for (const button of panel.querySelectorAll("button[hidden]")) button.hidden = false;
    for (const heading of panel.querySelectorAll("h2")) heading.ariaLevel = "3";
    localise(panel);
  } else {
    panel.textContent = text("not-loaded");
  }
  panel.ariaBusy = null;
}

// What can be done, for which no wiki is asked.
export async function actionsOf(row) {
  const panel = panelOf(row);
  return panel?.querySelector(".actions") ? panel : read(`${linkOf(row).href}?only=actions`);
}

// The server has cleaned the diff and escaped all else; a parsed document runs no script.
async function read(url) {
  const hidden = new Set();
  underWay.add(hidden);
  try {
    const answer = await fetch(inLanguage(url), { headers: { Accept: "text/html" } });
    if (!answer.ok) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const detail = page.getElementById("detail");
    const of = detail.querySelector("[data-of]").dataset.of.split(" ");
    return of.some((key) => hidden.has(key)) ? read(url) : detail;
  } catch {
    return null;
  } finally {
    underWay.delete(hidden);
  }
}

// What was open stays so when a row is replaced, but not what may have been hidden meanwhile.
export function carryOver(old, row) {
  const panel = panelOf(old);
  if (!panel || row.querySelector(".history-deleted")) return;
  row.append(panel);
  tie(row, panel);
}

export function openByClick(list) {
  list.addEventListener("click", (event) => {
    const link = event.target.closest("li[id] > a.risk");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    toggle(link.parentElement);
  });
}

function close(row) {
  panelOf(row).remove();
  linkOf(row).ariaExpanded = "false";
  linkOf(row).removeAttribute("aria-controls");
}

function tie(row, panel) {
  linkOf(row).ariaExpanded = "true";
  linkOf(row).setAttribute("aria-controls", panel.id);
}

function linkOf(row) {
  return row.querySelector(":scope > .risk");
}

function panelOf(row) {
  return row.querySelector(":scope > .panel");
}
