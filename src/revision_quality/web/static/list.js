// The list of changes: rows under the headings of their days, each in its place.

import { carryOver } from "./detail.js";
import { isBefore, momentOf, rankOf } from "./order.js";
import { dayOf, localise } from "./times.js";

export class ChangeList {
  // `patrol` keeps the focus and knows what has been handled.
  constructor(results, patrol) {
    this.results = results;
    this.patrol = patrol;
    this.days = results.querySelector("#changes");
    this.limit = Number(results.dataset.limit);
    this.hasMore = "more" in results.dataset;
    this.isQueue = "order" in results.dataset;
    this.isGrouped = "grouped" in results.dataset;
    const rows = this.rows();
    if (this.isGrouped) {
      for (const row of rows) this.dress(row);
      return;
    }
    const heading = this.days.querySelector("h2")?.textContent;
    this.queueHeading = heading ?? "";
    this.days.replaceChildren();
    for (const row of rows) this.place(row);
  }

  rows() {
    return [...this.days.querySelectorAll("li[id]")];
  }

  has(key) {
    return this.row(key) !== null;
  }

  // Rows older than the last one of a full page belong to the next page.
  covers(rank) {
    const last = this.rows().at(-1);
    return !this.hasMore || !last || rank >= rankOf(last);
  }

  put(key, html) {
    const row = rowFrom(html);
    const old = this.row(key);
    if (old && (this.isGrouped || rankOf(old) === rankOf(row))) {
      this.replace(old, row);
      return false;
    }
    if (old) this.remove(key);
    row.classList.add("fresh");
    this.place(row);
    this.trim();
    this.results.querySelector(".empty")?.remove();
    return true;
  }

  remove(key) {
    const row = this.row(key);
    if (!row) return;
    const section = row.closest("section");
    this.patrol.leave(row);
    row.remove();
    if (!section.querySelector("li")) section.remove();
  }

  row(key) {
    const found = document.getElementById(key);
    return found && this.days.contains(found) ? found : null;
  }

  // The row or the link that has the focus keeps it.
  replace(old, row) {
    this.dress(row);
    carryOver(old, row);
    const isFocused = old === document.activeElement;
    const focused = [...old.querySelectorAll("a")].indexOf(document.activeElement);
    if (old.tabIndex === 0) row.tabIndex = 0;
    old.replaceWith(row);
    if (isFocused) row.focus();
    if (focused >= 0) row.querySelectorAll("a")[focused]?.focus();
  }

  place(row) {
    this.dress(row);
    const day = this.isQueue ? { key: "queue", heading: this.queueHeading } : dayOf(momentOf(row));
    const list = this.sectionFor(day).querySelector("ul");
    const next = [...list.children].find((other) => isBefore(row, other));
    list.insertBefore(row, next ?? null);
  }

  dress(row) {
    localise(row, this.isQueue);
    this.patrol.show(row);
  }

  sectionFor({ key, heading }) {
    const sections = [...this.days.children];
    const same = sections.find((section) => section.dataset.day === key);
    if (same) return same;
    const section = document.createElement("section");
    section.dataset.day = key;
    section.append(document.createElement("h2"), document.createElement("ul"));
    section.firstChild.textContent = heading;
    const next = sections.find((other) => other.dataset.day < key);
    this.days.insertBefore(section, next ?? null);
    return section;
  }

  trim() {
    for (const row of this.rows().slice(this.limit)) {
      this.remove(row.id);
      this.hasMore = true;
    }
  }
}

// The server has escaped all that comes from wikis (Jinja2 autoescape); a template runs no script.
function rowFrom(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}
