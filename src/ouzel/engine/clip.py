"""A piece of a recording, without re-encoding: from a key frame to a key frame.

A native recording is cut by its ledger: the bytes between two key points go through a shaper, as if they came from the network,
into a file with a ledger of its own, whose time begins at 0. What others made, and products, are cut by ffmpeg.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import anyio.to_thread

from ouzel import __version__
from ouzel.base.errors import BadOption, Damaged, OutputExists, StorageError
from ouzel.engine import ledgers
from ouzel.engine.closing import closing_patches
from ouzel.engine.convert import convert
from ouzel.engine.ledgers import Held
from ouzel.engine.meter import Meter, OnProgress
from ouzel.engine.recipes import FORMATS
from ouzel.engine.sinks.file import FileSink, storage_error
from ouzel.engine.trim import trim
from ouzel.formats.flv.rules import FlvRules
from ouzel.formats.flv.shaper import FlvShaper
from ouzel.formats.fmp4 import Fmp4Shaper
from ouzel.formats.mpegts import TsShaper
from ouzel.formats.shape import Buffer, Container, Edge, Head, Op, Shaper, TakeBack
from ouzel.model import ledger
from ouzel.model.clips import Cut, Stretch, plan_cut
from ouzel.model.flow import Gap
from ouzel.model.ledger import Ledger, Opening, RunLine
from ouzel.system.clock import Clock, SystemClock
from ouzel.system.ffmpeg import FfmpegFinder
