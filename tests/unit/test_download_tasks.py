"""When a download is tried again, and how much of it is there."""

from __future__ import annotations

import pytest

from ouzel.base.errors import BadOption, ConnectionLost, DiskFull, Gone, Incomplete, OuzelError, RateLimited, ReadOnly
from ouzel.model.download_tasks import fraction_of, retry_in_s
from ouzel.model.downloads import DownloadProgress, Pace

PACE = Pace(retries=3, retry_delay_s=2.0)


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (ConnectionLost("cut off"), [2.0, 4.0, 8.0, None]),
        (RuntimeError("a bug"), [2.0, 4.0, 8.0, None]),
        (RateLimited("later", status=429), [30.0, 60.0, 120.0, None]),
        (RateLimited("in a while", status=429, retry_after_s=90.0), [90.0, 90.0, 120.0, None]),
        (RateLimited("tomorrow", status=429, retry_after_s=86400.0), [3600.0, 3600.0, 3600.0, None]),
        (Incomplete("one is missing"), [30.0, 60.0, 120.0, None]),
        (Gone("it is not there", status=404), [None, None]),
        (BadOption("no"), [None]),
        (DiskFull("no room"), [30.0, 30.0, 30.0, 30.0, 30.0]),
        (ReadOnly("not now"), [30.0, 30.0]),
    ],
)
def test_what_may_pass_is_tried_again_as_often_as_its_pace_says(
    error: OuzelError | RuntimeError, waits: list[float | None]
) -> None:
    assert [retry_in_s(error, retries, PACE) for retries in range(len(waits))] == waits


def test_a_full_disk_fails_not_even_what_is_never_tried_again() -> None:
    assert retry_in_s(DiskFull("no room"), 0, Pace(retries=0)) == 30.0
    assert retry_in_s(ConnectionLost("cut off"), 0, Pace(retries=0)) is None


def test_no_pause_is_longer_than_an_hour() -> None:
    assert retry_in_s(ConnectionLost("cut off"), 900, Pace(retries=1000)) == 3600.0


@pytest.mark.parametrize(
    ("progress", "fraction"),
    [
        (DownloadProgress("resolving"), 0.0),
        (DownloadProgress("fetching", 1, 10, 5, 30.0, 120.0, 10), 0.25),
        (DownloadProgress("fetching", 1, 10, 5, bytes_total=10), 0.5),
        (DownloadProgress("fetching", 1, 10, 5), 0.1),
        (DownloadProgress("fetching", 1, 10, 12, bytes_total=10), 1.0),
    ],
)
def test_how_much_is_told_by_media_else_bytes_else_pieces(progress: DownloadProgress, fraction: float) -> None:
    assert fraction_of(progress) == fraction
