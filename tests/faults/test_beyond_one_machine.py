"""Nothing is lost over Kafka and MariaDB."""

import pytest

from tests.faults.beyond_one_machine import (
    kafka_away,
    kills,
    mariadb_away,
    nothing_is_lost,
    wiki_faulty,
)
from tests.servers.databases import server

pytestmark = [
    pytest.mark.faults,
    pytest.mark.kafka,
    pytest.mark.database,
    pytest.mark.timeout(900),
]


def test_kill_9_of_a_random_process_every_second(broker, mariadb, tmp_path):
    nothing_is_lost(tmp_path, broker, mariadb, kills)


def test_kafka_stopped_for_thirty_seconds(start_broker, mariadb, tmp_path):
    broker = start_broker()
    nothing_is_lost(tmp_path, broker, mariadb, kafka_away)
    broker.stop()


def test_mariadb_stopped_for_thirty_seconds(broker, tmp_path):
    with server("mariadb", syncs=False) as own:
        nothing_is_lost(tmp_path, broker, own, mariadb_away)


def test_a_third_of_the_wikis_answers_spoilt(broker, mariadb, tmp_path):
    nothing_is_lost(tmp_path, broker, mariadb, wiki_faulty)
