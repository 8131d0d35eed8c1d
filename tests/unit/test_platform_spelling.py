"""Addresses as people paste them: what is read as it was meant, and what is refused, with what is said then."""

from __future__ import annotations

import pytest

from ouzel.base.errors import BadUrl
from ouzel.platforms.registry import registry, tidy

ROOM = "https://live.bilibili.com/32"


@pytest.mark.parametrize(
    "given",
    [
        "live.bilibili.com/32",
        "  https://live.bilibili.com/32 \n",
        "https:/live.bilibili.com/32",
        "https:live.bilibili.com/32",
        "https:///live.bilibili.com/32",
        "https//live.bilibili.com/32",
        "https:\\\\live.bilibili.com\\32",
        "://live.bilibili.com/32",
        "//live.bilibili.com//32",
        "ttps://live.bilibili.com/32",
        "hhttps://live.bilibili.com/32",
        "htttps://live.bilibili.com/32",
        "https://https://live.bilibili.com/32",
        "https%3A%2F%2Flive.bilibili.com%2F32",
        "HTTPS://LIVE.Bilibili.com./32",
        "https://live.bilibili.com:443/32",
        "ｈｔｔｐｓ：／／ｌｉｖｅ．ｂｉｌｉｂｉｌｉ．ｃｏｍ／３２",
        "https://live.bilibili.com/３２",
        "\ufeffhttps://live.bilibili.com/\u200b32\u200f",
        "https://live.bilibili.com/32，主播: 某人",
        "https://live.bilibili.com/32主播: 某人",
        "https://live.bilibili.com/32,主播: a，主播: a",
        "原画，https://live.bilibili.com/32，主播: 某人",
        "超清,https://live.bilibili.com/32",
        "【某人的直播】https://live.bilibili.com/32 复制打开",
        "5.66 V@Y.zt 04/26 xfB:/ 某人正在直播 https://live.bilibili.com/32 复制此链接",
        "<https://live.bilibili.com/32>",
        '"https://live.bilibili.com/32"',
        "（https://live.bilibili.com/32）",
        "看这里：https://live.bilibili.com/32。",
    ],
)
def test_damaged_addresses_are_read_as_they_were_meant(given: str) -> None:
    assert tidy(given) == ROOM


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http:/live.example/a.flv", "http://live.example/a.flv"),
        ("rtmp://host/app/key", "rtmp://host/app/key"),
        ("localhost:8080/a.m3u8", "https://localhost:8080/a.m3u8"),
        ("http://[::1]:8080/a.m3u8", "http://[::1]:8080/a.m3u8"),
        ("http://me:pw@camera.example/a.flv", "http://me:pw@camera.example/a.flv"),
        ("https.example/a", "https://https.example/a"),
        ("a.example/32?u=https://b.example/", "https://a.example/32?u=https://b.example/"),
        ("https://a.example/x?a=1&amp;b=2", "https://a.example/x?a=1&b=2"),
        ("https://a.example/1 https://b.example/2", "https://a.example/1"),
    ],
)
def test_what_is_sound_in_an_address_stays(given: str, url: str) -> None:
    assert tidy(given) == url
    assert tidy(url) == url


@pytest.mark.parametrize(
    "given", ["", "https://", "https:///", "https://[::1", "https://host:port/x", "javascript:alert(1)", "x" * 10_000]
)
def test_what_is_no_address_at_all(given: str) -> None:
    with pytest.raises(BadUrl):
        tidy(given)


def test_no_password_is_told() -> None:
    with pytest.raises(BadUrl) as refused:
        tidy("https://me:secret@host:port/x")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://live.bilibili.com/32?spm_id_from=333.1007&live_from=84001#/x", ROOM),
        ("https://me:secret@live.bilibili.com/32", ROOM),
        ("http://www.douyu.com:80/9999?dyshid=0-a&dyshci=1", "https://www.douyu.com/9999"),
        ("https://www.tiktok.com/%40somebody/live?lang=en&_r=1", "https://www.tiktok.com/@somebody/live"),
        ("https://play.sooplive.co.kr/somebody/123456", "https://play.sooplive.com/somebody"),
        ("https://m.huya.com/660000?shareid=1", "https://www.huya.com/660000"),
    ],
)
def test_what_does_not_matter_in_the_address_of_a_page(given: str, url: str) -> None:
    found = registry().find(given)
    assert found is not None
    assert found.url == url


@pytest.mark.parametrize(
    ("given", "platform"),
    [
        ("https://xhslink.com/a/b", "xiaohongshu"),
        ("http://xhslink.com/a", "xiaohongshu"),
        ("https://m.tb.cn/h.abc", "taobao"),
        ("https://tbzb.taobao.com/live?liveId=7", "taobao"),
        ("https://h5webcdn-pro.vvxqiu.com/activity/x?roomId=LP1", "vvxqiu"),
        ("https://www.redelight.cn/hina/livestream/7", "xiaohongshu"),
        ("https://www.weibo.com/l/wblive/p/show/1022:2321325026370190442592", "weibo"),
        ("https://www.flextv.co.kr/channels/7/live", "ttinglive"),
        ("https://play.afreecatv.com/somebody", "soop"),
        ("https://m.6.cn/7", "sixroom"),
        ("https://wap.tlclw.com/phone/7", "changliao"),
    ],
)
def test_hosts_that_old_room_lists_have(given: str, platform: str) -> None:
    known = registry()
    found = known.find(given) or known.find_short(given)
    assert found is not None
    assert found.platform.name == platform


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "https://www.twіtch.tv/somebody",
            "letters of another alphabet: 'www.tw\\u0456tch.tv'; it resembles twitch.tv",
        ),
        ("https://www.xn--twtch-q4a.tv/somebody", "it resembles twitch.tv"),
        ("https://live.bílíbílí.com/1", "it resembles live.bilibili.com"),
        ("https://www.doüyu.com/1", "it resembles douyu.com"),
        ("https://xn--zz.example/", "letters of another alphabet"),
        ("https://live.billibili.com/1", "was live.bilibili.com meant?"),
        ("https://live.bilibili.com:8443/1", "not behind the port 8443: leave it out"),
        ("ftp://live.bilibili.com/1", "begin with https://, not with ftp://"),
        ("rtmp://live.bilibili.com/1", "begin with https://, not with rtmp://"),
        ("https://live.bilibili.com/all", "one looks like https://live.bilibili.com/"),
        ("https://live.bilibili.com@example.org/1", "example.org is no platform"),
        ("https://live.bilibili.com.example.org/1", "is no platform"),
        ("https://notbilibili.com/1", "notbilibili.com is no platform"),
        ("https://example.org/live", "`ouzel platforms` lists them"),
    ],
)
def test_what_is_no_page_of_a_platform_and_why(given: str, said: str) -> None:
    known = registry()
    assert known.find(given) is None
    assert known.find_short(given) is None
    assert said in str(known.unknown(given))


@pytest.mark.parametrize(
    "host",
    [
        "live.bilibili.corn",
        "live.b\u0456l\u0456b\u0456l\u0456.com",
        "xn--lve-jhd.xn--blbl-l9dbbb.com",
        "www.twitsch.tv",
    ],
)
def test_platforms_whose_hosts_look_alike_are_near(host: str) -> None:
    (first, *_) = registry().nearest(host)
    assert first.name == ("twitch" if "tw" in host else "bilibili")
    assert not registry().nearest("nothing.example.org")
