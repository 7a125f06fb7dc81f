"""How many edits go through each trouble: `make faults` has 20,000, a run of all tests fewer."""

import os

EDITS = int(os.environ.get("REVQ_FAULT_EDITS", "4000"))
"""A multiple of 400."""

SECONDS = 40
"""For so long they come: longer than the longest trouble."""

PATIENCE = 400
"""Seconds that a busy machine may take for what is left over when the trouble ends."""

EVERY = 0.5
"""Seconds between two counts of all rows: counted more often, they would take longer to come."""
