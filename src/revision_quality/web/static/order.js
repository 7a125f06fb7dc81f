// The order of the list: the greatest rank first, which is the time where nothing else is said; of
// the same rank by revision, then by wiki.

export function isBefore(one, other) {
  const difference = rankOf(one) - rankOf(other);
  if (difference) return difference > 0;
  const [wiki, revision] = partsOf(one.id);
  const [otherWiki, otherRevision] = partsOf(other.id);
  return revision === otherRevision ? wiki > otherWiki : revision > otherRevision;
}

export function rankOf(row) {
  return Number(row.dataset.rank ?? momentOf(row) / 1000);
}

export function momentOf(row) {
  return Date.parse(row.querySelector("time").dateTime);
}

// Where the page ends that has this row as its last.
export function cursorOf(row) {
  const [wiki, revision] = partsOf(row.id);
  return `${rankOf(row)}-${revision}-${wiki}`;
}

export function partsOf(key) {
  const colon = key.lastIndexOf(":");
  return [key.slice(0, colon), Number(key.slice(colon + 1))];
}
