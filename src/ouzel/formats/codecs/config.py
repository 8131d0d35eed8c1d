"""What the headers of an elementary stream say about it."""

from __future__ import annotations

from dataclasses import dataclass

from ouzel.base.errors import FormatError

MAX_SIDE = 32768
"""Pictures wider or higher than this many samples are taken for damage."""


@dataclass(frozen=True, slots=True)
class VideoConfig:
    """One sequence of pictures of the same shape."""

    codec: str
    """h264, hevc or av1."""
    width: int
    """Luma samples that are shown: after cropping."""
    height: int
    profile: int
    """profile_idc, general_profile_idc or seq_profile."""
    level: int
    """level_idc, general_level_idc or seq_level_idx, as coded (31 is level 3.1 in H.264, 93 in HEVC)."""
    chroma: int
    """chroma_format_idc: 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4."""
    bit_depth: int
    """Of luma."""
    fps: float | None = None
    """Frames a second as announced, which is a promise only; None when not said."""


@dataclass(frozen=True, slots=True)
class AudioConfig:
    codec: str
    """aac, mp1, mp2, mp3, ac3, eac3, opus."""
    profile: int
    """AAC: audio object type (2 LC, 5 HE-AAC, 29 HE-AAC v2); MPEG audio: layer; AC-3: bsid; Opus: mapping family."""
    sample_rate: int
    """Of what the decoder puts out, as far as the header says: with SBR the doubled one."""
    channels: int
    """Of what the decoder puts out: parametric stereo counts as 2. 0 when the header leaves it to the payload."""
    frame_samples: int | None = None
    """Samples a frame (one access unit), at `sample_rate`; None when it varies."""


@dataclass(frozen=True, slots=True)
class DecoderRecord:
    """A decoder configuration record (avcC, hvcC, av1C)."""

    config: VideoConfig | None
    """None when the record carries no sequence parameter set: it is in the stream itself then (avc3, hev1)."""
    parameter_sets: tuple[bytes, ...]
    """NAL units without length or start code, in the record's order (H.264: SPS, PPS, SPS extension); AV1: whole OBUs."""
    length_size: int
    """Bytes of the length before each NAL unit in a sample: 1, 2 or 4; 0 for AV1, which has none."""


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """The header of one frame of a stream that frames itself (ADTS, MPEG audio, AC-3)."""

    config: AudioConfig
    size: int
    """Bytes of the whole frame, its header included."""
    header_size: int
    """Bytes before the payload."""
    samples: int
    """Samples a channel that this frame holds, at `config.sample_rate`."""


def checked_size(what: str, width: int, height: int) -> tuple[int, int]:
    """Raises: FormatError when the picture is empty or beyond `MAX_SIDE`."""
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise FormatError(f"{what}: a picture of {width}x{height}")
    return width, height


def checked_rate(numerator: int, denominator: int) -> float | None:
    """Frames a second, or None when the two numbers make no sense."""
    if numerator <= 0 or denominator <= 0:
        return None
    rate = numerator / denominator
    return rate if 0.01 <= rate <= 1000 else None
