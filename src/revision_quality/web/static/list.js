// The list of changes: rows under the headings of their days, each in its place.

import { carryOver, isOpen } from "./detail.js";
import { cursorOf, isBefore, momentOf, rankOf } from "./order.js";
import { dayOf, localise } from "./times.js";

export class ChangeList {
  // `patrol` keeps the focus and knows what has been handled; `onEmpty` is called without rows.
  constructor(results, patrol, onEmpty) {
    this.results = results;
    this.patrol = patrol;
    this.onEmpty = onEmpty;
    this.days = results.querySelector("#changes");
    this.empty = results.querySelector(".empty");
    this.older = results.querySelector("[rel=next]");
    this.limit = Number(results.dataset.limit);
    this.hasMore = "more" in results.dataset;
    this.isQueue = "order" in results.dataset;
    this.isGrouped = "grouped" in results.dataset;
    const rows = this.rows();
    if (this.isGrouped) {
      for (const row of rows) this.dress(row);
      const isOfOtherDay = (row) => dayOf(momentOf(row)).key !== row.closest("section").dataset.day;
      this.isOfOtherDays = !this.isQueue && rows.some(isOfOtherDay);
      return;
    }
    this.queueHeading = this.days.querySelector("h2")?.textContent ?? "";
    this.days.replaceChildren();
    for (const row of rows) this.place(row);
  }

  // For each event: it must not look at all that is in the rows.
  rows() {
    if (this.isGrouped) return [...this.days.querySelectorAll("li[id]")];
    return [...this.days.children].flatMap((day) => [...day.lastElementChild.children]);
  }

  // Rows older than the last one of a full page belong to the next page.
  covers(rank) {
    const rows = this.rows();
    const last = rows[this.limit - 1] ?? rows.at(-1);
    return !this.hasMore || !last || rank >= rankOf(last);
  }

  put(key, html) {
    const row = rowFrom(html);
    const old = this.row(key);
    if (old) {
      this.replace(old, row, !this.isGrouped && rankOf(old) !== rankOf(row));
      return false;
    }
    row.classList.add("fresh");
    this.place(row);
    this.trim();
    this.empty?.remove();
    return true;
  }

  remove(key) {
    const row = this.row(key);
    if (!row) return;
    const around = [row.closest("li.group"), row.closest("section")];
    this.patrol.leave(row);
    row.remove();
    const count = around[0]?.querySelector("summary").lastChild;
    if (count) count.data = count.data.replace(/\d+/, around[0].querySelectorAll("li[id]").length);
    for (const part of around) if (part && !part.querySelector("li[id]")) part.remove();
    if (!this.days.firstElementChild) this.onEmpty();
  }

  row(key) {
    const found = document.getElementById(key);
    return found && this.days.contains(found) ? found : null;
  }

  unfolded() {
    return [...this.days.querySelectorAll(".group > [open] li[id]")].map(({ id }) => id);
  }

  unfold(keys) {
    for (const key of keys) this.row(key)?.closest(".group > details")?.setAttribute("open", "");
  }

  // The row, or what in it has the focus, keeps it, wherever the row goes.
  replace(old, row, isMoved) {
    const focused = document.activeElement;
    const link = [...old.querySelectorAll("a")].indexOf(focused);
    const hadFocus = old.contains(focused);
    this.dress(row);
    carryOver(old, row);
    if (old.tabIndex === 0) row.tabIndex = 0;
    old.replaceWith(row);
    if (isMoved) this.place(row);
    if (!hadFocus) return;
    const same = row.contains(focused) ? focused : row.querySelectorAll("a")[link];
    (same ?? row).focus({ preventScroll: true });
  }

  place(row) {
    this.dress(row);
    const day = this.isQueue ? { key: "queue", heading: this.queueHeading } : dayOf(momentOf(row));
    const list = this.sectionFor(day).querySelector("ul");
    const next = [...list.children].find((other) => other !== row && isBefore(row, other));
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
    section.innerHTML = "<h2></h2><ul></ul>";
    section.firstChild.textContent = heading;
    const next = sections.find((other) => other.dataset.day < key);
    this.days.insertBefore(section, next ?? null);
    return section;
  }

  // What is open or has the focus is being read: it stays.
  trim() {
    const rows = this.rows();
    const surplus = rows.slice(this.limit).filter((row) => !isOpen(row) && !row.contains(document.activeElement));
    for (const row of surplus) this.remove(row.id);
    if (!surplus.length) return;
    this.hasMore = true;
    const { older } = this;
    const address = new URL(older.href);
    address.searchParams.set("before", cursorOf(rows[this.limit - 1]));
    older.href = address;
    older.hidden = false;
  }
}

// The server has escaped all that comes from wikis (Jinja2 autoescape); a template runs no script.
function rowFrom(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}
