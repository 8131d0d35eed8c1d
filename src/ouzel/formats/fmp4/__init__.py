"""Fragmented MP4, as HLS (CMAF) carries it.

`boxes` reads and writes boxes · `entry` and `moov` read init segments and write the head of a file · `fragment` rewrites a
`moof` · `timeline` gives fragments their time in the file · `shaper` puts these together for a stream of bytes · `pair` does
so for a picture and a sound that come separately · `finish` closes a file.
"""

from ouzel.formats.fmp4.finish import Finish, finish
from ouzel.formats.fmp4.pair import Fmp4Pair
from ouzel.formats.fmp4.shaper import BOX_LIMIT, Fmp4Shaper

__all__ = ["BOX_LIMIT", "Finish", "Fmp4Pair", "Fmp4Shaper", "finish"]
