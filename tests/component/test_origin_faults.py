"""What the live origin can be told to do wrong, seen by the standard library's client and by bare sockets."""

from __future__ import annotations

import gzip
import http.client
import socket
import ssl
from datetime import UTC, datetime
from urllib.parse import urlsplit

import anyio
import pytest
import trustme
from anyio.to_thread import run_sync

from ouzel.testing.clips import Clip
from ouzel.testing.clock import FakeClock
from ouzel.testing.markers import read_markers
from ouzel.testing.origin import Aes, Channel, Hls, LiveOrigin

pytestmark = pytest.mark.anyio


class Answer:
    """Status, headers and body; `error` is what the client raised instead of the rest of the body."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.error: Exception | None = None

    @property
    def text(self) -> str:
        return self.body.decode()


def fetch(url: str, headers: dict[str, str] | None = None, tls: ssl.SSLContext | None = None) -> Answer:
    parts = urlsplit(url)
    assert parts.hostname
    answer = Answer()
    if tls:
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=20, context=tls)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers=headers or {})
        response = connection.getresponse()
        answer.status, answer.headers = response.status, dict(response.getheaders())
        while piece := response.read1(65536):
            answer.body += piece
        if len(answer.body) < int(answer.headers.get("Content-Length", "0")):
            answer.error = http.client.IncompleteRead(answer.body)
    except (OSError, http.client.HTTPException) as error:
        answer.error = error
    finally:
        connection.close()
    return answer


async def get(url: str, headers: dict[str, str] | None = None) -> Answer:
    return await run_sync(fetch, url, headers)


def segment(show: Channel, number: int) -> str:
    return show.index_url.replace("index.m3u8", f"seg{number}.ts")


def listed(playlist: Answer) -> tuple[int, list[str]]:
    """Media sequence, and the addresses of the segments."""
    lines = playlist.text.splitlines()
    sequence = next(int(line.split(":")[1]) for line in lines if line.startswith("#EXT-X-MEDIA-SEQUENCE:"))
    return sequence, [line for line in lines if not line.startswith("#")]


async def test_statuses_come_as_often_as_told_and_every_request_is_logged(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip).push(3)
        origin.on("seg1.ts").status(503, times=2, retry_after=1).status(429, times=1)
        answers = [await get(segment(show, 1)) for _ in range(4)]
        right = await get(segment(show, 2))

        assert [a.status for a in answers] == [503, 503, 429, 200]
        assert answers[0].headers["Retry-After"] == "1"
        assert answers[0].body == b""
        assert (right.status, right.headers["Content-Type"]) == (200, "video/mp2t")
        assert origin.hits("seg1.ts") == 4
        assert origin.hits("show/seg*.ts") == 5
        assert origin.hits("index.m3u8") == 0
        assert [request.status for request in origin.requests] == [503, 503, 429, 200, 200]
        assert origin.requests[-1].sent == len(right.body)


async def test_a_fault_that_lasts_for_seconds_of_the_clock(clip: Clip) -> None:
    clock = FakeClock()
    async with LiveOrigin(clock=clock) as origin:
        show = origin.channel("show", clip).push(1)
        origin.on("*.ts").allow(times=1).status(500, for_s=5)
        found = []
        for _ in range(4):
            found.append((await get(segment(show, 0))).status)
            clock.advance(3)

    assert found == [200, 500, 500, 200]


@pytest.mark.parametrize("after", [0, 1, 100_000])
async def test_a_reset_comes_after_exactly_so_many_bytes(clip: Clip, after: int) -> None:
    async with LiveOrigin() as origin:
        url = origin.file("big.bin", bytes(300_000))
        origin.on("big.bin").reset(after=after, times=1)
        broken, whole = await get(url), await get(url)

    assert isinstance(broken.error, ConnectionResetError)
    assert len(broken.body) == after
    assert whole.error is None
    assert len(whole.body) == 300_000


async def test_a_stall_waits_for_the_test(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip).push(1)
        rule = origin.on("seg0.ts").stall(after=1000, times=1).stall(after=None, times=1)
        for stall, sent in enumerate((1000, 0)):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(get, segment(show, 0))
                await rule.wait_stalled(stall)
                assert rule.stalled == 1
                assert origin.requests[-1].sent == sent
                rule.release()

        assert rule.stalled == 0
        assert all(request.sent > 10_000 for request in origin.requests)


async def test_a_stall_of_some_seconds_goes_by_the_clock(clip: Clip) -> None:
    clock = FakeClock()
    async with LiveOrigin(clock=clock) as origin:
        slow = origin.file("slow.bin", bytes(3000))
        origin.on("slow.bin").stall(after=10, seconds=7, times=1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(get, slow)
            await clock.wait_sleepers(1)
            assert origin.requests[-1].sent == 10
            clock.advance(7)

    assert origin.requests[-1].sent == 3000


async def test_a_crawl_goes_by_the_clock(clip: Clip) -> None:
    clock = FakeClock()
    async with LiveOrigin(clock=clock) as origin:
        slow = origin.file("slow.bin", bytes(3000))
        origin.on("slow.bin").crawl(1000)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(get, slow)
            for tick in range(30):
                await clock.wait_sleepers(1)
                assert origin.requests[-1].sent == 100 * (tick + 1)
                clock.advance(0.1)


async def test_short_and_cut_bodies_differ_in_what_is_announced(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        url = origin.file("media.bin", bytes(5000))
        origin.on("media.bin").short(by=100, times=1).cut(to=188, times=1)
        short, cut = await get(url), await get(url)

    assert isinstance(short.error, http.client.IncompleteRead)
    assert (short.headers["Content-Length"], len(short.body)) == ("5000", 4900)
    assert cut.error is None
    assert (cut.headers["Content-Length"], len(cut.body)) == ("188", 188)


async def test_redirects_pages_and_other_bytes(clip: Clip) -> None:
    async with LiveOrigin() as origin, LiveOrigin() as elsewhere:
        show = origin.channel("show", clip).push(1)
        origin.on("seg0.ts").redirect(f"{elsewhere.url}/x.ts", times=1).html(times=1).body(b"not media", times=1)
        moved, page, other = [await get(segment(show, 0)) for _ in range(3)]

    assert (moved.status, moved.headers["Location"]) == (302, f"{elsewhere.url}/x.ts")
    assert page.body.startswith(b"<!doctype html>")
    assert page.headers["Content-Type"].startswith("text/html")
    assert (other.status, other.body) == (200, b"not media")


async def test_an_endless_body_can_be_reset_cut_and_stalled(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip).push(3)
        show.flv.chunked = True
        rule = origin.on("show.flv").reset(after=5000, times=1).cut(to=3000, times=1).stall(after=4000)
        reset, cut = await get(show.flv_url), await get(show.flv_url)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(get, show.flv_url)
            await rule.wait_stalled()
            assert origin.requests[-1].sent == 4000
            show.end()
            rule.release()

    assert isinstance(reset.error, ConnectionResetError)
    assert len(reset.body) == 5000
    assert cut.error is None
    assert len(cut.body) == 3000


async def test_what_was_never_there_is_not_found(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(window=3)).push(10)
        show.gap(8)
        paths = ["seg10.ts", "seg4.ts", "seg8.ts", "seg9.m4x", "init0.mp4", "all0.ts", "nothing", "en/seg9.ts"]
        found = {path: (await get(segment(show, 0).replace("seg0.ts", path))).status for path in paths}
        rest = [(await get(origin.url + path)).status for path in ("/live/none/index.m3u8", "/live/none.flv", "/")]
        kept = await get(segment(show, 5))  # left the playlist two segments ago

    assert set(found.values()) == {404}
    assert rest == [404, 404, 404]
    assert kept.status == 200


async def test_a_playlist_freezes_steps_back_and_ends_early(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(window=3)).push(5)
        normal = await get(show.url)
        frozen = await get(show.freeze().push(2).index_url)
        thawed = await get(show.thaw().index_url)
        back = [await get(show.step_back(2, times=1).index_url), await get(show.url)]
        early = [await get(show.early_endlist().index_url), await get(show.push().index_url)]
        last = await get(show.end().index_url)

    assert listed(normal) == (2, ["seg2.ts", "seg3.ts", "seg4.ts"])
    assert frozen.text == normal.text
    assert listed(thawed) == (4, ["seg4.ts", "seg5.ts", "seg6.ts"])
    assert [listed(answer)[0] for answer in back] == [2, 4]
    assert ["ENDLIST" in answer.text for answer in (*early, last)] == [True, False, True]
    assert listed(last)[1][-1] == "seg7.ts"


async def test_a_restarted_sequence(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(window=3, first_sequence=100)).push(5)
        before = await get(show.url)
        waiting = await get(show.restart_sequence().url)
        after = await get(show.push(2).url)
        again = await get(show.restart_sequence(sequence=50, reuse_names=True).push(1).url)
        newest = await get(segment(show, 0))

    assert listed(before) == (102, ["seg2.ts", "seg3.ts", "seg4.ts"])
    assert listed(waiting) == listed(before)
    assert listed(after) == (0, ["seg5.ts", "seg6.ts"])
    assert listed(again) == (50, ["seg0.ts"])
    assert read_markers(newest.body, "ts") == [("show", 7)]


async def test_a_window_that_slides_past(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(window=3)).push(3)
        assert listed(await get(show.url)) == (0, ["seg0.ts", "seg1.ts", "seg2.ts"])

        assert listed(await get(show.slide(4).url)) == (7, ["seg7.ts", "seg8.ts", "seg9.ts"])
        assert (await get(segment(show, 3))).status == 404


async def test_discontinuities_are_counted_when_they_leave_the_window(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls("mp4", window=2))
        show.push(2).restart_stamps().push(1).new_init().push(1)
        inside = await get(show.url)
        outside = await get(show.push(1).url)

    assert inside.text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert "DISCONTINUITY-SEQUENCE" not in inside.text
    assert inside.text.index("init0.mp4") < inside.text.index("init1.mp4")
    assert "#EXT-X-DISCONTINUITY\n" not in outside.text
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:1\n" in outside.text


async def test_a_whole_playlist_to_the_letter(clip: Clip) -> None:
    async with LiveOrigin(clock=FakeClock(datetime(2026, 5, 1, 12, tzinfo=UTC))) as origin:
        aes = Aes(explicit_iv=False, rotate_every=2, clear=frozenset({4}))
        show = origin.channel("show", clip, hls=Hls("mp4", window=5, first_sequence=70, aes=aes, uris="path"))
        playlist = await get(show.push(6).gap(2).end().url)
        keys = [(await get(f"{origin.url}/live/show/key{number}.bin")).body for number in range(2)]

    assert playlist.text == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-TARGETDURATION:1\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-MEDIA-SEQUENCE:71\n"
        '#EXT-X-MAP:URI="/live/show/init0.mp4"\n'
        '#EXT-X-KEY:METHOD=AES-128,URI="/live/show/key0.bin"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-05-01T12:00:01.000+00:00\n"
        "#EXTINF:1.000000,\n/live/show/seg1.m4s\n"
        '#EXT-X-KEY:METHOD=AES-128,URI="/live/show/key1.bin"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-05-01T12:00:02.000+00:00\n"
        "#EXT-X-GAP\n#EXTINF:1.000000,\n/live/show/seg2.m4s\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-05-01T12:00:03.000+00:00\n"
        "#EXTINF:1.000000,\n/live/show/seg3.m4s\n"
        "#EXT-X-KEY:METHOD=NONE\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-05-01T12:00:04.000+00:00\n"
        "#EXTINF:1.000000,\n/live/show/seg4.m4s\n"
        '#EXT-X-KEY:METHOD=AES-128,URI="/live/show/key2.bin"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-05-01T12:00:05.000+00:00\n"
        "#EXTINF:1.000000,\n/live/show/seg5.m4s\n"
        "#EXT-X-ENDLIST\n"
    )
    assert [len(key) for key in keys] == [16, 16]
    assert keys[0] != keys[1]


async def test_packed_audio_says_its_time_and_whose_it_is(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(window=0), zero_s=95_440).sound("en", "aac").push(14)
        segments = [(await get(segment(show, n).replace("seg", "en/seg").replace(".ts", ".aac"))).body for n in (1, 13)]

    owner = b"com.apple.streaming.transportStreamTimestamp\0"
    stamps = [int.from_bytes(data.partition(owner)[2][:8], "big") for data in segments]
    assert [data[:3] for data in segments] == [b"ID3", b"ID3"]
    assert (stamps[1] - stamps[0]) % (1 << 33) == 12 * 90_000  # one loop of the clip
    assert 0 <= (stamps[0] - (95_440 + 1) * 90_000) % (1 << 33) < 2880  # the first frame that begins in this second
    assert [read_markers(data, "mp4") for data in segments] == [[("show.en", 1)], [("show.en", 13)]]


async def test_gaps_are_listed(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip).gap(1).push(3)
        playlist = await get(show.url)

    assert "#EXT-X-GAP\n#EXTINF:1.000000,\nseg1.ts\n" in playlist.text
    assert playlist.text.count("#EXT-X-GAP") == 1


async def test_signed_addresses_expire(clip: Clip) -> None:
    clock = FakeClock(datetime(2026, 5, 1, tzinfo=UTC))
    async with LiveOrigin(clock=clock) as origin:
        show = origin.channel("show", clip, hls=Hls(aes=Aes())).sign(60).push(2)
        assert (await get(show.url)).status == 403
        url = origin.fresh_url("show")
        playlist = await get(url)
        _, (first, _) = listed(playlist)
        address = segment(show, 0).replace("seg0.ts", first)
        good = await get(address)
        clock.advance(61)
        expired = [(await get(url)).status, (await get(address)).status]
        fresh = await get(show.fresh_url(show.flv_url.replace(".flv", "/index.m3u8")))
        revoked = await get(show.revoke_tokens().fresh_url())
        show.revoke_tokens()
        gone = await get(url)

    assert f"expire={int(datetime(2026, 5, 1, 0, 1, tzinfo=UTC).timestamp())}" in url
    assert first.startswith("seg0.ts?token=show-1&expire=")
    assert 'URI="key0.bin?token=show-1' in playlist.text
    assert good.status == 200
    assert expired == [403, 403]
    assert (fresh.status, revoked.status, gone.status) == (200, 200, 403)


@pytest.mark.parametrize("define", ["value", "import", "query"])
async def test_a_variable_must_be_filled_in(clip: Clip, define: str) -> None:
    async with LiveOrigin() as origin:
        hls = Hls("mp4", define=define)  # type: ignore[arg-type]
        show = origin.channel("show", clip, hls=hls).push(1)
        first = await get(show.url)
        playlist = await get(show.index_url)
        bare, filled = [await get(origin.url + "/live/show/seg0.m4s" + query) for query in ("", "?v=edge-7")]

    line = {
        "value": '#EXT-X-DEFINE:NAME="v",VALUE="edge-7"',
        "import": '#EXT-X-DEFINE:IMPORT="v"',
        "query": '#EXT-X-DEFINE:QUERYPARAM="v"',
    }[define]
    assert line in playlist.text
    assert "\nseg0.m4s?v={$v}\n" in playlist.text
    assert 'URI="init0.mp4?v={$v}"' in playlist.text
    assert show.url.endswith({"value": "index.m3u8", "import": "master.m3u8", "query": "?v=edge-7"}[define])
    assert (define == "import") == ("index.m3u8?v={$v}" in first.text)
    assert (bare.status, filled.status) == (404, 200)


async def test_low_latency_parts_and_blocking_reload(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(part_s=0.52)).push(1).push_part()
        playlist = await get(show.url)
        answers: list[Answer] = []

        async def ask(url: str) -> None:
            answers.append(await get(url))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, f"{show.url}?_HLS_msn=1&_HLS_part=1")
            tasks.start_soon(ask, f"{show.url}?_HLS_msn=1")
            tasks.start_soon(ask, segment(show, 0).replace("seg0", "part1.1"))
            await origin.wait_hits("*", 4)
            assert answers == []
            show.push_part()
        too_far = await get(f"{show.url}?_HLS_msn=9")
        whole = await get(segment(show, 1))
        parts = [await get(segment(show, 0).replace("seg0", f"part1.{n}")) for n in range(2)]

    assert 'URI="part1.0.ts",INDEPENDENT=YES' in playlist.text
    assert '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part1.1.ts"' in playlist.text
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert too_far.status == 400
    assert b"".join(part.body for part in parts) == whole.body


async def test_playlists_come_compressed_to_those_who_take_it(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip).push(3)
        plain = await get(show.url)
        small = await get(show.url, {"Accept-Encoding": "gzip, deflate"})

    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.body) == plain.body


async def test_byte_ranges_of_files(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        url = origin.file("ten.ts", b"0123456789")
        found = [await get(url, {"Range": f"bytes={wanted}"}) for wanted in ("2-4", "7-", "8-99", "10-")]

    assert [(a.status, a.body) for a in found] == [(206, b"234"), (206, b"789"), (206, b"89"), (416, b"")]
    assert found[0].headers["Content-Range"] == "bytes 2-4/10"


async def test_one_connection_carries_many_requests(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip).push(1)

        def ask() -> list[int]:
            connection = http.client.HTTPConnection(urlsplit(origin.url).netloc, timeout=20)
            found = []
            for method in ("GET", "HEAD", "GET", "POST"):
                connection.request(method, "/live/show/index.m3u8")
                response = connection.getresponse()
                response.read()
                found.append(response.status)
            connection.close()
            return found

        assert await run_sync(ask) == [200, 200, 200, 405]
        assert origin.connections == 1
        assert show.segments == 1


async def test_tls(clip: Clip) -> None:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    async with LiveOrigin(tls=server, host="localhost") as origin:
        show = origin.channel("show", clip).push(1)
        origin.on("seg0.ts").allow(times=1).reset(after=1000)
        whole = await run_sync(fetch, segment(show, 0), None, client)
        broken = await run_sync(fetch, segment(show, 0), None, client)

    assert show.url.startswith("https://localhost:")
    assert len(whole.body) > 10_000
    assert broken.error is not None
    assert len(broken.body) < 2000


async def test_nonsense_closes_the_connection_and_nothing_else(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip).push(1)

        def talk() -> bytes:
            parts = urlsplit(origin.url)
            with socket.create_connection((parts.hostname, parts.port), timeout=20) as sock:
                sock.sendall(b"\x16\x03\x01 what is this\r\n\r\n")
                return sock.recv(100)

        assert await run_sync(talk) == b""
        assert (await get(show.url)).status == 200
