"""The platforms of the INI recorder: Ouzel's name, its folder there, what its addresses have in them, the key of its cookie.

Source: README and configuration of the recorder, v4.0.7.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LivePlatform:
    name: str
    """Ouzel's."""
    folder: str
    hosts: tuple[str, ...]
    cookie: str
    """Empty: it has none."""


def _of(table: str) -> tuple[LivePlatform, ...]:
    rows = (line.split("|") for line in table.strip().splitlines())
    return tuple(LivePlatform(name, folder, tuple(hosts.split()), cookie) for name, folder, hosts, cookie in rows)


PLATFORMS = _of("""
douyin|抖音直播|douyin.com|抖音cookie
tiktok|TikTok直播|tiktok.com|tiktok_cookie
kuaishou|快手直播|kuaishou.com|快手cookie
huya|虎牙直播|huya.com|虎牙cookie
douyu|斗鱼直播|douyu.com|斗鱼cookie
yy|YY直播|yy.com|yy_cookie
bilibili|B站直播|live.bilibili.com|b站cookie
xiaohongshu|小红书直播|xhslink.com xiaohongshu.com redelight.cn|小红书cookie
bigo|Bigo直播|bigo.tv bigovideo.tv|bigo_cookie
blued|Blued直播|app.blued.cn|blued_cookie
soop|SOOP|sooplive.co.kr sooplive.com afreecatv.com|sooplive_cookie
cc|网易CC直播|cc.163.com|netease_cookie
qiandurebo|千度热播|qiandurebo.com|千度热播_cookie
pandatv|PandaTV|pandalive.co.kr|pandatv_cookie
missevan|猫耳FM直播|fm.missevan.com|猫耳fm_cookie
winktv|WinkTV|winktv.co.kr|winktv_cookie
ttinglive|FlexTV|flextv.co.kr ttinglive.com|flextv_cookie
look|Look直播|look.163.com|look_cookie
popkontv|PopkonTV|popkontv.com|
twitcasting|TwitCasting|twitcasting.tv|twitcasting_cookie
baidu|百度直播|live.baidu.com|baidu_cookie
weibo|微博直播|weibo.com|weibo_cookie
kugou|酷狗直播|kugou.com|kugou_cookie
twitch|TwitchTV|twitch.tv|twitch_cookie
liveme|LiveMe|liveme.com|liveme_cookie
huajiao|花椒直播|huajiao.com|huajiao_cookie
liuxing|流星直播|7u66.com|liuxing_cookie
showroom|ShowRoom|showroom-live.com|showroom_cookie
acfun|Acfun|live.acfun.cn m.acfun.cn|acfun_cookie
changliao|畅聊直播|tlclw.com|changliao_cookie
yinbo|音播直播|ybw1666.com|yinbo_cookie
inke|映客直播|inke.cn|yingke_cookie
zhihu|知乎直播|zhihu.com|zhihu_cookie
chzzk|CHZZK|chzzk.naver.com|chzzk_cookie
haixiu|嗨秀直播|haixiutv.com|haixiu_cookie
vvxqiu|VV星球|vvxqiu.com|vvxqiu_cookie
live17|17Live|17.live|17live_cookie
langlive|浪Live|lang.live|langlive_cookie
piaopiao|漂漂直播|pp.weimipopo.com|pplive_cookie
sixroom|六间房直播|v.6.cn m.6.cn|6room_cookie
lehai|乐嗨直播|lehaitv.com|lehaitv_cookie
huamao|花猫直播|catshow168.com|huamao_cookie
shopee|shopee|live.shopee. shp.ee|shopee_cookie
youtube|Youtube|youtube.com youtu.be|youtube_cookie
taobao|淘宝直播|tb.cn taobao.com|taobao_cookie
jd|京东直播|3.cn jd.com|jd_cookie
faceit|faceit|faceit.com|faceit_cookie
migu|咪咕直播|miguvideo.com|migu_cookie
lianjie|连接直播|lailianjie.com|lianjie_cookie
laixiu|来秀直播|imkktv.com|laixiu_cookie
picarto|Picarto|picarto.tv|picarto_cookie
""")
DIRECT_FOLDER = "自定义录制直播"
"""Of addresses of streams."""


def with_word(word: str) -> tuple[str, ...]:
    """The platforms in whose addresses this stands: `shp`, `youtu`, `sooplive`."""
    word = word.lower()
    return tuple(each.name for each in PLATFORMS if any(word in host for host in each.hosts))


def folder_of(name: str) -> str | None:
    """Where its recordings are kept; None when there is no such platform."""
    return next((each.folder for each in PLATFORMS if each.name == name), None)


def of_folder(name: str) -> str | None:
    """The platform whose recordings are in a folder of this name; empty for streams, None when it is of none."""
    if name == DIRECT_FOLDER:
        return ""
    found = (each.name for each in PLATFORMS if each.folder.casefold() == name.casefold())
    return next(found, None)
