"""Edits in: whatever the source, events on the streams."""
