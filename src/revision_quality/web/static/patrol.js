// Going through the rows: one of them is current, keys act on it.

import { act } from "./act.js";
import { isOpen, pageOf, toggle } from "./detail.js";
import { stored, store } from "./stored.js";
import { text } from "./texts.js";

const HANDLED = "revq-handled";
const MAX_HANDLED = 2000;

export class Patrol {
  // `rows` gives the rows in their order, `say` tells the reader, `remove` takes a row away.
  constructor(rows, say, remove) {
    this.rows = rows;
    this.say = say;
    this.remove = remove;
    this.handled = new Set(stored(HANDLED, []));
  }

  get current() {
    return document.activeElement?.closest?.("#changes li[id]") ?? document.querySelector("#changes li[tabindex='0']");
  }

  // Only the current row is in the order of the Tab key, beside the links in the rows.
  go(row) {
    if (!row) return this.say(text("end"));
    for (const other of document.querySelectorAll("#changes li[tabindex]")) other.removeAttribute("tabindex");
    row.tabIndex = 0;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: isOpen(row) ? "start" : "nearest" });
  }

  move(by) {
    const rows = this.rows();
    const current = document.activeElement?.closest?.("#changes li[id]");
    const last = document.querySelector("#changes li[tabindex='0']");
    const at = rows.indexOf(current ?? last);
    if (!current && last) return this.go(last);
    this.go(rows[at < 0 ? 0 : at + by]);
  }

  // Before a row goes away: the focus must not be lost with it.
  leave(row) {
    if (!row.contains(document.activeElement)) return;
    const rows = this.rows();
    const at = rows.indexOf(row);
    const next = rows[at + 1] ?? rows[at - 1];
    if (next) this.go(next);
  }

  async diff() {
    const row = this.current;
    if (!row) return;
    await toggle(row);
    this.go(row);
  }

  // Undo and rollback are done here by who has logged in to the wiki; else they end on the wiki's own
  // page, which asks once more.
  async follow(action) {
    const row = this.current;
    if (!row) return;
    const page = await pageOf(row);
    const button = page?.querySelector(`[data-act=${action}]`);
    const link = page?.querySelector(`.act-${action}`);
    if (button) await this.act(row, button.form);
    else if (link) open(link.href, "_blank", "noopener");
    else this.say(text("not-loaded"));
  }

  async act(row, form) {
    const outcome = await act(form);
    if (outcome?.isDone) this.mark(row);
    else this.go(row);
    if (outcome) this.say(outcome.said);
  }

  async judge(verdict, done) {
    const row = this.current;
    if (!row) return;
    const [wiki_id, rev_id] = partsOf(row.id);
    const answer = await fetch("/v1/verdicts", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ wiki_id, rev_id, verdict }),
    }).catch(() => null);
    if (!answer?.ok) return this.say(text("not-taken"));
    this.mark(row);
    this.say(done);
  }

  mark(row) {
    this.handled.add(row.id);
    store(HANDLED, [...this.handled].slice(-MAX_HANDLED));
    this.show(row);
    if (document.querySelector("#results").dataset.order) this.remove(row.id);
    else this.move(1);
  }

  show(row) {
    row.classList.toggle("handled", this.handled.has(row.id));
  }
}

function partsOf(key) {
  const colon = key.lastIndexOf(":");
  return [key.slice(0, colon), Number(key.slice(colon + 1))];
}
