"""Every error that Ouzel raises on purpose.

    OuzelError                 internal
    ├── InputError             bad_input            the caller's words are wrong; saying them again will not help
    │   ├── BadUrl             bad_url
    │   ├── BadOption          bad_option
    │   ├── BadConfig          bad_config           the settings file, or a setting in the environment
    │   ├── UnknownQuality     unknown_quality
    │   ├── OutputExists       output_exists
    │   ├── SameChannel        same_channel         two addresses name one channel, which is recorded already
    │   ├── UnknownSite        unknown_site         a page of a host that Ouzel does not know
    │   ├── NotFound           not_found            there is no such channel, recording, job, user …
    │   ├── Invalid            invalid              fields of a request are not what they should be
    │   ├── BodyTooLarge       body_too_large       a request with more bytes than any needs
    │   ├── ChecksumMismatch   checksum_mismatch    a piece of an upload that is not what its sender says
    │   ├── OtherTus           other_tus            an upload that speaks another version of its protocol
    │   ├── NotJson            not_json             a request whose body is of another type
    │   ├── WeakPassword       weak_password        too short, or one of those that are tried first
    │   ├── KeyReused          key_reused           an idempotency key that came with another request before
    │   ├── Conflict           conflict             it cannot be so beside what there is
    │   │   └── ChangedSince   changed_since        it was changed since whoever asks has read it
    │   ├── NotAllowed         not_allowed          who asks may not do this
    │   │   ├── NotSignedIn    not_signed_in        nobody knows who asks
    │   │   ├── BadLogin       bad_login            name or password is wrong
    │   │   └── CrossSite      cross_site           a page of another site asks in the name of whoever looks at it
    │   ├── TooManyAttempts    too_many_attempts    of signing in
    │   └── NotALedger         not_a_ledger
    ├── MediaError             bad_media            the bytes are not what they should be
    │   ├── FormatError        bad_format           a parser refuses: the playlist, tag, packet or box is malformed
    │   │   └── TooLarge       too_large            a length or a nesting beyond the parser's limit
    │   ├── NotMedia           not_media            an HTML page, a picture, an empty answer
    │   ├── NotDecrypted       not_decrypted        noise where media should be: it was decrypted with a key that is not its own
    │   ├── Unsupported        unsupported_media    legal, but not something that Ouzel can read
    │   │   ├── Encrypted      encrypted            SAMPLE-AES, DRM, scrambling: bytes that nobody could play
    │   │   └── IndexAtEnd     index_at_end         an MP4 whose media cannot be read before its last bytes are there
    │   └── ShortBody          short_body           fewer bytes, or less media, than announced
    ├── NetworkError           network              the other side, or the way there
    │   ├── HostNotFound       host_not_found
    │   ├── ConnectFailed      connect_failed
    │   ├── ConnectionLost     connection_lost
    │   ├── TlsFailed          tls_failed
    │   ├── Stalled            stalled              no bytes, or too few, for too long
    │   ├── ProxyFailed        proxy_failed
    │   ├── BadResponse        bad_response         not HTTP, or HTTP that breaks its own framing
    │   ├── TooManyRedirects   too_many_redirects
    │   └── HttpStatus         http_status          an answer that says no
    │       ├── Gone           gone                 404, 410
    │       ├── Forbidden      forbidden            401, 403
    │       ├── RateLimited    rate_limited         429
    │       └── ServerTrouble  server_trouble       5xx
    ├── Refused                refused              we will not go there
    │   ├── AddressRefused     address_refused      a private address, named by something on a public one
    │   └── SchemeRefused      scheme_refused       anything but http and https in a playlist
    ├── SiteError              site                 a platform does not say what it was asked: nobody knows whether it is live
    │   ├── Blocked            blocked              it wants a captcha, or no more requests
    │   ├── NeedsLogin         needs_login          only with an account, or a cookie of one
    │   ├── RegionLocked       region_locked        not from here
    │   ├── ChannelGone        channel_gone         there is no such channel, it is banned, or private
    │   ├── SiteChanged        site_changed         it answered, but not as it used to
    │   ├── ResolverFailed     resolver_failed      what asks for us crashed, hung, or talked nonsense
    │   └── NotOnAir           not_on_air           it is offline, and was to be recorded now
    ├── StorageError           storage              the disk
    │   ├── DiskFull           disk_full
    │   │   └── NoRoom         no_room              less is free than what is to be put there needs, beside the floor
    │   ├── ReadOnly           read_only
    │   │   └── RootMissing    root_missing         a storage root is not mounted: its folder is not the one it was
    │   ├── FileBusy           file_busy            another process is writing this recording
    │   ├── InUse              in_use               what wants these files for itself waits: they are on air, or worked on
    │   ├── DataFolderBusy     data_folder_busy     another daemon works on this data folder
    │   ├── OutsideRoot        outside_root         what would be unlinked is not in its storage root, or behind a link
    │   ├── FileRemoved        file_removed         what was being written is not in its folder any more
    │   ├── SecretUnreadable   secret_unreadable    `secret.key` is damaged, or not the one that a secret was encrypted with
    │   ├── DatabaseDamaged    database_damaged     SQLite cannot make sense of the file
    │   ├── DatabaseTooNew     database_too_new     a newer Ouzel wrote it
    │   └── DatabaseOdd        database_odd         of the present version, with other tables: no release wrote it
    ├── ToolError              tool                 a program that we call
    │   ├── ToolMissing        tool_missing
    │   └── ToolFailed         tool_failed
    ├── TargetRefused          target_refused       who is to be told something says no, and will say so again
    ├── RemoteError            remote               where copies go
    │   ├── RemoteRefused      remote_refused       it says no: keys, bucket, rights; or nobody knows such a remote
    │   ├── RemoteUnreachable  remote_unreachable   it does not answer, or cannot now
    │   ├── RemoteFull         remote_full          it has no room, or none for us
    │   ├── RemoteTaken        remote_taken         something else stands where the copy was to go
    │   └── CopyDiffers        copy_differs         what is there is not what was sent
    ├── StaleOwner             stale_owner          somebody else owns the work by now: what was to be committed is not
    ├── NoDaemon               no_daemon            a command speaks to the daemon, and none answers
    ├── CannotListen           cannot_listen        the address for the web page and the API cannot be had
    ├── Incomplete             incomplete           a download lacks what could not be fetched; the rest is there
    └── Damaged                damaged              a recording does not agree with its ledger

`code` is a promise: the API, the texts in both languages, the ledger and the metrics key on it. Every code is listed in
`docs/reference/errors.md`; a test compares.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar


class Retry(Enum):
    """Whether asking again can help. Decided once, on the class; never at the place of the call."""

    NEVER = "never"  # not without something being changed first
    SOON = "soon"  # a passing fault: the next attempt may work
    LATER = "later"  # the other side asked to be left alone for a while


class OuzelError(Exception):
    """Root of every error raised on purpose.

    `context` holds ids, sizes, hosts and addresses that are redacted already, so that it is safe to log.
    """

    code: ClassVar[str] = "internal"
    retry: ClassVar[Retry] = Retry.NEVER

    def __init__(self, message: str, **context: object) -> None:
        super().__init__(message)
        self.message = message
        self.context = context

    def __str__(self) -> str:
        return self.message

    def tell_of(self, what: str) -> None:
        """Say what the error is about, where more than one thing may be."""
        self.message = f"{what}: {self.message}"


class InputError(OuzelError):
    code = "bad_input"


class BadUrl(InputError):
    code = "bad_url"


class BadOption(InputError):
    code = "bad_option"


class BadConfig(InputError):
    code = "bad_config"


class UnknownQuality(InputError):
    code = "unknown_quality"


class OutputExists(InputError):
    code = "output_exists"


class SameChannel(InputError):
    code = "same_channel"


class UnknownSite(InputError):
    code = "unknown_site"


class NotFound(InputError):
    code = "not_found"


class Conflict(InputError):
    code = "conflict"


class ChangedSince(Conflict):
    code = "changed_since"


class Invalid(InputError):
    code = "invalid"


class BodyTooLarge(InputError):
    code = "body_too_large"


class ChecksumMismatch(InputError):
    """What came of an upload is not what its sender says that it is."""

    code = "checksum_mismatch"
    retry = Retry.SOON


class OtherTus(InputError):
    """An upload that speaks another version of its protocol."""

    code = "other_tus"


class NotJson(InputError):
    code = "not_json"


class WeakPassword(InputError):
    code = "weak_password"


class KeyReused(InputError):
    code = "key_reused"


class NotAllowed(InputError):
    code = "not_allowed"


class NotSignedIn(NotAllowed):
    code = "not_signed_in"


class BadLogin(NotAllowed):
    code = "bad_login"


class CrossSite(NotAllowed):
    code = "cross_site"


class TooManyAttempts(InputError):
    code, retry = "too_many_attempts", Retry.LATER

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotALedger(InputError):
    code = "not_a_ledger"


class MediaError(OuzelError):
    code = "bad_media"


class FormatError(MediaError):
    code = "bad_format"


class TooLarge(FormatError):
    code = "too_large"


class NotMedia(MediaError):
    """`begins`: what came instead, as far as it is shown; not everybody may read it."""

    code = "not_media"

    def __init__(self, message: str, *, begins: str = "", **context: object) -> None:
        super().__init__(message + begins, **context)
        self._begins = begins

    def keep_secret(self) -> None:
        """Say no more of what came than what it is not."""
        self.message = self.message.removesuffix(self._begins)


class NotDecrypted(MediaError):
    code = "not_decrypted"


class Unsupported(MediaError):
    code = "unsupported_media"


class Encrypted(Unsupported):
    code = "encrypted"


class IndexAtEnd(Unsupported):
    code = "index_at_end"


class ShortBody(MediaError):
    code, retry = "short_body", Retry.SOON


class NetworkError(OuzelError):
    code, retry = "network", Retry.SOON


class HostNotFound(NetworkError):
    code = "host_not_found"


class ConnectFailed(NetworkError):
    code = "connect_failed"


class ConnectionLost(NetworkError):
    code = "connection_lost"


class TlsFailed(NetworkError):
    code, retry = "tls_failed", Retry.NEVER


class Stalled(NetworkError):
    code = "stalled"


class ProxyFailed(NetworkError):
    code = "proxy_failed"


class BadResponse(NetworkError):
    code = "bad_response"


class TooManyRedirects(NetworkError):
    code, retry = "too_many_redirects", Retry.NEVER


class HttpStatus(NetworkError):
    """An answer whose status is neither 2xx nor a redirect that was followed."""

    code, retry = "http_status", Retry.NEVER

    def __init__(self, message: str, *, status: int, retry_after_s: float | None = None, **context: object) -> None:
        super().__init__(message, status=status, **context)
        self.status = status
        self.retry_after_s = retry_after_s


class Gone(HttpStatus):
    code = "gone"


class Forbidden(HttpStatus):
    code = "forbidden"


class RateLimited(HttpStatus):
    code, retry = "rate_limited", Retry.LATER


class ServerTrouble(HttpStatus):
    code, retry = "server_trouble", Retry.SOON


class Refused(OuzelError):
    code = "refused"


class AddressRefused(Refused):
    code = "address_refused"


class SchemeRefused(Refused):
    code = "scheme_refused"


class SiteError(OuzelError):
    code = "site"


class Blocked(SiteError):
    code, retry = "blocked", Retry.LATER


class NeedsLogin(SiteError):
    code = "needs_login"


class RegionLocked(SiteError):
    code = "region_locked"


class ChannelGone(SiteError):
    code = "channel_gone"


class SiteChanged(SiteError):
    code, retry = "site_changed", Retry.LATER


class ResolverFailed(SiteError):
    code, retry = "resolver_failed", Retry.SOON


class NotOnAir(SiteError):
    code, retry = "not_on_air", Retry.LATER


class StorageError(OuzelError):
    code = "storage"


class DiskFull(StorageError):
    code, retry = "disk_full", Retry.LATER


class NoRoom(DiskFull):
    code = "no_room"


class ReadOnly(StorageError):
    code, retry = "read_only", Retry.LATER


class RootMissing(ReadOnly):
    code = "root_missing"


class FileBusy(StorageError):
    code = "file_busy"


class InUse(StorageError):
    code, retry = "in_use", Retry.LATER


class DataFolderBusy(StorageError):
    code = "data_folder_busy"


class OutsideRoot(StorageError):
    code = "outside_root"


class FileRemoved(StorageError):
    code = "file_removed"


class SecretUnreadable(StorageError):
    code = "secret_unreadable"


class DatabaseDamaged(StorageError):
    code = "database_damaged"


class DatabaseTooNew(StorageError):
    code = "database_too_new"


class DatabaseOdd(StorageError):
    code = "database_odd"


class ToolError(OuzelError):
    code = "tool"


class ToolMissing(ToolError):
    code = "tool_missing"


class ToolFailed(ToolError):
    code = "tool_failed"


class TargetRefused(OuzelError):
    code = "target_refused"


class RemoteError(OuzelError):
    code = "remote"


class RemoteRefused(RemoteError):
    code = "remote_refused"


class RemoteUnreachable(RemoteError):
    code, retry = "remote_unreachable", Retry.SOON


class RemoteFull(RemoteError):
    code, retry = "remote_full", Retry.LATER


class RemoteTaken(RemoteError):
    code = "remote_taken"


class CopyDiffers(RemoteError):
    code, retry = "copy_differs", Retry.SOON


class StaleOwner(OuzelError):
    code = "stale_owner"


class NoDaemon(OuzelError):
    code, retry = "no_daemon", Retry.SOON


class CannotListen(OuzelError):
    code = "cannot_listen"


class Damaged(OuzelError):
    code = "damaged"


class Incomplete(OuzelError):
    """`context["outcome"]` is the `DownloadOutcome`."""

    code, retry = "incomplete", Retry.LATER
