// The page of one change: local times, and nothing that is hidden meanwhile.

import { Feed } from "./feed.js";
import { localise } from "./times.js";

localise(document.querySelector("main"));
const detail = document.querySelector("#detail");
if (detail) {
  const { id } = document.querySelector(".one li");
  const told = [id, ...detail.querySelector("[data-of]").dataset.of.split(" ")];
  const renew = ({ key, html }) => told.includes(key) && (html ?? "history-deleted").includes("history-deleted") && location.reload();
  const feed = new Feed("/recent-changes", detail.dataset.query, detail.dataset.seq, {
    change: renew, remove: renew, reset: () => location.reload(), state() {},
  });
  addEventListener("pagehide", () => feed.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}
