"""Recordings that grow: followed to their edge, their shots published as soon as they are final."""
