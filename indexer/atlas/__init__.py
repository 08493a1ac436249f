"""The catalogue as a map: its shots on a plane, like beside like, in named groups."""
