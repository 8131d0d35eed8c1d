"""The nouns of `docs/glossary.md` as frozen values, the state tables, and every decision that needs no I/O."""
