"""Texts of the commands about files."""

EN: dict[str, str] = {}

ZH: dict[str, str] = {}
