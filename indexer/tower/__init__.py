"""Words straight into context: a tower for questions, keys for shots as their title shows them."""
