"""Labelled edits made of page histories: of XML dumps, and of a wiki's API (`wiki_histories`)."""

from revision_quality.training.histories.labelling import Choice, labelled_edits_of_dump
from revision_quality.training.histories.writing import write_labelled_edits

__all__ = ["Choice", "labelled_edits_of_dump", "write_labelled_edits"]
