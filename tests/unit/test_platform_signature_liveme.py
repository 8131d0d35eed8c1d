"""LiveMe's signature, by an example that was published with the script that makes it."""

from __future__ import annotations

from ouzel.platforms.sites.liveme import signature


def test_a_published_example() -> None:
    """Source: https://github.com/ihmily/DouyinLiveRecorder (src/javascript/liveme.js)."""
    fields = {
        "alias": "liveme",
        "tongdun_black_box": "iWPU21728483558afruvSVo6x0",
        "os": "android",
        "lm_s_id": "LM6000101139961122666757",
        "lm_s_ts": "17284909009151",
        "lm_s_str": "88f9777231dc2d6ac462a1d7ebf5f54e",
        "lm_s_ver": "1",
        "h5": "1",
        "_time": "1728490664651",
        "thirdchannel": "6",
        "videoid": "17284844223282059697",
        "area": "zh",
        "vali": "zH8SlBwnCm4AZWp",
    }

    assert signature(fields) == "4eaf71a1ec19b49b7267e4d16e007105"
