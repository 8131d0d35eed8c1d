"""Public fakes: what Ouzel is tested with, for those who build on it.

* `clips`: a moving picture with a burnt-in UTC clock, a readable frame number and a tone, encoded once;
* `origin`: a live origin (HLS, HTTP-FLV, HTTP-TS, plain files) that can be stepped by hand and told to misbehave;
* `rtsp`: a real RTSP server, where GStreamer is installed;
* `markers`, `picture`: what was lost, repeated or mixed up, read from a recording itself;
* `messages`, `mail`: services that take messages, and say no as the real ones do; a mail server;
* `clock`, `disk`, `resolver`: a clock that can jump, a disk that fills up, a platform that hands out fresh addresses.

Nothing here is imported by the product.
"""
