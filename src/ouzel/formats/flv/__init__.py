"""FLV: HTTP-FLV streams and files.

`tags` frames · `amf` script tags · `packets` first bytes of audio and video · `head` the beginning of a file and its index ·
`follow`, `chunks`, `groups`, `gate`, `survey`, `search` the parts of the shaper · `shaper` joins them · `modernise` converts the
HEVC form of Chinese CDNs to the standard one.
"""

from ouzel.formats.flv.head import finish
from ouzel.formats.flv.modernise import modernise
from ouzel.formats.flv.rules import FlvRules
from ouzel.formats.flv.shaper import FlvShaper

__all__ = ["FlvRules", "FlvShaper", "finish", "modernise"]
