"""The running process: its composition, its beginning and its end."""
