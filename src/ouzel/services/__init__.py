"""Use cases and state machines, one module per noun."""
