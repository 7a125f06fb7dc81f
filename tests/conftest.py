"""What all tests share."""

from hypothesis import settings

pytest_plugins = [
    "tests.no_skip",
    "tests.servers.cassandra",
    "tests.servers.mediawiki",
    "tests.servers.databases",
    "tests.servers.kafka",
    "tests.servers.logs",
    "tests.workers",
]

# How long an example takes is the machine's matter, and that of what else runs on it.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
