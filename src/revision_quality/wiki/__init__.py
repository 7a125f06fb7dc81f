"""Reading a wiki: the Action API client and the revisions assembled from its answers."""
