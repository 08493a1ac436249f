"""Videos in: media to shots, shots to three embeddings, embeddings into context."""
