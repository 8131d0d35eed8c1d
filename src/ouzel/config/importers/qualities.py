"""Words of other programs for a quality, in Ouzel's."""

from __future__ import annotations

_WORDS = {
    "原画": "original", "蓝光": "bluray", "超清": "uhd", "高清": "hd", "标清": "sd", "流畅": "ld",
    "od": "original", "bd": "bluray", "uhd": "uhd", "hd": "hd", "sd": "sd", "ld": "ld",
}  # fmt: skip


def quality_of(word: str) -> str | None:
    """None when it is none of theirs."""
    return _WORDS.get(word.strip().lower())
