"""Doors to the world: HTTP, programs, files, clock, and the guard that says which addresses may be reached."""
