"""MPEG transport streams without input or output.

The life of a packet: `framing` finds its boundaries in whatever pieces arrive · `scout` holds the first ones until the tracks are
known (`psi` reads the tables, `lanes` the codecs' headers) · `flow` looks at those in which something starts, and leaves what is
ordinary to `follow` · `timeline` gives them their place in the file · `outlet` counts all of them (`counters`) and hands them on.
`replay` knows what was sent before (`keys`). `shaper` is the whole.

`pair` and `weave` put alternate sound between the pictures, `packed` and `pack` make a stream of bare audio frames, `check`
counts what is in a file. `packets` reads, patches and renders single packets.
"""

from ouzel.formats.mpegts.check import PidReport, Scan, scan
from ouzel.formats.mpegts.packed import AudioPacker
from ouzel.formats.mpegts.pair import TsPair
from ouzel.formats.mpegts.shaper import TsShaper

__all__ = ["AudioPacker", "PidReport", "Scan", "TsPair", "TsShaper", "scan"]
