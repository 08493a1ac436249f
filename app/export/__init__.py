"""Shortlists taken away: one format a module."""
