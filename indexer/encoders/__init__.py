"""Frames, sound and words into vectors: one protocol, a module an encoder."""
