"""What can be learned from labels: probes on frozen vectors, five tasks, and a gate for versions."""
