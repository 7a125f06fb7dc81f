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
    const group = row.closest("details");
    if (group) group.open = true;
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

  // Before a row goes away: the focus must not be lost with it, nor the place.
  leave(row) {
    const hasFocus = row.contains(document.activeElement);
    if (!hasFocus && row.tabIndex !== 0) return;
    const rows = this.rows();
    const at = rows.indexOf(row);
    const next = rows[at + 1] ?? rows[at - 1];
    if (hasFocus && next) this.go(next);
    else if (next) next.tabIndex = 0;
  }

  // The row has the focus at once; who has gone on when its diff comes is not called back.
  async diff() {
    const row = this.current;
    if (!row) return;
    const toggled = toggle(row);
    this.go(row);
    await toggled;
    if (document.activeElement === row) this.go(row);
  }

  // Undo and rollback are done here by who has logged in to the wiki; else they end on the wiki's own
  // page, which asks once more.
  async follow(action) {
    const row = this.current;
    if (!row) return;
    const link = linkIn(row, action);
    if (link) return void open(link.href, "_blank", "noopener");
    const page = await pageOf(row);
    const button = page?.querySelector(`[data-act=${action}]`);
    const act = page?.querySelector(`.act-${action}`);
    if (button) await this.act(row, button.form);
    else if (act) open(act.href, "_blank", "noopener");
    else this.say(text("not-loaded"));
  }

  async act(row, form) {
    const outcome = await act(form);
    if (outcome?.isDone) {
      this.moveFrom(row.id);
      this.mark(row.id);
    } else this.go(this.row(row.id) ?? this.current);
    if (outcome) this.say(outcome.said);
  }

  async judge(verdict, done) {
    const row = this.current;
    if (!row) return;
    const [wiki_id, rev_id] = partsOf(row.id);
    this.moveFrom(row.id);
    const answer = await fetch("/v1/verdicts", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ wiki_id, rev_id, verdict }),
    }).catch(() => null);
    if (!answer?.ok) {
      this.go(this.row(row.id) ?? this.current);
      return this.say(text("not-taken"));
    }
    this.mark(row.id);
    this.say(done);
  }

  // The next row is at hand before the answer is: a quick reader must not judge the same one twice.
  moveFrom(key) {
    const rows = this.rows();
    const at = rows.findIndex((row) => row.id === key);
    if (at >= 0 && this.current === rows[at]) this.go(rows[at + 1]);
  }

  // Other tabs remember in the same place.
  mark(key) {
    this.handled = new Set([...stored(HANDLED, []), ...this.handled, key]);
    store(HANDLED, [...this.handled].slice(-MAX_HANDLED));
    const row = this.row(key);
    if (row) this.show(row);
    if (document.querySelector("#results").dataset.order) this.remove(key);
  }

  row(key) {
    return this.rows().find((row) => row.id === key);
  }

  show(row) {
    row.classList.toggle("handled", this.handled.has(row.id));
  }
}

// The addresses that the row itself has; its page, which waits for the wiki, has all.
function linkIn(row, action) {
  const sign = { open: "?diff=", hist: "action=history" }[action];
  return sign && row.querySelector(`:scope > div:not(.panel) > a[href*="${sign}"]`);
}

function partsOf(key) {
  const colon = key.lastIndexOf(":");
  return [key.slice(0, colon), Number(key.slice(colon + 1))];
}
