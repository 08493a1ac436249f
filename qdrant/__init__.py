"""Shots kept: schema, records, the query language, and the stores that answer it."""
