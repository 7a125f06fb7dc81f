"""The stream processor: page_change events in, predictions and prediction errors out."""
