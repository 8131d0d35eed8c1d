"""A live origin that tests hold in their hand.

    clips ─▶ pieces (ts, mp4, aac, flv) ─▶ timeline + show ─▶ edge, hls, continuous ─▶ channel ─▶ origin ─▶ server
             prepared once per clip         what is on when    how it is told           answers    rules,    sockets
                                                                                                   log

`python -m ouzel.testing.origin` serves channels by hand.
"""

from ouzel.testing.origin.channel import Channel
from ouzel.testing.origin.faults import Rule
from ouzel.testing.origin.options import Aes, Hls
from ouzel.testing.origin.origin import LiveOrigin
from ouzel.testing.origin.process import OriginProcess
from ouzel.testing.origin.server import Request

__all__ = ["Aes", "Channel", "Hls", "LiveOrigin", "OriginProcess", "Request", "Rule"]
