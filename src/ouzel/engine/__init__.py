"""The media engine. The life of a stream:

`sources/` open it and hand bytes, as they arrive, to an `Intake`; the container's shaper finds chunk edges and mends time
stamps on the way; the `Tape` appends to a `FileSink` and writes a ledger line for each whole chunk, and for each gap.
`recorder.py` holds the policy around it: retrying, renewing, parking, pausing, ending.
"""
