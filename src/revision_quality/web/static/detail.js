// A change closely, below its row: the same as on its own page.

import { localise } from "./times.js";
import { inLanguage, text } from "./texts.js";

export function isOpen(row) {
  return panelOf(row) !== null;
}

export async function toggle(row) {
  if (isOpen(row)) return close(row);
  const panel = document.createElement("div");
  panel.className = "panel";
  panel.id = `panel-${row.id}`;
  panel.textContent = text("loading");
  panel.ariaBusy = "true";
  row.append(panel);
  tie(row, panel);
  await fill(row, panel);
}

// An open panel tells of other edits too, the one before it above all: what is hidden of them must
// go at once.
export function renew(key) {
  for (const told of document.querySelectorAll(".panel > [data-of]")) {
    if (!told.dataset.of.split(" ").includes(key)) continue;
    const panel = told.parentElement;
    panel.textContent = text("loading");
    panel.ariaBusy = "true";
    fill(panel.parentElement, panel);
  }
}

async function fill(row, panel) {
  const detail = await pageOf(row);
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

// What is told of a row's change, from the panel where it is open, else from its own page. The
// server has cleaned the diff and escaped all else; a parsed document runs no script.
async function pageOf(row) {
  return loaded(row) ?? read(linkOf(row).href);
}

// What can be done with it alone, for which no wiki is asked.
export async function actionsOf(row) {
  return loaded(row) ?? read(`${linkOf(row).href}?only=actions`);
}

function loaded(row) {
  const panel = panelOf(row);
  return panel?.querySelector(".actions") && panel.ariaBusy !== "true" ? panel : null;
}

async function read(url) {
  try {
    const answer = await fetch(inLanguage(url), { headers: { Accept: "text/html" } });
    if (!answer.ok) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.getElementById("detail");
  } catch {
    return null;
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
