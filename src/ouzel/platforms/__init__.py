"""Platforms: from the address of a page to what is on air there, or to why that cannot be known.

A page goes through these rooms:

`registry` finds the platform by the patterns that stand in `sites/NAME.py`, without importing it. `host` hands the request to a
child process (`worker`), where `chain` asks the platform's adapters in their order: our own code in the site's file, and
`adapters/` for streamlink, yt-dlp and streamget. All of them speak to the site through a `Watch`, which sees each request and
what came of it, so that a failed one can never pass for "offline". What comes back is an `Answer` of `model.live`, or an error
with the evidence.
"""
