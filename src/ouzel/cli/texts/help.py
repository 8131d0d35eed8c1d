"""What `--help` says in Chinese. The English words stand with the commands and options themselves."""

COMMANDS = {
    "channels": "正在运行的守护进程所监看的频道，以及如何监看。",
    "channels list": "列出频道及其已知状态。",
    "channels add": "添加频道，每个地址一个。\n\n\b\n退出码：0 全部已添加，3 有的没有，2 参数错误。",
    "channels show": "显示频道的全部设置和已知信息，以及每个值的来源。",
    "channels edit": "修改频道。",
    "channels settings": "显示或修改所有频道（或某个平台）的设置。",
    "channels remove": "移除频道；`restore` 可以恢复。",
    "channels restore": "恢复已移除的频道。",
    "channels watch": "监看频道。",
    "channels unwatch": "不再监看频道；正在录制的继续。",
    "channels check": "立即查询频道。",
    "channels record": "无论如何设置，录制正在直播的内容。",
    "channels stop": "只停止这一场；下一场照常录制。",
    "channels split": "在新文件中继续。",
    "channels undo": "撤销上一次修改，或某个版本的修改。",
    "recordings": "正在运行的守护进程录下了什么，正在录什么。",
    "recordings list": "列出录像，最新的在前。",
    "recordings show": "显示录像及其文件、缺口和章节。",
    "recordings pin": "无论规则如何，保留录像。",
    "recordings unpin": "重新交给规则处理。",
    "recordings remove": "把录像移入回收站；文件仍在。",
    "recordings restore": "把录像从回收站取回。",
    "jobs": "守护进程的任务：等待、进行、完成或失败。",
    "jobs list": "列出任务，最新的在前。",
    "jobs cancel": "取消尚未结束的任务。",
    "jobs retry": "重新开始失败或已取消的任务。",
    "jobs prio": "让任务先于其他任务；数大者先。",
    "users": "守护进程的账号及其 API 密钥。",
    "users list": "列出账号。",
    "users add": "新建账号；会询问密码。",
    "users edit": "修改账号。",
    "users password": "更换账号的密码；其所有会话结束。",
    "users remove": "移除账号及其会话和密钥。",
    "users keys": "列出所有账号的 API 密钥。",
    "notices": "需要知道的事项。",
    "notices list": "列出事项，最新的在前。",
    "notices dismiss": "不再显示某个事项。",
    "mcp": "把正在运行的守护进程提供给 AI 代理：通过标准输入输出使用模型上下文协议。\n\n"
    "代理可以做 API 密钥允许的事；没有密钥时是本机守护进程的管理员。\n\n\b\n退出码：0 代理已离开，7 没有守护进程。",
    "events": "显示守护进程中发生过的和正在发生的事件。",
    "ouzel": "Ouzel（河乌）留住流过的一切：录制直播，并证明录到了什么。",
    "record": "录制直播流直到结束，每个地址一个文件，并报告录到了什么。\n\n"
    "Ctrl+C 或 SIGTERM 会收尾文件后结束；再来一次则立即结束。\n\n"
    "\b\n退出码：0 完整，3 有缺口，4 没有录到内容，2 参数错误，\n5 磁盘，130 被第二个信号结束。",
    "serve": "监看频道，录制开播的内容，并提供网页和 API，直到被要求结束。\n\n"
    "\b\nCtrl+C 或 SIGTERM 会收尾所有文件后结束；在 `shutdown_timeout` 之内没有完成的，\n下次启动时整理。再来一次则立即结束。",
    "verify": "将录像与账本核对：字节、序号、时长、连续性；列出缺失之处及原因。\n\n"
    "没有账本的文件会由媒体生成一份账本。\n\n"
    "\b\n退出码：0 完好，3 有缺口，6 已损坏，2 参数错误，5 磁盘；\n多个文件时取最大值。",
    "recover": "崩溃之后：把未完成的录像截到最后一个完整的块，关闭文件，并说明丢失了什么。\n\n"
    "会查找所有子文件夹；正在录制的文件不受影响。\n\n"
    "\b\n退出码：0 没有丢失，3 有丢失或无法恢复，\n2 参数错误，5 磁盘。",
    "clip": "从录像中剪出一段，不重新编码，从关键帧到关键帧；录像可以仍在进行。\n\n"
    "\b\n退出码：0 完成，2 参数错误，4 无法生成，5 磁盘。",
    "remux": "更换录像的封装格式，不重新编码，并核对结果。mp3 和 m4a 只保留声音。\n\n"
    "\b\n退出码：0 完成，2 参数错误，4 无法生成，5 磁盘。",
    "resolve": "查询平台页面上正在直播什么：谁、什么内容、何时开播、有哪些流；或者为什么无法得知。\n\n"
    "\b\n退出码：0 正在直播或已结束的视频；20 未开播，21 被拦截，22 需要登录，23 地区限制，\n"
    "24 无法理解，25 没有这个频道，2 参数错误；多个地址时取最大值。",
    "resolvers": "显示负责解析平台的程序库及其版本；可将它们升级到单独的文件夹，或退回上一版本，安装本身不变。\n\n"
    "\b\n退出码：0 完成，2 参数错误，4 无法升级。",
    "platforms": "列出可以解析和录制的平台：名称、示例、询问的对象、所需条件。\n\n"
    "TEXT：只列出名称或地址中含有它的平台，或该页面所属的平台；-v 显示全部信息。\n\n\b\n退出码：0，2 没有这样的平台。",
    "config": "显示当前的设置及每个值的来源；设置文件的路径；或所有设置的示例。\n\n\b\n退出码：0，2 设置有误。",
    "export": "把所有设置写成一份文本：频道及其设置、删除规则、账号；`ouzel import` 可以读取。\n\n"
    "只读取数据库：守护进程是否运行均可。\n\n\b\n退出码：0，2 没有数据库，5 磁盘。",
    "check": "检查整个环境：设置、Python、ffmpeg、文件夹、数据库、端口、时钟；并说明如何修复。\n\n"
    "\b\n退出码：0 一切正常，3 有警告，6 有错误，2 参数错误。",
    "import": "读取其他录制、下载和转播程序的配置（文件或文件夹），逐行说明采用、修改和无法采用的内容；从不写入这些文件。\n\n"
    "会按内容识别格式：Twitch 录制器的 config.json，多平台录制器的 config.ini 和 URL_config.ini，摄像头录制器的 config.yaml，\n"
    "下载器的 downloader.yaml 和任务列表，转播的环境变量文件和 channels.json，StreamCap 的 recordings.json。\n\n"
    "\b\n退出码：0 全部采用，3 有无法采用的内容，4 什么都没有采用，2 参数错误。",
    "status": "显示正在运行的服务在做什么：频道、录制、存储、通知。\n\n"
    "\b\n退出码：0，2 不允许访问，4 应答的不是 Ouzel，7 没有服务。",
    "info": "显示录像的已知信息（已完成或正在录制）：轨道、时长、连接、缺口、播出时间、结束原因。\n\n"
    "\b\n退出码：0 完成，2 参数错误，4 不是媒体，5 磁盘；多个文件时取最大值。",
}

OPTIONS = {
    "server": "该地址的守护进程；否则取 OUZEL_SERVER，否则为本机的。",
    "api_key": "以谁的身份；否则取 OUZEL_API_KEY，否则为能读取 secret.key 的人。",
    "data": "本机守护进程的数据文件夹。",
    "channels list.platform": "只列出此平台的。",
    "channels list.label": "只列出带此标签的。",
    "channels list.state": "只列出处于此状态的：live、offline、blocked……",
    "channels list.text": "只列出名称或地址中含有它的。",
    "trash": "已移除的。",
    "channels add.name": "名称；否则取平台上的名称。",
    "channels add.labels": "带此标签；可重复使用。",
    "settings": "一项设置；VALUE 为 JSON 或文本。",
    "channels add.unwatched": "暂不监看。",
    "channels edit.name": "名称；空则取平台上的名称。",
    "channels edit.addresses": "它的地址，取代原有的。",
    "labels": "它的标签，取代原有的。",
    "unset": "恢复为上层取值的设置。",
    "recordings list.channel": "只列出此频道的。",
    "recordings list.state": "只列出处于此状态的：recording、parked、done……",
    "recordings list.gaps": "只列出有缺口的。",
    "jobs list.state": "只列出处于此状态的：queued、running、failed……",
    "users add.role": "它可以做什么。",
    "users add.labels": "只限带此标签的频道；可重复使用。",
    "users edit.name": "名称。",
    "users edit.role": "它可以做什么。",
    "users edit.disabled": "是否可以登录。",
    "notices list.everything": "包括已结束或已忽略的。",
    "mcp.read_only": "只提供不做任何更改的工具。",
    "events.follow": "继续显示此后发生的事件，直到 Ctrl+C。",
    "events.after": "从此编号之后的事件开始；默认从第一个开始。",
    "events.topics": "只显示这些，用逗号分隔：channel,recording……",
    "help": "显示此说明并退出。",
    "version": "显示版本并退出。",
    "as_json": "结果以 JSON 输出，每行一个对象。",
    "verbose": "显示更多信息。",
    "quiet": "只显示错误。",
    "serve.data": "数据库所在的文件夹。",
    "serve.recordings": "存放媒体的文件夹。",
    "serve.host": "在此地址监听。",
    "serve.port": "在此端口监听；0 表示任意空闲端口。",
    "serve.follow": "服从该文件夹中另一个录制程序的文件。",
    "serve.as_json": "日志和就绪信息以 JSON 输出，每行一个对象。",
    "record.output": "写到哪里。以 .ts、.mp4、.mkv、.flv、.mp3 或 .m4a 结尾的是文件，其余是文件夹。",
    "record.template": "文件夹中的文件名；字段：name、title、platform、host、quality、start。",
    "record.format_": "完成后文件的封装格式。默认：与流相同。",
    "record.keep_original": "转成其他格式后保留原文件。",
    "record.quality": "best、worst、audio；原画、蓝光、超清、高清、标清、流畅；1080p、720p60、4k；2500kbps、8M 这样的码率；"
    "或流自己的名称。没有时取次低的。",
    "record.codecs": "在页面的各个流中依次优先选择这些编码：hevc,h264。",
    "record.refused_codecs": "在页面的各个流中不选择这些编码：av1。",
    "record.cdn": "在页面的各个流中优先选择此 CDN，名称见 `ouzel resolve`。",
    "record.duration": "录到这么长的媒体后停止：90s、2h、01:30:00。",
    "record.split_after": "每录这么长的媒体换一个新文件。",
    "record.split_size": "文件达到此大小之前换一个新文件：2GB、700MiB。",
    "record.from_start": "从服务器仍保留的最早分段开始。",
    "record.keep_ads": "HLS：平台标明为广告的内容也一并录制。",
    "record.headers": "发送此请求头；可重复使用。",
    "cookies": "Cookie：cookies.txt、浏览器扩展导出的 JSON，或一行 'a=b; c=d'。",
    "proxy": "http://、socks5:// 或 socks5h:// 代理；或 direct（不用代理）。",
    "login": "登录平台；密码会询问，或取自 OUZEL_PASSWORD。",
    "user_agent": "发送此 User-Agent。",
    "record.wait": "等待直播开始。",
    "record.min_free": "磁盘剩余空间少于此值时暂停。",
    "record.park": "中断的流可以在多长时间内恢复。",
    "insecure": "不验证证书。",
    "config": "使用此设置文件，而不是平常的 ouzel.toml。",
    "export.path": "写入此文件：要么完整，要么不存在。",
    "export.secrets": "包含明文的 Cookie、密码和代理，以及账号密码的哈希。",
    "export.data": "使用此数据文件夹，而不是设置中的文件夹。",
    "check.online": "也询问网络：时间，以及所设置的代理。",
    "path": "使用此设置文件，而不是平常的 ouzel.toml。",
    "record.as_json": "事件以 JSON 逐行输出；最后一行是报告。",
    "resolve.quick": "只看谁在直播，每个频道一行；许多频道一起查询。",
    "resolve.list_": "再加上此文件中的地址。",
    "resolve.all_adapters": "询问该平台的每一个解析器，并列出各自的回答。",
    "resolve.timeout": "一次回答最多等待多久。",
    "resolvers.upgrade": "获取最新版本，试用通过后启用。",
    "resolvers.roll_back": "退回上一个版本。",
    "import.dry_run": "只显示会采用什么，不做任何更改。",
    "import.adopt": "此文件夹中其他录制器留下的录像；可重复使用。",
    "status.tasks": "每个任务及其状态，如同 Ctrl+P 所示。",
    "status.watch": "持续显示，直到 Ctrl+C。",
    "status.as_json": "原样输出服务所说的；与 --watch 一起则每行一个对象。",
    "clip.from_": "从哪里开始：01:02:03、90s。",
    "clip.to": "到哪里结束。默认：录像的结尾。",
    "clip.out": "剪出的文件；扩展名决定格式：.ts、.mp4、.mkv、.flv、.mp3 或 .m4a。",
    "remux.out": "生成的文件；扩展名决定格式：.ts、.mp4、.mkv、.flv、.mp3 或 .m4a。",
    "remux.replace": "核对无误后删除 FILE；其账本保留。",
}
"""By command and parameter; by parameter alone where all commands say the same."""


def of_option(command: str, parameter: str) -> str:
    """What an option does."""
    return OPTIONS.get(f"{command}.{parameter}") or OPTIONS[parameter]
