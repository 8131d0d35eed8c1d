"""The keys of the INI recorder's `config.ini`, in all their spellings since 2022, and what becomes of each.

Source: DouyinLiveRecorder v4.0.7 (119 keys), the two keys that came after it, and the files of earlier versions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ouzel.config.importers.ini import spelling
from ouzel.config.importers.keys import Key, key_table
from ouzel.config.importers.live_platforms import PLATFORMS

KEYS: Mapping[str, Key] = {
    **key_table(
        """
language(zh_cn/en) -> ,,elsewhere,OUZEL_LANG
是否跳过代理检测(是/否) -> ,,not_needed
是否禁用SSL证书验证(是/否) -> ,no,elsewhere,verify_tls
是否启用日志文件(是/否) -> ,no,elsewhere,[log] file
直播保存路径(不填则默认) -> storage.recordings
保存文件夹是否以作者区分 -> record.template,yes
保存文件夹是否以时间区分 -> record.template,no
保存文件夹是否以标题区分 -> record.template,no
保存文件名是否包含标题 -> record.template,no
是否去除名称中的表情符号 -> record.without_emoji,yes,kept_for_later
视频保存格式ts|mkv|flv|mp4|mp3音频|m4a音频 -> record.format,format
原画|超清|高清|标清|流畅 -> record.quality,quality
是否使用代理ip(是/否) -> ,no,taken_together,platforms.NAME.proxy
代理地址 -> ,,taken_together,platforms.NAME.proxy
同一时间访问网络的线程数 -> ,number,elsewhere,[watch] requests_per_minute
循环时间(秒) -> record.interval_s,seconds
排队读取网址时间(秒) -> ,seconds,not_needed
是否显示循环秒数 -> ,no,not_needed
是否显示直播源地址 -> ,no,not_needed
分段录制是否开启 -> record.split_after_s,no
视频分段时间(秒) -> record.split_after_s,seconds
是否强制启用https录制 -> record.force_https,no,kept_for_later
录制空间剩余阈值(gb) -> storage.min_free_bytes,gib
录制完成后自动转为mp4格式 -> after.to_mp4,no
mp4格式重新编码为h264 -> after.to_h264,no
追加格式后删除原文件 -> after.delete_source,no
生成时间字幕文件 -> after.clock_subtitles,no
是否录制完成后执行自定义脚本 -> hooks.recorded.on,no,hook_in_file
自定义脚本执行命令 -> hooks.recorded.command,,hook_in_file
使用代理录制的平台(逗号分隔) -> platforms.NAME.proxy,list
额外使用代理录制的平台(逗号分隔) -> platforms.NAME.proxy,list
直播状态推送渠道 -> notify.channels,words
钉钉推送接口链接 -> !notify.dingtalk.url,list
微信推送接口链接 -> !notify.wechat.url,list
bark推送接口链接 -> !notify.bark.url,list
bark推送中断级别 -> notify.bark.level
bark推送铃声 -> notify.bark.sound
钉钉通知@对象(填手机号) -> !notify.dingtalk.at,list
钉钉通知@全体(是/否) -> notify.dingtalk.at_all,no
tgapi令牌 -> !notify.telegram.token
tg聊天id(个人或者群组id) -> notify.telegram.chat
smtp邮件服务器 -> notify.email.server
是否使用SMTP服务SSL加密(是/否) -> notify.email.tls,yes
SMTP邮件服务器端口 -> notify.email.port,number
邮箱登录账号 -> notify.email.login
发件人密码(授权码) -> !notify.email.password
发件人邮箱 -> notify.email.from
发件人显示昵称 -> notify.email.from_name
收件人邮箱 -> notify.email.to,list
ntfy推送地址 -> !notify.ntfy.url,list
ntfy推送标签 -> notify.ntfy.tags,list
ntfy推送邮箱 -> notify.ntfy.email
pushplus推送token -> !notify.pushplus.token,list
自定义推送标题 -> notify.title
自定义开播推送内容 -> notify.text_live
自定义关播推送内容 -> notify.text_ended
只推送通知不录制(是/否) -> record.mode,no
直播推送检测频率(秒) -> watch.notify_interval_s,seconds
开播推送开启(是/否) -> notify.on_live,yes
关播推送开启(是/否) -> notify.on_ended,no
popkontv_token -> !,,elsewhere,popkontv账号
partner_code -> ,,not_needed
twitcasting账号类型 -> platforms.twitcasting.login_kind,,kept_for_later
sooplive账号 -> platforms.soop.login
sooplive密码 -> !platforms.soop.password
flextv账号 -> platforms.ttinglive.login
flextv密码 -> !platforms.ttinglive.password
popkontv账号 -> platforms.popkontv.login
popkontv密码 -> !platforms.popkontv.password
twitcasting账号 -> platforms.twitcasting.login
twitcasting密码 -> !platforms.twitcasting.password
视频分段大小(兆) -> record.split_bytes,mib
ts录制完成后自动增加生成m4a格式 -> after.to_m4a,no,kept_for_later
音频录制完成后自动转为mp3格式 -> after.to_mp3,no,kept_for_later
""",
        spelling,
    ),
    **{each.cookie: Key(f"platforms.{each.name}.cookies", is_secret=True) for each in PLATFORMS if each.cookie},
}
"""By their present names, as `spelling` writes them."""

_OLDER = {
    "原画|超清|高清|标清": "原画|超清|高清|标清|流畅",
    "视频保存格式ts|mkv|flv|mp4|ts音频|mkv音频": "视频保存格式ts|mkv|flv|mp4|mp3音频|m4a音频",
    "ts录制完成后自动转为mp4格式": "录制完成后自动转为mp4格式",
    "ts录制完成后自动增加生成mp4格式": "录制完成后自动转为mp4格式",
    "ts格式分段录制是否开启": "分段录制是否开启",
    "生成时间文件": "生成时间字幕文件",
    "是否录制完成后执行bash脚本": "是否录制完成后执行自定义脚本",
    "bash脚本路径": "自定义脚本执行命令",
    "是否显示直播地址": "是否显示直播源地址",
    "本地代理端口": "代理地址",
    "抖音cookie(录制抖音必须要有)": "抖音cookie",
    "cookies": "抖音cookie",
    "cookies(不可为空)": "抖音cookie",
    "afreecatv_cookie": "sooplive_cookie",
    "afreecatv账号": "sooplive账号",
    "afreecatv密码": "sooplive密码",
    "shiguang_cookie": "changliao_cookie",
    "发件人": "发件人邮箱",
    "发件人密码": "发件人密码(授权码)",
    "收件人": "收件人邮箱",
}
_STEMS = (
    (re.compile(r"直播状态(?:通知|推送渠道)(?:\(.*\))?"), "直播状态推送渠道"),
    (re.compile(r"视频保存格式\W*ts\|.*"), "视频保存格式ts|mkv|flv|mp4|mp3音频|m4a音频"),
    (re.compile(r"原画\|.*"), "原画|超清|高清|标清|流畅"),
)
"""Of keys that carry their choices in their names."""
_REMARK = re.compile(r"\([^()]*\)\Z")
_BARE = {_REMARK.sub("", name): name for name in (*KEYS, *_OLDER) if _REMARK.search(name)}
"""Without the remark at their end: `循环时间`."""


def present_name(name: str) -> str | None:
    """The present name of a key that was ever one; None for any other. `name`: as `spelling` writes it."""
    name = _OLDER.get(name, name)
    if name not in KEYS:
        bare = _BARE.get(_REMARK.sub("", name), name)
        name = _OLDER.get(bare, bare)
    if name in KEYS:
        return name
    return next((present for stem, present in _STEMS if stem.fullmatch(name)), None)
