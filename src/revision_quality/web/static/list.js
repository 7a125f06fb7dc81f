// The list of changes: rows under the headings of their days, each in its place.

import { isBefore, momentOf } from "./order.js";
import { dayOf, localise } from "./times.js";

export class ChangeList {
  constructor(results) {
    this.results = results;
    this.days = results.querySelector("#changes");
    this.limit = Number(results.dataset.limit);
    this.hasMore = "more" in results.dataset;
    const rows = this.rows();
    this.days.replaceChildren();
    for (const row of rows) this.place(row);
  }

  rows() {
    return [...this.days.querySelectorAll("li")];
  }

  has(key) {
    return this.row(key) !== null;
  }

  // Rows older than the last one of a full page belong to the next page.
  covers(timestamp) {
    const last = this.rows().at(-1);
    return !this.hasMore || !last || timestamp * 1000 >= momentOf(last);
  }

  put(key, html) {
    const row = rowFrom(html);
    const old = this.row(key);
    if (old && momentOf(old) === momentOf(row)) {
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
    row.remove();
    if (!section.querySelector("li")) section.remove();
  }

  row(key) {
    const found = document.getElementById(key);
    return found && this.days.contains(found) ? found : null;
  }

  // The link that has the focus keeps it.
  replace(old, row) {
    localise(row);
    const focused = [...old.querySelectorAll("a")].indexOf(document.activeElement);
    old.replaceWith(row);
    if (focused >= 0) row.querySelectorAll("a")[focused]?.focus();
  }

  place(row) {
    localise(row);
    const list = this.sectionFor(dayOf(momentOf(row))).querySelector("ul");
    const next = [...list.children].find((other) => isBefore(row, other));
    list.insertBefore(row, next ?? null);
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
