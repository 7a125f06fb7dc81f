"""Training: labelled edits in, a model file with its levels and its card out."""
