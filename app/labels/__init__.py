"""Labels that people give to stretches of titles: written down, agreed on, in files."""
