"""The steps from one schema of the views to the next, run by Alembic."""
