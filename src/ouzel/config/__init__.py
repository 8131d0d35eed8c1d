"""Settings that stand in a file: `ouzel.toml`, and the environment before it.

`settings` has what can be set, as plain values; `load` finds the file; `reading` reads it, and is imported only when there is
something to be read.
"""
