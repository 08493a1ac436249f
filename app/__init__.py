"""People out: command line, page, shortlists, exports."""
