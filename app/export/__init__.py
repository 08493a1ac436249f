"""Shortlists taken away: one format a module, all from the same cut list."""
