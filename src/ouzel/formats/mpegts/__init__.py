"""MPEG transport streams without input or output."""

from ouzel.formats.mpegts.shaper import TsShaper

__all__ = ["TsShaper"]
