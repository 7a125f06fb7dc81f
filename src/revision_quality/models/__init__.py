"""Models: a Revision in, a Prediction out. A model knows no stream and no store."""
