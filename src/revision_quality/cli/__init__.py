"""The command `revq`: one module a verb."""
