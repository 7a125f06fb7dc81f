"""Every exception that this package raises on purpose.

RevisionQualityError
  + SettingsError            the TOML file or a command line argument
  + InvalidEventError        an event that does not hold to its schema
  + WikiError                reading a wiki failed
  |   + WikiUnavailableError     temporary: try again after `retry_after`
  |   + WikiRefusedError         final: the wiki says no
  |   + NotAWikiError            final: what answers is no MediaWiki API
  + DumpError                a file that is no XML history dump, or a broken one
  + ModelError               a model that cannot be loaded or cannot score
  |   + InvalidRevisionError     the revision lacks what the model needs
  |   + ModelUnavailableError    temporary: a model on another server does not answer
  + StoreError               a stream or a view that cannot be opened, read or written
  |   + NewerViewsError          final: a newer revq has changed the tables
  + BulkError                edits for scoring in bulk, or a cluster for it, that cannot be used

Their text is one sentence for the user: what is wrong, where, what to do.
"""


class RevisionQualityError(Exception):
    """Base of all errors of this package."""


class SettingsError(RevisionQualityError):
    """A setting that is missing, misspelt or out of range; the text names the key."""


class InvalidEventError(RevisionQualityError):
    """An event that cannot be read; the text names the field and what was expected."""


class WikiError(RevisionQualityError):
    """A wiki's API did not give what was asked for."""


class WikiUnavailableError(WikiError):
    """The wiki cannot answer now; asking again later may work.

    `retry_after` is the number of seconds that the wiki asked to wait, or None. `code` and `info`
    are as in WikiRefusedError, "" where the wiki has not answered as an API.
    """

    def __init__(
        self, message: str, retry_after: float | None = None, *, code: str = "", info: str = ""
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.code = code
        self.info = info


class WikiRefusedError(WikiError):
    """The wiki answered with an API error that repeating will not cure.

    `code` is MediaWiki's error code, such as `readapidenied`; `info` is what the wiki says of it,
    in the language that it was asked for.
    """

    def __init__(self, message: str, code: str, info: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.info = info


class NotAWikiError(WikiError):
    """The URL answers, but not as a MediaWiki Action API."""


class DumpError(RevisionQualityError):
    """A file that should be a MediaWiki XML history dump and cannot be read as one."""


class ModelError(RevisionQualityError):
    """A model that cannot be loaded or that failed."""


class InvalidRevisionError(ModelError):
    """A revision that lacks what a model needs; the text names the field."""


class ModelUnavailableError(ModelError):
    """A model on another server cannot answer now; asking again later may work."""


class StoreError(RevisionQualityError):
    """A stream or a view that cannot be opened, read or written."""


class NewerViewsError(StoreError):
    """The tables are of a newer revq, whose rules the rows of this one would not keep."""


class BulkError(RevisionQualityError):
    """Files of edits that cannot be scored in bulk, or workers or a cluster that fail at it."""
