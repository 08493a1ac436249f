"""Tags from nothing: labels, tones and genres of shots, asked for in words or told by a probe."""
