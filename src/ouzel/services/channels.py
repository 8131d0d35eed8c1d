"""The list of channels: added, edited, taken away and brought back; nothing of it is ever lost.

Every edit is one transaction with a revision beside it, which has the row before and after, so that it can be undone. What is
taken away stays in the trash. All channels are at hand in memory: that is what watching and recording ask.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ouzel.base.errors import BadOption, Conflict, NotFound, OuzelError
from ouzel.base.ids import new_id
from ouzel.config.settings import PlatformTables
from ouzel.model.channel import Channel, Layer, folder_name
from ouzel.model.channel_settings import DEFAULTS, Effective
from ouzel.model.happening import Happening
from ouzel.model.live import Identity
from ouzel.services.addresses import read_address
from ouzel.services.channel_forms import (
    MOST_ADDRESSES,
    ChannelEdit,
    NewChannel,
    Taken,
    check_revision,
    check_root,
    doc_of,
    from_doc,
    read_addresses,
    read_identity,
    read_labels,
    read_name,
)
from ouzel.services.policies import check_named_in
from ouzel.services.settings import LayersOf, SecretBox, merged, open_layer
from ouzel.store.channels import GLOBAL, ChannelRepo
from ouzel.store.db import Db, Tx
from ouzel.store.pipelines import PipelineRepo
from ouzel.store.policies import PolicyRepo

_UNSET: Mapping[str, Any] = {}


class Channels:
    """Use cases around the list. `load` first."""

    def __init__(
        self,
        db: Db,
        box: SecretBox,
        tables: PlatformTables | None = None,
        usual: Layer | None = None,
        roots: Collection[str] = (DEFAULTS.root,),
    ) -> None:
        """Args: tables, usual, roots: what `ouzel.toml` says of platforms, and of all channels; names of storage roots."""
        self._db = db
        self._repo = ChannelRepo(db)
        self._pipelines = PipelineRepo(db)
        self._policies = PolicyRepo(db)
        self._box = box
        self._roots = roots
        self._known: dict[str, Channel] = {}
        self._layers: dict[str, tuple[Layer, int]] = {}
        self._effective = LayersOf(box, tables or PlatformTables(), usual)

    async def load(self) -> None:
        """What the database has."""
        self._known = {channel.id: channel for channel in await self._repo.all()}
        self._layers = await self._repo.layers()

    # -- asking -------------------------------------------------------------------------------------------------------

    def all(self) -> list[Channel]:
        """In the order in which they were added."""
        return [*self._known.values()]

    def get(self, channel_id: str) -> Channel:
        """Raises: NotFound."""
        if (channel := self._known.get(channel_id)) is None:
            raise NotFound(f"there is no channel {channel_id[:40]}")
        return channel

    def name_of(self, channel_id: str) -> str:
        """Empty when it is in the trash, or was never there."""
        channel = self._known.get(channel_id)
        return channel.name if channel is not None else ""

    def find(self, word: str) -> Channel:
        """By id, by the beginning of one that no other has, by name, or by address. Raises: NotFound, BadOption."""
        if (channel := self._known.get(word)) is not None:
            return channel
        fold = word.casefold()
        found = [c for c in self._known.values() if fold in (c.name.casefold(), *(a.casefold() for a in c.addresses))]
        found = found or [c for c in self._known.values() if len(word) >= 4 and c.id.startswith(fold)]
        if len(found) > 1:
            raise BadOption(f"{word[:60]} may be {', '.join(f'{c.name} ({c.id})' for c in found[:5])}: give the id")
        if not found:
            raise NotFound(f"there is no channel {word[:60]}; `ouzel channels` lists them")
        return found[0]

    async def removed(self) -> list[Channel]:
        """Those in the trash."""
        return await self._repo.all(deleted=True)

    def effective(self, channel: Channel) -> Effective:
        """What counts for it, and from where."""
        shared = {scope: layer for scope, (layer, _) in self._layers.items()}
        return self._effective.effective(channel.id, channel.platform, channel.settings, shared)

    def usual(self, platform: str) -> Effective:
        """What counts for a page of a platform that is no channel."""
        shared = {scope: layer for scope, (layer, _) in self._layers.items()}
        return self._effective.effective("", platform, {}, shared)

    def layer(self, scope: str) -> tuple[Layer, int]:
        """As it is stored, and its revision; nothing and 0 where nothing is set."""
        return self._layers.get(scope, ({}, 0))

    def opened_layer(self, scope: str) -> Layer:
        """With its secrets in the clear. Raises: OuzelError for those of another key."""
        return open_layer(self.layer(scope)[0], self._box)

    @property
    def box(self) -> SecretBox:
        """Encrypts what is stored."""
        return self._box

    def roots(self) -> set[str]:
        """Storage roots that some settings name."""
        layers = [*(layer for layer, _ in self._layers.values()), *(each.settings for each in self._known.values())]
        return {layer["root"] for layer in layers if "root" in layer}

    @property
    def scopes(self) -> Sequence[str]:
        """Of the layers that have something."""
        return sorted(self._layers)

    # -- adding -------------------------------------------------------------------------------------------------------

    async def add(self, new: NewChannel, *, by: str, batch: str | None = None) -> Channel:
        """Raises: BadUrl, BadOption; Conflict when it is there already, with its id as `existing` in the context."""
        async with self._db.transaction() as tx:
            channel = await self._add_in(tx, new, await self._taken_in(tx), by, batch)
        self._known[channel.id] = channel
        return channel

    async def add_many(self, wanted: Sequence[NewChannel], *, by: str) -> list[Channel | OuzelError]:
        """Each by itself, all in one transaction and one batch: what is wrong with one does not keep the others out."""
        done: list[Channel | OuzelError] = []
        batch = new_id(self._db.clock.now())
        async with self._db.transaction() as tx:
            taken = await self._taken_in(tx)
            for new in wanted:
                try:
                    channel = await self._add_in(tx, new, taken, by, batch)
                except OuzelError as exc:
                    done.append(exc)
                else:
                    taken.add(channel)
                    done.append(channel)
        self._known |= {each.id: each for each in done if isinstance(each, Channel)}
        return done

    async def _add_in(self, tx: Tx, new: NewChannel, taken: Taken, by: str, batch: str | None) -> Channel:
        addresses = read_addresses(new.addresses)
        for address in addresses:
            if (other := taken.addresses.get(address.url)) is not None:
                raise Conflict(f"{address.shown} is there already", existing=other)
        identity = read_identity(new.identity, addresses[0].platform)
        if identity is not None and (other := taken.addresses.get(str(identity))) is not None:
            raise Conflict(f"{identity} is there already", existing=other)
        await self._check_names(tx, new.settings)
        at = self._db.clock.now()
        name = read_name(new.name) or addresses[0].name
        channel = Channel(
            id=new_id(at),
            addresses=tuple(address.url for address in addresses),
            platform=addresses[0].platform,
            name=name,
            named_by_user=bool(new.name.strip()),
            folder=taken.free_folder(new.folder or folder_name(name, addresses[0].platform)),
            labels=read_labels(new.labels),
            watch=new.watch,
            settings=merged(_UNSET, new.settings, self._box),
            follows=new.follows,
            identity=identity,
            aliases=tuple(read_name(each) for each in new.aliases),
            created_at=at,
            updated_at=at,
        )
        await self._repo.add_in(tx, channel)
        await self._note(tx, "added", None, channel, by, batch)
        return channel

    async def add_row_in(self, tx: Tx, channel: Channel, by: str) -> None:
        """One that is made elsewhere, as it is. `load` when the transaction is over."""
        await self._repo.add_in(tx, channel)
        await self._note(tx, "added", None, channel, by, None)

    async def _taken_in(self, tx: Tx) -> Taken:
        return Taken(await self._repo.addresses_in(tx), await self._repo.folders_in(tx))

    # -- changing -----------------------------------------------------------------------------------------------------

    async def edit(
        self, channel_id: str, edit: ChannelEdit, *, by: str, revision: int | None = None, batch: str | None = None
    ) -> Channel:
        """Raises: NotFound, BadUrl, BadOption; ChangedSince when `revision` is not the present one; Conflict when an
        address is another's.
        """
        async with self._db.transaction() as tx:
            before = await self._present(tx, channel_id)
            check_revision(before.revision, revision)
            after = await self._edited(tx, before, edit)
            if after == before:
                return before
            after = await self._put(tx, "changed", before, after, by, batch)
        return self._now(after)

    async def _edited(self, tx: Tx, before: Channel, edit: ChannelEdit) -> Channel:
        after = before
        if edit.addresses is not None:
            addresses = read_addresses(edit.addresses)
            taken = await self._repo.addresses_in(tx)
            for address in addresses:
                if taken.get(address.url, before.id) != before.id:
                    raise Conflict(f"{address.shown} is another channel's", existing=taken[address.url])
            same = addresses[0].url == before.address
            after = replace(
                after,
                addresses=tuple(address.url for address in addresses),
                platform=addresses[0].platform,
                identity=before.identity if same else None,  # it will be told anew
            )
        if edit.name is not None:
            own = read_name(edit.name)
            told = read_address(after.address).name if not before.aliases else before.aliases[-1]
            after = replace(after, named_by_user=bool(own), name=own or (told if before.named_by_user else before.name))
        if edit.watch is not None:
            after = replace(after, watch=edit.watch)
        if edit.labels is not None:
            after = replace(after, labels=read_labels(edit.labels))
        if edit.follows is not None:
            after = replace(after, follows=edit.follows)
        if edit.settings is not None:
            await self._check_names(tx, edit.settings)
            after = replace(after, settings=merged(after.settings, edit.settings, self._box))
        return after

    async def remove(
        self, channel_id: str, *, by: str, revision: int | None = None, batch: str | None = None
    ) -> Channel:
        """Into the trash. Raises: NotFound; ChangedSince when `revision` is not the present one."""
        async with self._db.transaction() as tx:
            before = await self._present(tx, channel_id)
            check_revision(before.revision, revision)
            after = replace(before, deleted_at=self._db.clock.now())
            after = await self._put(tx, "removed", before, after, by, batch)
        return self._now(after)

    async def restore(self, channel_id: str, *, by: str) -> Channel:
        """Out of the trash. Raises: NotFound; Conflict when another channel has its address or its identity now."""
        async with self._db.transaction() as tx:
            before = await self._repo.get_in(tx, channel_id)
            if before is None or before.deleted_at is None:
                raise NotFound(f"there is no channel {channel_id[:40]} in the trash")
            after = await self._put(tx, "restored", before, replace(before, deleted_at=None), by, None)
        return self._now(after)

    async def set_layer(
        self, scope: str, patch: Mapping[str, Any], *, by: str, revision: int | None = None
    ) -> tuple[Layer, int]:
        """Change the settings for all channels, or those of a platform. Returns: as stored, and the revision.

        Raises: BadOption; ChangedSince when `revision` is not the present one.
        """
        async with self._db.transaction() as tx:
            before, present = await self._repo.layer_in(tx, scope)
            check_revision(present, revision)
            await self._check_names(tx, patch)
            after = merged(before, patch, self._box)
            await self._put_layer(tx, scope, before, after, present + 1, by, "changed")
        self._layers[scope] = (after, present + 1)
        return after, present + 1

    # -- what platforms tell ------------------------------------------------------------------------------------------

    async def identify_in(self, tx: Tx, channel: Channel, identity: Identity) -> Channel:
        """It is known now which channel it is. Where another one is that already, the two become one: what is returned."""
        if (other := await self._repo.by_identity_in(tx, identity)) is not None and other.id != channel.id:
            return await self._merge_in(tx, other, channel)
        return await self._put(tx, "changed", channel, replace(channel, identity=identity), "ouzel", None)

    async def rename_in(self, tx: Tx, channel: Channel, told: str) -> Channel:
        """The platform calls it so."""
        if not (changes := channel.renamed(told)):
            return channel
        after = await self._put(tx, "changed", channel, replace(channel, **changes), "ouzel", None)
        tx.emit(Happening("channel.renamed", channel.id, {"before": channel.name, "after": told.strip()}, channel.id))
        return after

    async def _merge_in(self, tx: Tx, kept: Channel, other: Channel) -> Channel:
        batch = new_id(self._db.clock.now())
        gone = replace(other, deleted_at=self._db.clock.now(), watch=False)
        await self._put(tx, "merged", other, gone, "ouzel", batch)
        addresses = tuple(dict.fromkeys((*kept.addresses, *other.addresses)))[:MOST_ADDRESSES]
        after = replace(kept, addresses=addresses, labels=read_labels((*kept.labels, *other.labels)))
        after = await self._put(tx, "merged", kept, after, "ouzel", batch)
        tx.emit(Happening("channel.merged", kept.id, {"other": other.id, "name": other.name}, kept.id))
        return after

    def committed(self, *changed: Channel) -> None:
        """To be called when a transaction is over in which these came of `identify_in` or `rename_in`."""
        for channel in changed:
            self._now(channel)

    # -- undoing ------------------------------------------------------------------------------------------------------

    async def undo(self, number: int, *, by: str) -> list[str]:
        """Make undone what this revision did, and all that was done together with it. Returns: ids and scopes.

        Raises: NotFound; Conflict when something of it was changed since.
        """
        async with self._db.transaction() as tx:
            first = await self._repo.revision_in(tx, number)
            if first is None:
                raise NotFound(f"there is no revision {number}")
            rows = await self._repo.batch_in(tx, first["batch"]) if first["batch"] else [first]
            for row in rows:
                await self._undo_one(tx, row, by)
        await self.load()
        return [row["subject"] for row in rows]

    async def _undo_one(self, tx: Tx, row: Mapping[Any, Any], by: str) -> None:
        if row["kind"] == "layer":
            present, revision = await self._repo.layer_in(tx, row["subject"])
            if revision != row["revision"]:
                raise Conflict(f"{row['subject']} was changed since")
            await self._put_layer(tx, row["subject"], present, row["before"] or {}, revision + 1, by, "restored")
            return
        present_channel = await self._repo.get_in(tx, row["subject"])
        if present_channel is None or present_channel.revision != row["revision"]:
            raise Conflict(f"channel {row['subject']} was changed since")
        gone = replace(present_channel, deleted_at=self._db.clock.now())
        after = from_doc(row["before"], present_channel) if row["before"] is not None else gone
        await self._put(tx, "restored", present_channel, after, by, None)

    async def _check_names(self, tx: Tx, layer: Mapping[str, Any]) -> None:
        """Raises: BadOption where it names what there is not."""
        check_root(layer, self._roots)
        await check_named_in(tx, self._policies, layer)
        name = layer.get("pipeline")
        if isinstance(name, str) and name and await self._pipelines.get_in(tx, name) is None:
            raise BadOption(f"there is no pipeline {name[:60]}", pointer="/pipeline")

    # -- inside -------------------------------------------------------------------------------------------------------

    async def _present(self, tx: Tx, channel_id: str) -> Channel:
        channel = await self._repo.get_in(tx, channel_id)
        if channel is None or channel.deleted_at is not None:
            raise NotFound(f"there is no channel {channel_id[:40]}")
        return channel

    async def _put(self, tx: Tx, action: str, before: Channel, after: Channel, by: str, batch: str | None) -> Channel:
        """Write it. Raises: Conflict when another channel is what this one is to be."""
        if after.deleted_at is None and (before.deleted_at is not None or after.identity != before.identity):
            await self._check_free(tx, after)
        after = replace(after, revision=before.revision + 1, updated_at=self._db.clock.now())
        await self._repo.change_in(tx, after)
        await self._note(tx, action, before, after, by, batch)
        return after

    async def _check_free(self, tx: Tx, channel: Channel) -> None:
        if (
            channel.identity
            and (other := await self._repo.by_identity_in(tx, channel.identity))
            and other.id != channel.id
        ):
            raise Conflict(f"{other.name} is the same channel", existing=other.id)
        taken = await self._repo.addresses_in(tx)
        for address in channel.addresses:
            if taken.get(address, channel.id) != channel.id:
                raise Conflict("another channel has its address now", existing=taken[address])

    async def _note(
        self, tx: Tx, action: str, before: Channel | None, after: Channel, by: str, batch: str | None
    ) -> None:
        number = await self._repo.note_in(
            tx, "channel", after.id, revision=after.revision, action=action, by=by, batch=batch,
            before=doc_of(before) if before else None, after=doc_of(after),
        )  # fmt: skip
        code = {"added": "channel.added", "removed": "channel.removed"}.get(action, "channel.changed")
        tx.emit(Happening(code, after.id, {"name": after.name, "action": action, "by": by, "number": number}, after.id))

    async def _put_layer(
        self, tx: Tx, scope: str, before: Layer, after: Layer, revision: int, by: str, action: str
    ) -> None:
        await self._repo.set_layer_in(tx, scope, after, revision)
        number = await self._repo.note_in(
            tx, "layer", scope, revision=revision, action=action, by=by, before=before, after=after
        )
        tx.emit(Happening("layer.changed", scope, {"by": by, "number": number}))

    def _now(self, channel: Channel) -> Channel:
        self._effective.forget(channel.id)
        if channel.deleted_at is not None:
            self._known.pop(channel.id, None)
        else:
            self._known[channel.id] = channel
        return channel


def check_scope(scope: str, platforms: Iterable[str]) -> str:
    """Raises: NotFound."""
    if scope != GLOBAL and scope not in {f"platform:{name}" for name in platforms}:
        raise NotFound(f"there are no settings {scope[:60]}; there are global and platform:NAME")
    return scope
