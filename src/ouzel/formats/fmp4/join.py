"""A picture from one playlist and its sound from another, in one file."""

from __future__ import annotations

from dataclasses import replace

from ouzel.formats.fmp4.moov import Init


def join_inits(inits: tuple[Init, ...]) -> tuple[Init, tuple[dict[int, int], ...]]:
    """One init segment with the tracks of all, in order, and for each the ids that its tracks have got.

    The first keeps its ids; a track of another gets a new one when its own is taken.
    """
    main = inits[0]
    tracks = list(main.tracks)
    maps = [{t.track.id: t.track.id for t in main.tracks}]
    for init in inits[1:]:
        taken = {t.track.id for t in tracks}
        ids: dict[int, int] = {}
        for track in init.tracks:
            own = track.track.id
            ids[own] = own if own not in taken else max(taken) + 1
            taken.add(ids[own])
            tracks.append(track.with_id(ids[own]))
        maps.append(ids)
    brands = tuple(dict.fromkeys(brand for init in inits for brand in init.brands))
    return replace(main, brands=brands, tracks=tuple(tracks)), tuple(maps)
