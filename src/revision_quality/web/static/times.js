// Times in the time zone that the reader has chosen, else in that of the device.

import { text } from "./texts.js";

const chosen = document.documentElement.dataset.zone;
const timeZone = chosen || undefined;

// MediaWiki writes English dates as "2 July 2008".
const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone });
const day = new Intl.DateTimeFormat(language, { dateStyle: "long", timeZone });
// Swedish writes dates as ISO 8601 does.
const iso = new Intl.DateTimeFormat("sv", { dateStyle: "short", timeZone });
const full = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short", hourCycle: "h23", timeZone });

const number = new Intl.NumberFormat(language, { numberingSystem: "latn" });
const sizes = document.body.dataset.sizes;

export const zone = clock.resolvedOptions().timeZone;

export function dayOf(moment) {
  const date = new Date(moment);
  return { key: iso.format(date), heading: day.format(date) };
}

export function localise(element, inFull = false) {
  for (const time of element.querySelectorAll("time")) {
    const date = new Date(time.dateTime);
    time.textContent = (time.dataset.style || inFull ? full : clock).format(date);
    time.title = full.format(date);
  }
  for (const size of element.querySelectorAll("[data-size]")) {
    size.title = sizes.replace("{n}", number.format(size.dataset.size));
  }
}

export function ageOf(seconds) {
  if (seconds < 120) return text("seconds", { n: Math.round(seconds) });
  if (seconds < 7200) return text("minutes", { n: Math.round(seconds / 60) });
  if (seconds < 172800) return text("hours", { n: Math.round(seconds / 3600) });
  return text("days", { n: Math.round(seconds / 86400) });
}
