"""Tools for whoever advertises a title: moments, coverage, breaks, titles like it."""
