"""Media formats without input or output: playlists, FLV, MPEG-TS, fragmented MP4.

`shape.py` is the one shape behind which the three containers look alike to the engine; `retime.py` is the one rule by
which all three give a file time stamps that rise.
"""
