"""What can be learned from labels: probes on frozen vectors, five tasks, a gate for versions."""
