"""What the page shows: one module a page, and what they share."""
