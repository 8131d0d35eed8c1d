"""Readers of streams. A source turns one resolved `Stream` into chunks on the tape, and says why it stopped."""
