"""Ouzel keeps what streams by: it records live video and proves what it kept."""

__version__ = "0.1.0.dev0"
