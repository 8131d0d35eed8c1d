"""What the daemon says to people."""

EN = {
    "help.serve": "watch channels, record what goes live, serve the web page and the API",
    "serve.ready": "Ouzel is at {address}",
    "serve.setup": "make the first account there, once: {address}",
}
ZH = {
    "help.serve": "监看频道，录制开播的内容，并提供网页和 API",
    "serve.ready": "Ouzel 在 {address}",
    "serve.setup": "请在此创建第一个账号（只能用一次）：{address}",
}
