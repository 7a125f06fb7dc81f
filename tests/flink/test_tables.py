"""The statements that make the job's two ends."""

from revision_quality.flink.tables import edits_table, outcomes_table


def test_the_source_begins_where_its_group_is() -> None:
    statement = edits_table("b1:9092,b2:9092", ["p.a", "p.b"], "g", {"security.protocol": "SSL"})
    for option in (
        "'topic' = 'p.a;p.b'",
        "'properties.bootstrap.servers' = 'b1:9092,b2:9092'",
        "'properties.group.id' = 'g'",
        "'properties.security.protocol' = 'SSL'",
        "'properties.isolation.level' = 'read_committed'",
        "'scan.startup.mode' = 'group-offsets'",
    ):
        assert option in statement


def test_a_value_cannot_end_its_quotes() -> None:
    jaas = "module required password='it''s';"
    assert f"'{jaas.replace(chr(39), chr(39) * 2)}'" in outcomes_table(
        "b:1", ["t"], {"sasl.jaas.config": jaas}
    )


def test_own_properties_come_before_the_defaults() -> None:
    assert "'properties.compression.type' = 'zstd'" in outcomes_table(
        "b:1", ["t"], {"compression.type": "zstd"}
    )


def test_a_topic_is_named_once() -> None:
    assert "'topic' = 'a;b'" in outcomes_table("b:1", ["a", "b", "a"], {})
