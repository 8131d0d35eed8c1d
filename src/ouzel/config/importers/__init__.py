"""Reading what other recorders, downloaders and relays are configured with. Pure: bytes in, values out.

`detect` finds by its content which format a file is, a module per format reads it, and all give an `Imported`. What of it becomes
which channel is decided above (`services.imports`), where platforms are known.
"""
