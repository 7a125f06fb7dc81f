"""Scoring as an Apache Flink job: the same core, Kafka in and out, Flink's checkpoints."""
