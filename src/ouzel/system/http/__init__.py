"""HTTP/1.1 for media.

A request goes through these rooms: `client` (redirects, retries of a dead connection, judgement) takes a link from `pool` or has
`dial` open one (`guard` checks the addresses; `tunnels`, `tls`); an `exchange` receives for that link, feeds `reader` (`heads`,
`bodies`) and is watched by `watch`. Data goes from the loop's receive buffer to the caller's function by plain calls; no task,
queue or copy lies between, and no timer runs per connection.
"""

from ouzel.system.http.client import MAX_REDIRECTS, Http1Client
from ouzel.system.http.messages import USER_AGENT, Answer, Headers, HttpClient, Limits, Page, Request, Take

__all__ = [
    "MAX_REDIRECTS",
    "USER_AGENT",
    "Answer",
    "Headers",
    "Http1Client",
    "HttpClient",
    "Limits",
    "Page",
    "Request",
    "Take",
]
