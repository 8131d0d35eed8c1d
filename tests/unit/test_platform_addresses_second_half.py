"""Spellings of the pages of the platforms that mostly streamget knows: from room lists, shared links, and mobile pages."""

from __future__ import annotations

import pytest

from ouzel.platforms.registry import registry

ADDRESSES = {
    "https://www.haixiutv.com/6095106?from=app": ("haixiu", {"room": "6095106"}),
    "lehaitv.com/8059096/": ("lehai", {"room": "8059096"}),
    "https://h5webcdn-pro.vvxqiu.com//activity/videoShare/videoShare.html?h5Server=https://h5p.vvxqiu.com&roomId=LP115924473": (
        "vvxqiu",
        {"room": "LP115924473"},
    ),
    "https://17.live/live/3773096": ("live17", {"room": "3773096"}),
    "https://17.live/ja/profile/r/3773096": ("live17", {"room": "3773096"}),
    "https://www.lang.live/en-US/room/3349463": ("langlive", {"room": "3349463"}),
    "https://wap.tlclw.com/phone/15777?promoters=0": ("changliao", {"room": "15777"}),
    "https://m.pp.weimipopo.com/live/preview.html?uid=91648673&anchorUid=91625862&app=plpl": (
        "piaopiao",
        {"anchor": "91625862"},
    ),
    "https://h.catshow168.com/live/preview.html?uid=19066357&anchorUid=18895331": ("huamao", {"anchor": "18895331"}),
    "https://m.6.cn/634435": ("sixroom", {"room": "634435"}),
    "https://sg.shp.ee/GmpXeuf?uid=1006401066&session=802458": ("shopee", {"uid": "1006401066"}),
    "https://live.shopee.com.br/middle-page?session=802458": ("shopee", {"session": "802458"}),
    "https://m.tb.cn/h.TWp0HTd": ("taobao", {"code": "h.TWp0HTd"}),
    "https://huodong.m.taobao.com/act/talent/live.html?id=532359023188": ("taobao", {"live": "532359023188"}),
    "https://lives.jd.com/#/11223344?origin=30": ("jd", {}),
    "https://www.faceit.com/zh/players/Compl1/stream": ("faceit", {"player": "Compl1"}),
    "https://www.miguvideo.com/mgs/website/prd/sportLive.html?mgdbId=120000173758": ("migu", {"event": "120000173758"}),
    "https://show.lailianjie.com/10000258": ("lianjie", {"room": "10000258"}),
    "https://www.imkktv.com/h5/share/video.html?uid=1845195&anchorId=1710496": ("laixiu", {"room": "1710496"}),
    "https://www.bigo.tv/cn/716418802": ("bigo", {"site": "716418802"}),
    "https://www.bigo.tv/user?lang=cn&h=716418802": ("bigo", {"site": "716418802"}),
    "https://slink.bigovideo.tv/uPvCVq": ("bigo", {"link": "uPvCVq"}),
    "https://m.pandalive.co.kr/live/play/bara0109?pwd=1234": ("pandatv", {"user": "bara0109"}),
    "https://www.showroom-live.com/room/profile?room_id=480206": ("showroom", {"room": "480206"}),
    "https://www.showroom-live.com/48_NANA": ("showroom", {"key": "48_NANA"}),
}
SHORT = {"https://3.cn/28MLBy-E": "jd", "https://shp.ee/abc": "shopee", "https://th.shp.ee/abc": "shopee"}


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_names_its_channel(address: str) -> None:
    found = registry().find(address)
    assert found is not None
    assert (found.platform.name, dict(found.named)) == ADDRESSES[address]


@pytest.mark.parametrize("address", SHORT)
def test_a_short_link_is_known_as_one(address: str) -> None:
    found = registry().find_short(address)
    assert found is not None
    assert found.platform.name == SHORT[address]
