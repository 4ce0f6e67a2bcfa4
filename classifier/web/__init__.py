"""The page and the REST API, for one's own machine (extra ``web``)."""
