"""Live and finished HLS.

`lane.py` follows one media playlist and queues what its window says; `segment.py` gets one segment onto the tape; `source.py`
joins a variant with its alternate audio and decides when the stream is over.
"""

from ouzel.engine.sources.hls.source import HlsSource

__all__ = ["HlsSource"]
