"""Score every edit of any MediaWiki once and keep what people read in step with it."""

__version__ = "0.1.0"
