"""When addresses of Douyin and Kuaishou end, in all the ways in which their deliverers write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ouzel.platforms.sites import douyin, kuaishou

ENDS = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
SECONDS = int(ENDS.timestamp())


@pytest.mark.parametrize(
    "query",
    [
        f"expire={SECONDS}&sign=a",
        f"expire={SECONDS:x}&sign=a",
        f"expire=soon&volcTime={SECONDS}",
        f"wsSecret=a&wsTime={SECONDS - 3600:x}&keeptime={3600:x}",
        f"k=a&t={SECONDS}",
    ],
)
def test_douyin_s(query: str) -> None:
    assert douyin._expires(f"https://pull.douyincdn.com/third/stream-1.flv?{query}") == ENDS


@pytest.mark.parametrize("query", ["", "expire=", "expire=1", "t=abc", f"expire={SECONDS * 1000}"])
def test_douyin_s_that_say_nothing(query: str) -> None:
    assert douyin._expires(f"https://pull.douyincdn.com/third/stream-1.flv?{query}") is None


@pytest.mark.parametrize(
    "query",
    [
        f"txSecret=a&txTime={SECONDS:x}",
        f"wsSecret=a&wsTime={SECONDS:x}",
        f"wsSecret=a&wsTime={SECONDS}",
        f"hwSecret=a&hwTime={SECONDS:x}",
        f"ty_Secret=a&ty_Time={SECONDS}",
        f"auth_key={SECONDS}-0-0-abc",
    ],
)
def test_kuaishou_s(query: str) -> None:
    assert kuaishou._expires(f"https://tx-origin.pull.yximgs.com/gifshow/a.flv?{query}") == ENDS


@pytest.mark.parametrize("query", ["", "txTime=", "txTime=zz", "stat=a"])
def test_kuaishou_s_that_say_nothing(query: str) -> None:
    assert kuaishou._expires(f"https://tx-origin.pull.yximgs.com/gifshow/a.flv?{query}") is None
