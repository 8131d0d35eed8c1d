"""Layers of settings: read, kept at hand, encrypted where they are secret, and put together for each channel."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, Protocol, cast

from ouzel.base.errors import BadOption
from ouzel.config.settings import PlatformSettings, PlatformTables
from ouzel.model.channel import Layer
from ouzel.model.channel_settings import NAMES, SECRETS, Effective, effective, parse_layer
from ouzel.system.zones import zone_of

SEALED = "sealed"
"""A secret is stored as `{"sealed": "…"}`."""
HIDDEN = "•••"
"""What is shown in place of a secret; in an edit it means: as it was."""
_OF_FILE = {each.name for each in fields(PlatformSettings)} & set(NAMES)


class SecretBox(Protocol):
    """Encrypts with a key of this data folder."""

    def seal(self, text: str) -> str: ...

    def open(self, sealed: str) -> str:
        """Raises: OuzelError for what was sealed with another key, or was changed."""
        ...


def seal(doc: Mapping[str, Any], secret: Collection[str], box: SecretBox) -> dict[str, Any]:
    """As it is stored. Empty secrets are no secrets. Args: secret: names of what is."""
    return {
        name: {SEALED: box.seal(json.dumps(value, ensure_ascii=False))} if name in secret and value else value
        for name, value in doc.items()
    }


def seal_layer(doc: Layer, box: SecretBox) -> dict[str, Any]:
    """As it is stored."""
    return seal(doc, SECRETS, box)


def open_layer(doc: Layer, box: SecretBox) -> dict[str, Any]:
    """As JSON values, with secrets in the clear."""
    return {name: _opened(value, box) for name, value in doc.items()}


def _opened(value: object, box: SecretBox) -> object:
    if isinstance(value, dict) and SEALED in value:
        return json.loads(box.open(str(cast("dict[str, object]", value)[SEALED])))
    return cast("object", value)


def shown_layer(doc: Layer) -> dict[str, Any]:
    """As it may be shown."""
    return {name: HIDDEN if name in SECRETS and value else value for name, value in doc.items()}


def merged(stored: Layer, patch: Mapping[str, Any], box: SecretBox) -> dict[str, Any]:
    """A stored layer after an edit: null takes a value away, and a secret that is shown hidden stays as it was.

    Raises: BadOption.
    """
    changed = {name: value for name, value in patch.items() if not (value == HIDDEN and name in SECRETS)}
    given = {name: value for name, value in changed.items() if value is not None}
    parse_layer(given)
    _check_zone(given)
    kept = {name: value for name, value in stored.items() if name not in changed}
    return kept | seal_layer(given, box)


def _check_zone(given: Mapping[str, Any]) -> None:
    try:
        zone_of(given.get("time_zone", ""))
    except BadOption as exc:
        exc.context.setdefault("pointer", "/time_zone")
        raise


class LayersOf:
    """Puts together what counts for a channel."""

    def __init__(self, box: SecretBox, tables: PlatformTables, usual: Layer | None = None) -> None:
        """Args: usual: what else the file says of all channels, by the names of `ChannelSettings`."""
        self._box = box
        self._usual = usual or {}
        self._tables = tables
        self._parsed: dict[str, tuple[Layer, dict[str, Any]]] = {}
        """By scope: as it is stored, and as values."""

    def effective(self, channel_id: str, platform: str, own: Layer, shared: Mapping[str, Layer]) -> Effective:
        """Args: shared: stored layers by scope."""
        scopes = (
            (f"platform:{platform}", shared.get(f"platform:{platform}", {})),
            ("global", shared.get("global", {})),
        )
        layers = [("channel", self._values(f"channel:{channel_id}", own))]
        layers += [(scope, self._values(scope, layer)) for scope, layer in scopes]
        return effective([*layers, ("file", self._of_file(platform))])

    def forget(self, channel_id: str) -> None:
        self._parsed.pop(f"channel:{channel_id}", None)

    def _values(self, scope: str, layer: Layer) -> dict[str, Any]:
        held = self._parsed.get(scope)
        if held is None or held[0] != layer:
            held = self._parsed[scope] = (layer, parse_layer(open_layer(layer, self._box)))
        return held[1]

    def _of_file(self, platform: str) -> dict[str, Any]:
        """What `ouzel.toml` says of a platform, as far as it says anything."""
        given = self._tables.of(platform)
        return {**self._usual, **{name: value for name in _OF_FILE if (value := getattr(given, name))}}
