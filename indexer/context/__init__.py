"""The context model: every shot read among the shots around it."""
