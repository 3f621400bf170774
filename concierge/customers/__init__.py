"""Who the visitors are: identity, profiles, what is remembered of them, and what a session says by itself."""
