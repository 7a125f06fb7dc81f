"""Features: pure functions of one Revision, each number named and documented."""
