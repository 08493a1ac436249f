"""A finished trailer back to its films: a shortlist, an edit decision list, a report."""
