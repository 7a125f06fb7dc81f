"""The durable log in Apache Kafka: topics in partitions, shared by the members of a group."""
