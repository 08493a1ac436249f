"""Files opened: what they hold, their pictures, their sound, their words, their time."""
