"""Sound: one pass from a file to samples and loudness; then voices, music, segments, waveforms."""
