"""The durable log: streams of events that are appended once and read by anyone, at any offset."""
