"""Histories scored in bulk: partitions in, Parquet parts out, on one machine or many."""
