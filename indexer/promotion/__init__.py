"""What a title's shots tell whoever advertises it: their worth, scenes, breaks."""
