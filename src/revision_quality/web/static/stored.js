// What the reader's browser keeps; where it keeps nothing, or something else, the page works without.

export function stored(name, otherwise) {
  try {
    const kept = JSON.parse(localStorage.getItem(name));
    return kept?.constructor === otherwise.constructor ? kept : otherwise;
  } catch {
    return otherwise;
  }
}

// Returns whether the browser has kept it: it may be full, or refuse to keep anything.
export function store(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

// Calls where another tab has stored something.
export function onStored(name, act) {
  addEventListener("storage", (event) => event.key === name && act());
}
