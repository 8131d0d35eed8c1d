"""Who owns what: the rules that every adapter keeps. Those about processes that die are in `test_ownership_processes.py`."""

from __future__ import annotations

import pytest
from tests.engines import Engine, Station, Write

from ouzel.base.errors import StaleOwner
from ouzel.model.happening import Happening
from ouzel.model.ownership import Beat, Grant, Terms
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio


async def tell(tx: Write) -> None:
    tx.emit(Happening("recording.changed", "x"))


async def written(station: Station) -> int:
    return len(await station.rows.events_after(0))


async def claim(station: Station, kind: str = "rec", free: int = 10) -> list[str]:
    return [grant.key for grant in await station.ownership.claim({kind: free})]


async def test_what_is_wanted_is_claimed_once_with_an_epoch(station: Station) -> None:
    await station.ownership.want("rec:a", {"broadcast": "b"})

    assert await station.ownership.claim({"rec": 1}) == [Grant("rec:a", "rec", 1, {"broadcast": "b"})]
    assert await station.ownership.claim({"rec": 1}) == []


async def test_only_kinds_with_room_are_claimed_the_most_urgent_first(station: Station) -> None:
    for key, prio in (("rec:low", 0), ("rec:high", 5), ("rec:mid", 3), ("poll:x", 9)):
        await station.ownership.want(key, {}, prio=prio)

    assert await claim(station, free=2) == ["rec:high", "rec:mid"]
    assert await claim(station, "relay") == []
    assert await claim(station, "poll", free=0) == []
    assert await claim(station, "poll") == ["poll:x"]


async def test_those_who_wait_longer_come_first(station: Station, clock: FakeClock) -> None:
    for key in ("rec:c", "rec:a", "rec:b"):
        await station.ownership.want(key, {})
        clock.advance(1)

    assert await claim(station) == ["rec:c", "rec:a", "rec:b"]


async def test_a_label_must_be_the_nodes(station: Station) -> None:
    await station.ownership.want("rec:a", {}, label="region:cn")
    await station.ownership.want("rec:b", {}, label="gpu")

    assert await claim(station) == ["rec:b"]


async def test_a_claim_is_a_small_batch_and_ends_at_the_capacity(engine: Engine, clock: FakeClock) -> None:
    async with engine.station(clock) as station:
        await station.ownership.register("one", cap=25)
        for number in range(40):
            await station.ownership.want(f"rec:{number}", {})

        sizes = [len(await claim(station, free=100)) for _ in range(5)]

    assert max(sizes) <= 10
    assert sum(sizes) == 25


async def test_a_node_that_drains_claims_nothing_and_keeps_what_it_has(station: Station) -> None:
    await station.ownership.want("rec:a", {})
    (grant,) = await station.ownership.claim({"rec": 1})
    await station.ownership.drain()
    await station.ownership.want("rec:b", {})

    assert await claim(station) == []
    await station.ownership.commit(grant, tell)


async def test_a_kind_may_be_given_with_the_wish(station: Station) -> None:
    await station.ownership.want("job:1", {}, kind="job/disk")

    assert await claim(station, "job") == []
    assert await claim(station, "job/disk") == ["job:1"]


async def test_what_is_not_wanted_any_more_is_told_with_the_beat_until_it_is_given_back(station: Station) -> None:
    for key in ("rec:a", "rec:b"):
        await station.ownership.want(key, {})
    grants = {grant.key: grant for grant in await station.ownership.claim({"rec": 5})}
    assert await station.ownership.beat() == Beat()

    await station.ownership.unwant("rec:a")

    assert await station.ownership.beat() == Beat(("rec:a",))
    await station.ownership.commit(grants["rec:a"], tell)  # its files are being closed
    await station.ownership.release(grants["rec:a"])
    assert await station.ownership.beat() == Beat()
    assert await claim(station) == []


async def test_what_nobody_claimed_yet_can_be_unwanted(station: Station) -> None:
    await station.ownership.want("rec:a", {})
    await station.ownership.unwant("rec:a")
    await station.ownership.unwant("rec:never-heard-of")

    assert await claim(station) == []


async def test_the_epoch_grows_with_each_claim_over_wishes_too(station: Station) -> None:
    epochs: list[int] = []
    for number in range(3):
        await station.ownership.want("rec:a", {"number": number})
        (grant,) = await station.ownership.claim({"rec": 1})
        assert grant.spec == {"number": number}
        epochs.append(grant.epoch)
        await station.ownership.unwant("rec:a")
        await station.ownership.release(grant)

    assert epochs == [1, 2, 3]


async def test_a_beat_tells_whether_something_is_nobodys(station: Station) -> None:
    assert not (await station.ownership.beat()).waiting
    await station.ownership.want("rec:a", {})
    assert (await station.ownership.beat()).waiting
    (grant,) = await station.ownership.claim({"rec": 1})
    assert not (await station.ownership.beat()).waiting
    await station.ownership.release(grant, hold_s=30)
    assert (await station.ownership.beat()).waiting, "later"
    await station.ownership.unwant("rec:a")
    assert not (await station.ownership.beat()).waiting


async def test_what_is_held_back_is_left_alone_until_then(station: Station, clock: FakeClock) -> None:
    await station.ownership.want("rec:a", {})
    (grant,) = await station.ownership.claim({"rec": 1})
    await station.ownership.release(grant, hold_s=30)

    assert await claim(station) == []
    assert await station.ownership.due_in_s(frozenset({"rec"})) == 30
    assert await station.ownership.due_in_s(frozenset({"poll"})) is None
    clock.advance(30)
    assert await station.ownership.due_in_s(frozenset({"rec"})) is None
    assert await claim(station) == ["rec:a"]


async def test_the_same_wish_again_changes_nothing(station: Station, clock: FakeClock) -> None:
    await station.ownership.want("rec:a", {"x": 1, "y": [2]})
    clock.advance(1)
    await station.ownership.want("rec:b", {})
    clock.advance(1)
    woken: list[int] = []
    station.ownership.listen(lambda: woken.append(1))
    await station.ownership.want("rec:a", {"y": [2], "x": 1})
    await station.ownership.unwant("rec:c")
    assert woken == []
    first, second = await station.ownership.claim({"rec": 5})
    assert (first.key, second.key) == ("rec:a", "rec:b"), "it keeps its place"
    await station.ownership.release(first, hold_s=30)

    await station.ownership.want("rec:a", {"x": 1, "y": [2]})
    assert await claim(station) == []

    await station.ownership.want("rec:a", {"x": 1, "y": [2]}, anew=True)
    assert woken == [1]
    assert await claim(station) == ["rec:a"]


async def test_another_wish_ends_the_hold(station: Station) -> None:
    await station.ownership.want("rec:a", {})
    (grant,) = await station.ownership.claim({"rec": 1})
    await station.ownership.release(grant, hold_s=30)

    await station.ownership.want("rec:a", {"quality": "hd"})

    assert [each.spec for each in await station.ownership.claim({"rec": 1})] == [{"quality": "hd"}]


async def test_wanting_what_runs_leaves_it_running(station: Station) -> None:
    await station.ownership.want("rec:a", {})
    (grant,) = await station.ownership.claim({"rec": 1})
    await station.ownership.want("rec:a", {"quality": "hd"})

    assert await claim(station) == []
    assert await station.ownership.beat() == Beat()
    await station.ownership.commit(grant, tell)


async def test_a_wish_in_a_transaction_is_there_with_it_or_not_at_all(station: Station) -> None:
    async with station.rows.transaction() as tx:
        await station.ownership.want_in(tx, "rec:a", {})

    async def wish_and_fail() -> None:
        async with station.rows.transaction() as tx:
            await station.ownership.want_in(tx, "rec:b", {})
            raise LookupError

    with pytest.raises(LookupError):
        await wish_and_fail()
    assert await claim(station) == ["rec:a"]


async def test_a_wish_wakes_when_it_is_committed(station: Station) -> None:
    woken: list[int] = []
    end = station.ownership.listen(lambda: woken.append(1))

    async with station.rows.transaction() as tx:
        await station.ownership.want_in(tx, "rec:a", {})
        await station.ownership.want_in(tx, "rec:b", {})
        assert woken == []
    assert woken == [1]
    await station.ownership.unwant("rec:a")
    assert woken == [1, 1]
    end()
    await station.ownership.want("rec:a", {})
    assert woken == [1, 1]


async def test_a_commit_of_an_older_epoch_is_refused_and_leaves_nothing(station: Station) -> None:
    await station.ownership.want("rec:a", {})
    (old,) = await station.ownership.claim({"rec": 1})
    await station.ownership.release(old)
    with pytest.raises(StaleOwner):
        await station.ownership.commit(old, tell)
    (new,) = await station.ownership.claim({"rec": 1})

    with pytest.raises(StaleOwner, match="rec:a"):
        await station.ownership.commit(old, tell)
    assert await written(station) == 0
    await station.ownership.commit(new, tell)
    assert await written(station) == 1


async def test_a_write_that_fails_leaves_the_grant_as_it_was(station: Station) -> None:
    await station.ownership.want("rec:a", {})
    (grant,) = await station.ownership.claim({"rec": 1})

    async def fail(tx: Write) -> None:
        await tell(tx)
        raise LookupError

    with pytest.raises(LookupError):
        await station.ownership.commit(grant, fail)
    await station.ownership.commit(grant, tell)
    assert await written(station) == 1


async def test_an_old_owner_gives_back_nothing(station: Station) -> None:
    await station.ownership.want("rec:a", {})
    (old,) = await station.ownership.claim({"rec": 1})
    await station.ownership.release(old)
    (new,) = await station.ownership.claim({"rec": 1})

    await station.ownership.release(old, hold_s=60)

    await station.ownership.commit(new, tell)


async def test_a_second_process_fences_the_first_which_can_commit_nothing(engine: Engine, clock: FakeClock) -> None:
    async with engine.station(clock) as first, engine.station(clock) as second:
        older = await first.ownership.register("one", cap=10)
        await first.ownership.want("rec:a", {})
        (grant,) = await first.ownership.claim({"rec": 1})
        await first.ownership.commit(grant, tell)

        newer = await second.ownership.register("one", cap=10)

        assert newer.incarnation > older.incarnation
        (taken,) = await second.ownership.claim({"rec": 1})
        assert (taken.key, taken.epoch) == ("rec:a", 2)
        with pytest.raises(StaleOwner):
            await first.ownership.commit(grant, tell)
        assert await first.ownership.claim({"rec": 1}) == []
        assert (await first.ownership.beat()).fenced
        assert not first.ownership.owned(grant)
        assert (await first.ownership.beat()).fenced, "it can never beat again"
        await first.ownership.release(grant, hold_s=60)
        await first.ownership.leave()
        assert await second.ownership.beat() == Beat()
        await second.ownership.commit(taken, tell)
        assert await written(second) == 2


async def test_a_forged_epoch_does_not_help_a_fenced_node(engine: Engine, clock: FakeClock) -> None:
    async with engine.station(clock) as first, engine.station(clock) as second:
        await first.ownership.register("one", cap=10)
        await second.ownership.register("two", cap=10)
        await second.ownership.want("rec:a", {})
        (grant,) = await second.ownership.claim({"rec": 1})

        with pytest.raises(StaleOwner):
            await first.ownership.commit(grant, tell)


async def test_whoever_leaves_gives_everything_back(engine: Engine, clock: FakeClock) -> None:
    async with engine.station(clock) as first, engine.station(clock) as second:
        await first.ownership.register("one", cap=10)
        await first.ownership.want("rec:a", {})
        (grant,) = await first.ownership.claim({"rec": 1})
        await first.ownership.leave()

        with pytest.raises(StaleOwner):
            await first.ownership.commit(grant, tell)
        await second.ownership.register("one", cap=10)
        assert await claim(second) == ["rec:a"]


async def test_a_lost_beat_is_borne_for_the_grace_and_no_longer(engine: Engine, clock: FakeClock) -> None:
    async with engine.station(clock, terms=Terms(beat_s=5, ttl_s=30, grace_s=120)) as station:
        await station.ownership.register("one", cap=10)
        await station.ownership.want("rec:a", {})
        (grant,) = await station.ownership.claim({"rec": 1})
        for age_s, owned in ((24, True), (143, True), (144, False)):
            clock.advance(age_s)
            assert station.ownership.owned(grant) is owned
            await station.ownership.beat()
            assert station.ownership.owned(grant)


async def test_without_grace_a_node_stops_before_others_may_take_over(engine: Engine, clock: FakeClock) -> None:
    async with engine.station(clock, terms=Terms(beat_s=5, ttl_s=30, grace_s=0)) as station:
        await station.ownership.register("one", cap=10)
        await station.ownership.want("rec:a", {})
        (grant,) = await station.ownership.claim({"rec": 1})

        clock.advance(23.9)
        assert station.ownership.owned(grant)
        clock.advance(0.2)
        assert not station.ownership.owned(grant)
