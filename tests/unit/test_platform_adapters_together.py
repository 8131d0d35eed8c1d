"""The libraries change what they share: one of them must not break the others."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from ouzel.platforms.adapters import adapter_for
from ouzel.platforms.registry import registry
match = registry().find("https://picarto.tv/somebody")
for name in sys.argv[1:]:
    adapter_for(name, match)
import requests
url = "https://b\u00fccher.example/%e2%82%ac?a=%e2"
print(requests.Request("GET", url).prepare().url)
from urllib3.util.url import _PERCENT_RE, parse_url
assert _PERCENT_RE.sub("x", "a%e2") == "ax"
assert parse_url("https://b\u00fccher.example/%e2").host == "xn--bcher-kva.example"
"""


@pytest.mark.parametrize("order", [("streamlink", "yt-dlp"), ("yt-dlp", "streamlink")], ids="-".join)
def test_requests_can_be_made_whatever_was_imported_first(order: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *order], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "xn--bcher-kva.example/%e2%82%ac" in done.stdout
