"""Where shots begin and end, and what to remember of each."""
