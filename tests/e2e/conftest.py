"""The real command against real servers and players."""
