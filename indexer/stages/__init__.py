"""The stages a title goes through, each recorded with the hash of its inputs."""
