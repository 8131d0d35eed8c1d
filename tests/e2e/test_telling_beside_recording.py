"""A service that hangs and one where nobody listens, beside a recording: it does not notice, and messages do not pile up."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import anyio
import pytest
from tests.e2e.daemons import daemon_on, reached

from ouzel.daemon.build import Daemon
from ouzel.engine.ledgers import find
from ouzel.engine.verify import verify
from ouzel.model import messages
from ouzel.model.happening import Happening
from ouzel.model.messages import Message, MessageState
from ouzel.model.states import RecordingState
from ouzel.services.channel_forms import NewChannel
from ouzel.store.messages import MessageFilter
from ouzel.store.recordings import RecordingFilter, RecordingRepo
from ouzel.testing.clips import Clip
from ouzel.testing.markers import read_markers
from ouzel.testing.messages import fake_service
from ouzel.testing.origin import LiveOrigin

pytestmark = pytest.mark.anyio
_NEWS = 100
_FAILURES = 4
_GROUPS = 12
"""Of pictures, that come while services fail."""


async def test_a_recording_does_not_notice(tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "_FIRST_S", 0.2)
    monkeypatch.setattr(messages, "_LONGEST_S", 1.0)
    (tmp_path / "media").mkdir()
    options = {"storage.data": tmp_path / "data", "storage.recordings": tmp_path / "media", "storage.min_free": "1KiB"}
    async with (
        fake_service({}) as hanging, LiveOrigin() as origin, daemon_on(**options) as daemon,
    ):  # fmt: skip
        hanging.replies = [None]
        services, running = daemon.services, daemon.recordings.running
        await services.targets.add("hangs", {"kind": "webhook", "settings": {"url": hanging.url}}, by="me")
        await services.targets.add("refuses", {"kind": "webhook", "settings": {"url": "http://127.0.0.1:9/"}}, by="me")
        await services.routes.add("all", {"targets": ["hangs", "refuses"], "events": ["*"]}, by="me")
        show = origin.channel("show", clip, speed=4.0)
        channel = await daemon.channels.add(NewChannel((show.flv_url,)), by="me")
        await reached(lambda: any(each.tape.counters.chunks for each in running.values()))
        [recorder] = [each.recorder for each in running.values()]
        begun = show.segments

        for number in range(_NEWS):
            async with daemon.db.transaction() as tx:
                news = {"title": f"title {number}", "category": ""}
                tx.emit(Happening("broadcast.changed", "b", news, channel.id))
        await hanging.wait(1)
        with anyio.fail_after(60):
            for target in ("hangs", "refuses"):
                while (await _states(daemon, target))[MessageState.DROPPED] < _NEWS - 1:  # noqa: ASYNC110 - rows
                    await anyio.sleep(0.05)
            while max(each.attempts for each in await _of(daemon, "refuses")) < _FAILURES:  # noqa: ASYNC110 - rows
                await anyio.sleep(0.05)
        await reached(lambda: show.segments >= begun + _GROUPS)

        for target in ("hangs", "refuses"):
            states = await _states(daemon, target)
            assert states[MessageState.WAITING] <= 5, "the same about the same is told once"
            assert states.keys() <= {MessageState.DROPPED, MessageState.WAITING, MessageState.FAILED}
        failed = max(each.attempts for each in await _of(daemon, "hangs"))
        assert len(hanging.got) <= failed + 1, "one attempt at a time"
        assert recorder.state is RecordingState.RECORDING
        assert [each.recorder for each in running.values()] == [recorder]
        await daemon.broadcasts.stop_this(channel.id)
        await reached(lambda: not running)
        repo = RecordingRepo(daemon.db)
        [recording] = await repo.page(RecordingFilter())
        assert await repo.gaps(recording.id) == []
        [file] = (await repo.files([recording.id]))[recording.id]
    path = tmp_path / "media" / file.path
    held = find(path)
    assert held is not None
    assert held.ledger.gaps == []
    numbers = [number for _, number in read_markers(path.read_bytes(), file.format)]
    assert numbers == [*range(numbers[0], numbers[0] + len(numbers))]
    assert len(numbers) >= _GROUPS
    assert (await verify(path)).status == "clean"


async def _states(daemon: Daemon, target: str) -> Counter[MessageState]:
    return Counter(each.state for each in await _of(daemon, target))


async def _of(daemon: Daemon, target: str) -> list[Message]:
    return await daemon.services.messages.page(MessageFilter(target=target), limit=1000)
