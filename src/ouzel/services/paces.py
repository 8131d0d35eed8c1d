"""How fast downloads go: what `[download]` and `[profiles.NAME]` of the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ouzel.model.downloads import Pace

if TYPE_CHECKING:
    from ouzel.config.tables import DownloadSettings, ProfileSettings


def pace_of(each: DownloadSettings | ProfileSettings, own: DownloadSettings) -> Pace:
    """Args: each: the profile, or `own`, which has what no profile says."""
    return Pace(
        min(each.connections, own.most_connections), each.retries, each.retry_delay.total_seconds(),
        own.connect_timeout.total_seconds(), own.read_timeout.total_seconds(),
    )  # fmt: skip
