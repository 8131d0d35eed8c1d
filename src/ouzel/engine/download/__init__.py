"""Downloads: everything that is over. `docs/design/downloads.md` tells the way from an address to the file.

`sight` finds out what is there; `model/pieces` makes a list of it; a `Crew` fetches the pieces, each through a `Taker`, into a
`PlacedFile`; `check` looks at what came, `join` makes one file of several tracks. `downloader` runs it all.
"""
