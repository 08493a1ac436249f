"""Selects that were made elsewhere, brought onto the titles of the library."""
