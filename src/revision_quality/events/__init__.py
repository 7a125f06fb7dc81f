"""The wire: events in, events out, as MediaWiki's schemas have them. Knows no other room."""
