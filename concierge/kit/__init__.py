"""Nouns of no business: database, settings, errors, ids, jobs, HTTP."""
