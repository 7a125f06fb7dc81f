"""What all tests share."""

pytest_plugins = ["tests.no_skip", "tests.servers.mediawiki"]
