"""Messages out: one `Sender` for each sort of target.

Services in our own hands say what the library for all others cannot (fixed hosts, everybody in a group, pictures). All of them
speak through one seam, `Senders.send`, and tell by their errors whether trying again can help. Everything else is sent by
apprise, in a child process that is started when there is something to say, and ends when there is nothing more.
"""
