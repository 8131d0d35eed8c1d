"""Every threshold of the engine in one place, with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from ouzel.system.http import Limits


@dataclass(frozen=True, slots=True)
class Policy:
    """Times in seconds, sizes in bytes."""

    park_s: float = 80.0
    """How long a dropped recording waits for its stream to come back before it is over (rust-srec: 4 x 20 s)."""
    stall_s: float = 10.0
    """No byte for this long: the connection is dead (BililiveRecorder, StreamMonitor threads)."""
    low_speed_bps: int = 2_000
    """Bytes a second over `low_speed_s`; below, the connection is as good as dead. A 32 kb/s sound stream has 4,000."""
    low_speed_s: float = 10.0
    gather_s: float = 0.25
    """Media that may wait in the kernel so that it comes in larger pieces (`Request.gather_s`): a recorder is in no hurry."""
    retry_base_s: float = 0.5
    retry_cap_s: float = 15.0
    blocked_s: float = 10.0
    """At least so long a platform that wants a captcha, or fewer requests, is left alone in the middle of a recording."""
    segment_attempts: int = 5
    """Tries for one segment; a segment that left the window is given up after the try that is running."""
    segment_retry_s: float = 0.25
    """Wait after the first failed try for a segment; doubled with each further one, up to twelve times."""
    segment_longest_s: float = 60.0
    """How long a segment that is still listed is tried for at most, while others wait behind it."""
    segment_gone_attempts: int = 3
    """Tries for a segment that answers 404 or 410: a CDN may list it before it has it."""
    short_attempts: int = 2
    """Tries for a segment that is whole but holds less than it announces, before it is kept as it is."""
    playlist_attempts: int = 3
    """Quick tries for a playlist before the connection counts as dropped and is resolved anew."""
    playlist_s: float = 60.0
    """For the whole of one: what goes on for longer is a stream, which a page may have called HLS."""
    frozen_targets: float = 6.0
    """Target durations without anything new in a live playlist until it counts as dropped; at least `frozen_min_s`."""
    frozen_min_s: float = 20.0
    end_confirm_targets: float = 2.0
    """After ENDLIST in a playlist that was live, it is read again for this many target durations; at most `end_confirm_s`."""
    end_confirm_s: float = 12.0
    max_playlist_bytes: int = 16 * 1024 * 1024
    max_init_bytes: int = 4 * 1024 * 1024
    renew_at: float = 0.8
    """Share of an address's life after which it is renewed."""
    disk_probe_s: float = 30.0
    min_free_bytes: int = 256 * 1024 * 1024
    """Recording pauses when the disk has less free space than this."""
    stop_s: float = 8.0
    """Time for files to be finished after the first signal; a promise of the command line is 10 s in all."""

    @property
    def limits(self) -> Limits:
        return Limits(stall_s=self.stall_s, low_speed_bps=self.low_speed_bps, low_speed_s=self.low_speed_s)
