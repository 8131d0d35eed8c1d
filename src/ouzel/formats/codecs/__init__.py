"""Elementary streams: what their headers say. Pure functions over bounded input; all of them raise nothing but FormatError.

`bits` reads bits · `nal` finds and names NAL units · `h264`, `hevc`, `av1`, `audio` read headers and decoder records into
the values of `config`.
"""

from ouzel.formats.codecs.audio import (
    opus_packet_samples,
    parse_ac3,
    parse_adts,
    parse_audio_specific_config,
    parse_mpeg_audio,
    parse_opus_head,
)
from ouzel.formats.codecs.av1 import obus, parse_av1_sequence_header, parse_av1c
from ouzel.formats.codecs.config import AudioConfig, AudioFrame, DecoderRecord, VideoConfig
from ouzel.formats.codecs.h264 import parse_avcc, parse_h264_sps
from ouzel.formats.codecs.hevc import parse_hevc_sps, parse_hvcc
from ouzel.formats.codecs.nal import (
    H264Nal,
    HevcNal,
    Obu,
    has_recovery_point,
    is_random_access,
    is_slice,
    nal_name,
    nal_type,
    nals,
    unescape,
)

__all__ = [
    "AudioConfig",
    "AudioFrame",
    "DecoderRecord",
    "H264Nal",
    "HevcNal",
    "Obu",
    "VideoConfig",
    "has_recovery_point",
    "is_random_access",
    "is_slice",
    "nal_name",
    "nal_type",
    "nals",
    "obus",
    "opus_packet_samples",
    "parse_ac3",
    "parse_adts",
    "parse_audio_specific_config",
    "parse_av1_sequence_header",
    "parse_av1c",
    "parse_avcc",
    "parse_h264_sps",
    "parse_hevc_sps",
    "parse_hvcc",
    "parse_mpeg_audio",
    "parse_opus_head",
    "unescape",
]
