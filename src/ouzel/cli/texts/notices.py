"""What notices say, by their codes. Fields are those of the notice's data; one that it has not is empty."""

EN = {
    "notice.channel.blocked": "{name}: {platform} does not let us through ({why})",
    "notice.channel.needs_login": "{name}: {platform} wants an account, or a cookie of one",
    "notice.channel.region_locked": "{name} cannot be seen from here",
    "notice.channel.broken": "{name}: {platform} answered, and nobody understands what ({why})",
    "notice.channel.gone": "{name}: {platform} has no such channel",
    "notice.platform.blocked": "{platform} does not let us through: {channels} channels ({why})",
    "notice.platform.needs_login": "{platform} wants an account, or a cookie of one: {channels} channels",
    "notice.platform.region_locked": "{platform} cannot be seen from here: {channels} channels",
    "notice.platform.broken": "{platform} answers, and nobody understands what: {channels} channels ({why})",
    "notice.platform.strained": "{platform} may be asked {requests_per_minute} times a minute, which is too little for its"
    " {channels} channels: they are asked less often than is set",
    "notice.broadcast.not_recorded": "{name} is on air, and nothing of it is being recorded: {why}",
    "notice.recording.failed": "the recording of {name} ended with an error: {why}",
    "notice.recording.trouble": "the recording of {name} is in trouble: {why}",
    "notice.download.failed": "{name} could not be downloaded: {why}",
    "notice.downloads.failed": "{downloads} downloads from {host} failed alike, {name} as the last one: {why}",
    "notice.storage.low": "storage {root} is full: recordings are paused until there is room ({why})",
    "notice.storage.read_only": "storage {root} cannot be written: recordings are paused ({why})",
    "notice.storage.missing": "storage {root} is not mounted: nothing is recorded to it ({why})",
    "notice.storage.trouble": "storage {root} is in trouble: recordings are paused ({why})",
    "notice.storage.not_set": "storage {root} is not in the settings any more, though {files} files are in it or channels name"
    " it: nothing is recorded to it, and nothing deleted; there is {roots}",
    "notice.storage.all_pinned": "storage {root} lacks {lacks} bytes of what its rules keep free, and they may delete no more:"
    " what is left is pinned, in use, or under no such rule",
    "notice.retention.freed": "{recordings} recordings were deleted for good: {bytes} bytes are free again",
    "notice.retention.held_back": "storage {root} holds {unknown} bytes of recordings that the database does not know, beside"
    " {known} that it knows: no rule deletes anything there. Is it an old database, or a new one?",
    "notice.retention.in_vain": "recordings of {bytes} bytes were deleted from storage {root}, which has not more room by that"
    " (snapshots?): for six hours none goes to make room",
    "notice.retention.out_of_reach": "a rule keeps {keep_free} bytes free on storage {root}, where there would be less without"
    " any recording: nothing is deleted for it",
    "notice.retention.stuck": "{recordings} recordings could not be deleted: {why}",
    "notice.task.crashed": "a bug in Ouzel: {task} crashed, and was started again ({why})",
    "notice.files.recovered": "{files} files that were being written when Ouzel was killed have been recovered",
    "notice.follow.problem": "{path}: {why}",
    "notice.hook.failed": "the hook {hook} failed: {why}",
    "notice.target.failed": "{target} cannot be told anything: {why}",
    "notice.hook.missed": "so much happened that hooks were not started for some of it",
    "notice.pipeline.failed": "{title}: the step {step} of {pipeline} failed: {why}",
    "notice.pipeline.missing": "there is no pipeline {pipeline}: nothing is done with {title}",
    "notice.move.no_room": "moves of {jobs} recordings or downloads wait for room: {why}",
}

ZH = {
    "notice.channel.blocked": "{name}：{platform} 拒绝了访问（{why}）",
    "notice.channel.needs_login": "{name}：{platform} 需要账号或其 Cookie",
    "notice.channel.region_locked": "{name} 在本地区无法观看",
    "notice.channel.broken": "{name}：无法理解 {platform} 的返回内容（{why}）",
    "notice.channel.gone": "{name}：{platform} 上没有这个频道",
    "notice.platform.blocked": "{platform} 拒绝了访问：涉及 {channels} 个频道（{why}）",
    "notice.platform.needs_login": "{platform} 需要账号或其 Cookie：涉及 {channels} 个频道",
    "notice.platform.region_locked": "{platform} 在本地区无法观看：涉及 {channels} 个频道",
    "notice.platform.broken": "无法理解 {platform} 的返回内容：涉及 {channels} 个频道（{why}）",
    "notice.platform.strained": "{platform} 每分钟只能询问 {requests_per_minute} 次，"
    "不足以满足其 {channels} 个频道：询问间隔会比设定的更长",
    "notice.broadcast.not_recorded": "{name} 正在直播，但没有录到任何内容：{why}",
    "notice.recording.failed": "{name} 的录制因错误而结束：{why}",
    "notice.recording.trouble": "{name} 的录制遇到问题：{why}",
    "notice.download.failed": "{name} 下载失败：{why}",
    "notice.downloads.failed": "来自 {host} 的 {downloads} 个下载因同样原因失败，最近的是 {name}：{why}",
    "notice.storage.low": "存储目录 {root} 空间不足：录制已暂停，等待腾出空间（{why}）",
    "notice.storage.read_only": "存储目录 {root} 不可写：录制已暂停（{why}）",
    "notice.storage.missing": "存储目录 {root} 未挂载：不会向其中录制（{why}）",
    "notice.storage.trouble": "存储目录 {root} 出现问题：录制已暂停（{why}）",
    "notice.storage.not_set": "设置中已没有存储目录 {root}，但仍有 {files} 个文件在其中，或有频道使用它："
    "不会向其中录制，也不会删除任何内容；现有：{roots}",
    "notice.storage.all_pinned": "存储目录 {root} 比规则要求的空闲空间少 {lacks} 字节，且规则不能再删除："
    "剩下的已固定、正在使用或不属于这类规则",
    "notice.retention.freed": "已彻底删除 {recordings} 个录像：释放了 {bytes} 字节",
    "notice.retention.held_back": "存储目录 {root} 中有 {unknown} 字节的录像不在数据库里（已知 {known} 字节）："
    "规则不会删除其中任何内容。数据库是旧的还是新建的？",
    "notice.retention.in_vain": "已从存储目录 {root} 删除 {bytes} 字节的录像，但空间并未增加（快照？）："
    "六小时内不再为腾出空间而删除",
    "notice.retention.out_of_reach": "有规则要求存储目录 {root} 保留 {keep_free} 字节空闲，但即使没有任何录像也不会有这么多："
    "不会为此删除任何内容",
    "notice.retention.stuck": "有 {recordings} 个录像无法删除：{why}",
    "notice.task.crashed": "Ouzel 的缺陷：{task} 崩溃后已重新启动（{why}）",
    "notice.files.recovered": "Ouzel 被强行结束时正在写入的 {files} 个文件已恢复",
    "notice.follow.problem": "{path}：{why}",
    "notice.hook.failed": "钩子 {hook} 执行失败：{why}",
    "notice.target.failed": "无法向 {target} 发送消息：{why}",
    "notice.hook.missed": "事件过多，部分事件没有启动钩子",
    "notice.pipeline.failed": "{title}：流程 {pipeline} 的步骤 {step} 失败：{why}",
    "notice.pipeline.missing": "没有名为 {pipeline} 的流程：不会对 {title} 做任何处理",
    "notice.move.no_room": "{jobs} 个移动任务在等待空间：{why}",
}
