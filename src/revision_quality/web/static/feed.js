// Keeps the list in step with the server.

import { inLanguage } from "./texts.js";

const RECONNECT_MS = 5000;
// The server says something every 15 seconds at least; a network may lose a connection silently.
const SILENCE_MS = 50000;

export class Feed {
  // `handlers` has one for each event, and `state` for whether it is open.
  constructor(path, query, seq, handlers) {
    this.url = `${path}/events?${query ? `${query}&` : ""}since=`;
    this.seq = seq;
    this.handlers = handlers;
    this.open();
  }

  open() {
    this.source = new EventSource(inLanguage(this.url + this.seq));
    for (const name of ["change", "remove", "summary", "reset", "alive"]) {
      this.source.addEventListener(name, (event) => {
        this.hear();
        this.seq = event.lastEventId;
        this.handlers[name]?.(JSON.parse(event.data));
      });
    }
    this.hear();
    this.source.onopen = () => this.handlers.state(true);
    this.source.onerror = () => this.wait();
  }

  // EventSource comes back by itself after a lost connection, but not after an error's answer.
  wait() {
    this.handlers.state(false);
    if (this.source.readyState === EventSource.CLOSED) this.timer = setTimeout(() => this.open(), RECONNECT_MS);
  }

  hear() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.close();
      this.open();
    }, SILENCE_MS);
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    this.source.close();
  }
}
