// What the scripts say, in the page's language.

const place = document.querySelector("#texts");
const texts = place ? await (await fetch(place.href)).json() : {};

export function text(key, values = {}) {
  let said = texts[key];
  for (const [name, value] of Object.entries(values)) said = said.replaceAll(`{${name}}`, value);
  return said;
}

// An address whose answer is in the page's language, wherever the page has it from.
export function inLanguage(url) {
  const address = new URL(url, location);
  address.searchParams.set("uselang", document.documentElement.lang);
  return address.href;
}
