// What the reader's browser keeps; where it keeps nothing, the page works without.

// A list where `otherwise` is one, else an object: another version, or the reader, may have written anything.
export function stored(name, otherwise) {
  try {
    const found = JSON.parse(localStorage.getItem(name));
    return found instanceof Object && Array.isArray(found) === Array.isArray(otherwise) ? found : otherwise;
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
