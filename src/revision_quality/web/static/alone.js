// The page of one change: times in the reader's own time zone.

import { localise } from "./times.js";

localise(document.querySelector("main"));
