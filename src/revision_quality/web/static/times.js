// Times in the reader's own time zone.

// MediaWiki writes English dates as "2 July 2008".
const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(language, { dateStyle: "long" });
const full = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short", hourCycle: "h23" });

export const zone = clock.resolvedOptions().timeZone;

export function dayOf(moment) {
  const date = new Date(moment);
  const two = (number) => String(number).padStart(2, "0");
  const key = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return { key, heading: day.format(date) };
}

export function localise(element) {
  for (const time of element.querySelectorAll("time")) {
    const date = new Date(time.dateTime);
    time.textContent = (time.dataset.style ? full : clock).format(date);
    time.title = full.format(date);
  }
}
