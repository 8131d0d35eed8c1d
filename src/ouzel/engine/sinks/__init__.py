"""Consumers of chunks."""
