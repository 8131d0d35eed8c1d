"""The whole set-up examined: what a daemon of these settings would find here. Nothing is changed by it.

Each module looks at one part and gives `Result`s; `examine` has them all, in the order in which they are told.
"""
