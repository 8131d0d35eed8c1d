"""Settings that stand in a file: `ouzel.toml`, and the environment and options of a command before it.

`settings` and `tables` have what can be set, as plain values, and their docstrings are the reference. `load` finds the file;
`sources` has where values come from, `schema` which there are, `values` how each kind is written; `reading` puts these together,
and is imported only when there is something to be read. `showing` and `example` tell of them.
"""
