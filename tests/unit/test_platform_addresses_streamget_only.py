"""All spellings of the pages of platforms that streamget alone knows: from room lists, shared links, and mobile pages."""

from __future__ import annotations

import pytest

from ouzel.platforms.registry import registry

ADDRESSES = {
    "https://www.yy.com/22490906/22490906?tempId=16777217": ("yy", {"sid": "22490906", "ssid": "22490906"}),
    "yy.com/22490906": ("yy", {"sid": "22490906"}),
    "https://wap.yy.com/mobileweb/54880976/54880976": ("yy", {"sid": "54880976", "ssid": "54880976"}),
    "https://www.xiaohongshu.com/livestream/dynpathAbCd1234/570459564696889177?timestamp=1": (
        "xiaohongshu",
        {"room": "570459564696889177"},
    ),
    "https://www.redelight.cn/hina/livestream/569077534207413574/1707413727088?share_source=&source=share": (
        "xiaohongshu",
        {"room": "569077534207413574"},
    ),
    "https://www.xiaohongshu.com/user/profile/6330049c000000002303c7ed?appuid=5f3f478a00000000010005b3": (
        "xiaohongshu",
        {"user": "6330049c000000002303c7ed"},
    ),
    "https://app.blued.cn/live?id=Mp6G2R": ("blued", {"user": "Mp6G2R"}),
    "https://qiandurebo.com/web/video.php?roomnumber=33333": ("qiandurebo", {"room": "33333"}),
    "https://fm.missevan.com/live/868895007?from=list": ("missevan", {"room": "868895007"}),
    "https://look.163.com/live?id=65108820&position=3": ("look", {"room": "65108820"}),
    "https://www.winktv.co.kr/live/play/anjer1004": ("winktv", {"user": "anjer1004"}),
    "https://www.flextv.co.kr/channels/593127/live": ("ttinglive", {"channel": "593127"}),
    "https://www.ttinglive.com/channels/1014060/live": ("ttinglive", {"channel": "1014060"}),
    "https://www.popkontv.com/live/view?castId=wjfal007&partnerCode=P-00117": (
        "popkontv",
        {"user": "wjfal007", "partner": "P-00117"},
    ),
    "https://www.popkontv.com/channel/notices?mcid=wjfal007&mcPartnerCode=P-00117": (
        "popkontv",
        {"user": "wjfal007", "partner": "P-00117"},
    ),
    "https://live.baidu.com/m/media/pclive/pchome/live.html?room_id=9175031377&tab_category": (
        "baidu",
        {"room": "9175031377"},
    ),
    "https://live.baidu.com/m/media/multipage/liveshow/index/aB1?room_id=9175031377": ("baidu", {"room": "9175031377"}),
    "https://weibo.com/l/wblive/p/show/1022%3A2321325026370190442592": (
        "weibo",
        {"live": "1022:2321325026370190442592"},
    ),
    "https://weibo.com/u/5885340893?layerid=1": ("weibo", {"user": "5885340893"}),
    "https://m.weibo.cn/u/5885340893": ("weibo", {"user": "5885340893"}),
    "https://fanxing2.kugou.com/50428671?refer=2177&sourceFrom=": ("kugou", {"room": "50428671"}),
    "https://mfanxing.kugou.com/staticPub/rmobile/sharePage/index.html?roomId=3197156": ("kugou", {"room": "3197156"}),
    "https://www.liveme.com/zh/v/17141543493018047815/index.html": ("liveme", {"broadcast": "17141543493018047815"}),
    "https://www.liveme.com/m/v/17141543493018047815/index.html?live=1": (
        "liveme",
        {"broadcast": "17141543493018047815"},
    ),
    "https://www.liveme.com/zh-tw/livehot/streaming/209683072": ("liveme", {"number": "209683072"}),
    "https://www.huajiao.com/l/345096174": ("huajiao", {"broadcast": "345096174"}),
    "https://h.huajiao.com/l/index?liveid=345096174&qd=hu&author=23475677&": ("huajiao", {"user": "23475677"}),
    "https://h.huajiao.com/l/index?liveid=345096174&qd=hu": ("huajiao", {"broadcast": "345096174"}),
    "https://wap.7u66.com/100960?promoters=0": ("liuxing", {"room": "100960"}),
    "https://www.inke.cn/liveroom/index.html?uid=22954469&id=1720860391070904": ("inke", {"user": "22954469"}),
    "https://www.inke.cn/liveroom/index.html?id=1720860391070904&uid=22954469": ("inke", {"user": "22954469"}),
    "https://mlive2.inke.cn/app/hot/live?uid=22954469&liveid=1720860391070904&ctime=1": ("inke", {"user": "22954469"}),
    "https://wap.ybw1666.com/800002949?promoters=0": ("yinbo", {"room": "800002949"}),
    "https://www.zhihu.com/people/ac3a467005c5d20381a82230101308e9": (
        "zhihu",
        {"user": "ac3a467005c5d20381a82230101308e9"},
    ),
    "https://www.zhihu.com/theater/114453?source=1": ("zhihu", {"theater": "114453"}),
}


@pytest.mark.parametrize(("address", "expected"), ADDRESSES.items(), ids=ADDRESSES)
def test_an_address_is_known(address: str, expected: tuple[str, dict[str, str]]) -> None:
    found = registry().find(address)

    assert found is not None
    assert (found.platform.name, dict(found.named)) == expected


@pytest.mark.parametrize(
    "address",
    [
        "https://www.yy.com/music/",
        "https://weibo.com/7/Nabc123",
        "https://www.kugou.com/share/1.html",
        "https://www.zhihu.com/question/1",
        "https://live.baidu.com/m/media/pclive/pchome/live.html",
    ],
)
def test_another_page_of_the_site_is_not(address: str) -> None:
    assert registry().find(address) is None


@pytest.mark.parametrize("address", ["http://xhslink.com/xpJpfM", "https://xhslink.com/m/18ox3lAz", "xhslink.com/o/A1"])
def test_a_shared_link_of_rednote_is_short(address: str) -> None:
    assert registry().find(address) is None
    found = registry().find_short(address)
    assert found is not None
    assert found.platform.name == "xiaohongshu"
