"""What all tests share."""

pytest_plugins = [
    "tests.no_skip",
    "tests.servers.cassandra",
    "tests.servers.mediawiki",
    "tests.servers.databases",
    "tests.servers.kafka",
    "tests.servers.logs",
    "tests.workers",
]
