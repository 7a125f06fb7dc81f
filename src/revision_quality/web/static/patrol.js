// Going through the rows: one of them is current, keys act on it.

import { confirmed, send } from "./act.js";
import { actionsOf, isOpen, toggle } from "./detail.js";
import { partsOf } from "./order.js";
import { onStored, stored, store } from "./stored.js";
import { text } from "./texts.js";

const HANDLED = "revq-handled";
const MAX_HANDLED = 2000;

export class Patrol {
  // `rows` gives the rows in their order, `tell` says what became of a key, `remove` takes a row away.
  constructor(rows, tell, remove) {
    this.rows = rows;
    this.tell = tell;
    this.remove = remove;
    this.handled = new Set(stored(HANDLED, []));
    onStored(HANDLED, () => {
      this.handled = new Set(stored(HANDLED, []));
      for (const row of rows()) this.show(row);
    });
  }

  get current() {
    return document.activeElement?.closest?.("#changes li[id]") ?? document.querySelector("#changes li[tabindex='0']");
  }

  // A browser need not put the focus on what is clicked.
  take(row) {
    this.#put(row);
    if (!row.contains(document.activeElement)) row.focus({ preventScroll: true });
  }

  #put(row) {
    for (const other of document.querySelectorAll("#changes li[tabindex]")) other.removeAttribute("tabindex");
    row.tabIndex = 0;
  }

  // Only the current row is in the order of the Tab key, beside the links in the rows.
  go(row) {
    if (!row) return this.tell(text("end"));
    const group = row.closest("details");
    if (group) group.open = true;
    this.#put(row);
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: isOpen(row) ? "start" : "nearest" });
  }

  move(by) {
    const { current } = this;
    if (current && !current.contains(document.activeElement)) return this.go(current);
    const rows = this.rows();
    this.go(rows[current ? rows.indexOf(current) + by : 0]);
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

  // Who has gone on when the diff comes is not called back.
  async diff() {
    const row = this.current;
    if (!row) return;
    const toggled = toggle(row);
    this.go(row);
    await toggled;
    if (document.activeElement === row) this.go(row);
  }

  // Undo and rollback are done here by who has logged in; else on the wiki's own page, which asks.
  async follow(action) {
    const row = this.current;
    if (!row) return;
    const link = linkIn(row, action);
    if (link) return void open(link.href, "_blank", "noopener");
    const page = await actionsOf(row);
    const button = page?.querySelector(`[data-act=${action}]`);
    const act = page?.querySelector(`.act-${action}`);
    if (act) open(act.href, "_blank", "noopener");
    else if (!button) this.tell(text(page ? "not-possible" : "not-loaded"));
    // Who has gone on is not asked: the next key is meant for another row.
    else if (this.current?.id === row.id) await this.act(row.id, button.form);
  }

  async act(key, form) {
    const isMeant = await confirmed(key, form);
    if (document.activeElement === document.body) this.go(this.row(key) ?? this.current);
    if (!isMeant) return;
    const { isDone, said } = await send(form);
    if (isDone) {
      this.moveFrom(key);
      this.mark(key);
    }
    this.tell(said, !isDone);
  }

  async judge(verdict, done) {
    const row = this.current;
    if (!row) return;
    const [wiki_id, rev_id] = partsOf(row.id);
    this.moveFrom(row.id);
    const answer = await given(JSON.stringify({ wiki_id, rev_id, verdict }));
    if (!answer?.ok) return this.tell(`${text("not-taken")} ${titleOf(row)}`, true, row.id);
    this.mark(row.id);
    this.tell(done);
  }

  // The next row is at hand before the answer: a quick reader judges none twice.
  moveFrom(key) {
    const { current } = this;
    const rows = this.rows();
    if (current?.id === key) this.go(rows[rows.indexOf(current) + 1]);
  }

  mark(key) {
    this.handled = new Set([...stored(HANDLED, []), ...this.handled, key].slice(-MAX_HANDLED));
    store(HANDLED, [...this.handled]);
    const row = this.row(key);
    if (row) this.show(row);
    if (document.querySelector("#results").dataset.order) this.remove(key);
  }

  row(key) {
    return this.rows().find((row) => row.id === key);
  }

  show(row) {
    const isHandled = row.classList.toggle("handled", this.handled.has(row.id));
    row.ariaDescription = isHandled ? text("handled") : null;
  }
}

// Verdicts that come too quickly for the server wait.
async function given(body, tries = 10) {
  const sent = { method: "POST", headers: { "Content-Type": "application/json" }, body, keepalive: true };
  const answer = await fetch("/v1/verdicts", sent).catch(() => null);
  if (![429, 503].includes(answer?.status) || !tries) return answer;
  await new Promise((go) => setTimeout(go, 1000 * (answer.headers.get("Retry-After") || 1)));
  return given(body, tries - 1);
}

function titleOf(row) {
  return `\u2068${row.querySelector("bdi:not(.wiki)").textContent}\u2069`;
}

// The addresses that the row itself has.
function linkIn(row, action) {
  const sign = { open: "?diff=", hist: "action=history" }[action];
  return sign && row.querySelector(`:scope > div:not(.panel) > a[href*="${sign}"]`);
}
