"""Why a broadcast is not recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ouzel.model.broadcast import Broadcast, BroadcastState
from ouzel.model.channel_settings import ChannelSettings, parse_layer
from ouzel.services.broadcasts import reason_against

_NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)  # a Sunday; 20:30 in Shanghai
_AIRED = Broadcast("b", "c", BroadcastState.LIVE, _NOW, False, _NOW, title="Finals", category="Chess")
_EVENING = {"schedule": [{"days": ["sun"], "from": "20:00", "to": "21:00"}], "time_zone": "Asia/Shanghai"}


@pytest.mark.parametrize(
    ("layer", "broadcast", "now", "expected"),
    [
        ({}, _AIRED, _NOW, None),
        ({"mode": "notify"}, _AIRED, _NOW, "mode"),
        ({"mode": "manual"}, replace(_AIRED, forced=True), _NOW, None),
        (_EVENING, _AIRED, _NOW, None),
        (_EVENING, _AIRED, _NOW.replace(hour=13), "schedule"),
        (_EVENING, replace(_AIRED, forced=True), _NOW.replace(hour=13), None),
        ({"title_exclude": ["final"]}, _AIRED, _NOW, "title"),
        ({"category_include": ["cooking"]}, _AIRED, _NOW, "category"),
        ({}, replace(_AIRED, skipped=True), _NOW, "skipped"),
        ({}, replace(_AIRED, skipped=True, why_not="max_duration"), _NOW, "max_duration"),
        ({}, replace(_AIRED, skipped=True, forced=True), _NOW, "skipped"),
    ],
)
def test_the_first_reason_counts(
    layer: dict[str, Any], broadcast: Broadcast, now: datetime, expected: str | None
) -> None:
    assert reason_against(ChannelSettings(**parse_layer(layer)), broadcast, now) == expected
