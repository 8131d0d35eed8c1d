"""Files to remotes: whole or not at all, verified, in children, and without a database."""
