"""Texts of `ouzel config` and `ouzel check`."""

EN = {
    "help.config": "show what is set, and all that can be",
    "help.check": "examine the whole set-up, and say how to mend it",
    "config.from_environment": "the variable {name}",
    "config.from_file": "{name}, line {line}",
    "config.from_default": "default",
    "config.no_file": "there is no such file yet: `ouzel config example` prints one",
}

ZH = {
    "help.config": "显示当前设置，以及所有可用的设置",
    "help.check": "检查整个环境，并说明如何修复",
    "config.from_environment": "环境变量 {name}",
    "config.from_file": "{name} 第 {line} 行",
    "config.from_default": "默认",
    "config.no_file": "该文件尚不存在：`ouzel config example` 可以打印一份",
}
