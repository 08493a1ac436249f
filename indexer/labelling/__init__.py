"""A few clicks to a classifier: all shots at hand, a probe learned at once, feeds that ask on."""
