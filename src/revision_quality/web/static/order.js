// The order of the list: newest first; of the same second by revision, then by wiki.

export function isBefore(one, other) {
  const difference = momentOf(one) - momentOf(other);
  if (difference) return difference > 0;
  const [wiki, revision] = partsOf(one.id);
  const [otherWiki, otherRevision] = partsOf(other.id);
  return revision === otherRevision ? wiki > otherWiki : revision > otherRevision;
}

export function momentOf(row) {
  return Date.parse(row.querySelector("time").dateTime);
}

function partsOf(key) {
  const colon = key.lastIndexOf(":");
  return [key.slice(0, colon), Number(key.slice(colon + 1))];
}
