"""What cannot be set, in Chinese: pipelines, remotes, targets, routes, rules. As `sentences`, which has these, too."""

from __future__ import annotations

ZH = {
    "{name} has no field {field}; did you mean {near}?": "{name} 没有字段 {field}；是否指 {near}？",
    "{name} has no field {field}; there are {known}": "{name} 没有字段 {field}；可用的有 {known}",
    "{key} is from {least} to {most}": "{key} 应为 {least} 到 {most}",
    "a target of {kind} needs {missing}": "{kind} 目标缺少 {missing}",
    "there is no sort of target {kind}; there are {known}": "没有 {kind} 这种目标；可用的有 {known}",
    "there is no sort of target {kind}; did you mean {near}?": "没有 {kind} 这种目标；是否指 {near}？",
    "there is no sort of remote {kind}; there are {known}": "没有 {kind} 这种远端；可用的有 {known}",
    "{name} is no address that can be used": "{name} 不是可用的地址",
    "this is no address that apprise knows": "apprise 不认识这个地址",
    "there is no target {name}": "没有目标 {name}",
    "{text} is no time of day; it is written 20:00, at most 24:00": "{text} 不是时刻；应写作 20:00，最大 24:00",
    "nothing that is told is called {name}; there are {known}": "没有名为 {name} 的可通知事件；可用的有 {known}",
    "a message has no field {field}; it knows {known}": "消息没有字段 {field}；可用的有 {known}",
    "the name template has no field {field}; it knows {known}": "名称模板没有字段 {field}；可用的有 {known}",
    "the configuration file has no hook {name}; there are {known}": "配置文件中没有钩子 {name}；可用的有 {known}",
    "the configuration file has no hook {name}; it has none": "配置文件中没有钩子 {name}；其中没有任何钩子",
    "a rule without any limit deletes nothing: give days, bytes, a count, or room that it keeps free": (
        "没有任何限制的规则不会删除内容：请给出天数、字节、个数或要保留的空闲空间"
    ),
    "--keep-count takes a number of recordings, not {text}": "--keep-count 需要录像个数，而不是 {text}",
    "{text} has no unit: write 500MB, 500GB or 2TiB": "{text} 没有单位：请写作 500MB、500GB 或 2TiB",
    "name what it is used for: --channel, --platform or --all": "请指明用于什么：--channel、--platform 或 --all",
    "so much cannot be kept free: the largest disk of all storage roots has {size}": (
        "无法保留这么多空闲：所有存储目录中最大的磁盘为 {size}"
    ),
    "the hook {name} starts {program}, which is no program that can be run here": "钩子 {name} 要启动的 {program} 在此无法运行",
}

OF_PYDANTIC = {
    "/{name}: input should be greater than {least}": "{name} 应大于 {least}",
    "/{name}: input should be greater than or equal to {least}": "{name} 应不小于 {least}",
    "/{name}: input should be less than or equal to {most}": "{name} 应不大于 {most}",
    "/{name}: input should be a valid integer": "{name} 应为整数",
    "/{name}: string should have at least {least} character": "{name} 至少要有 {least} 个字符",
    "/{name}: string should have at most {most} characters": "{name} 最多 {most} 个字符",
    "/{name}: field required": "缺少 {name}",
    "/{name}: extra inputs are not permitted": "没有 {name} 这一项",
}
"""As that library says it, for which a body of a request is wrong."""
