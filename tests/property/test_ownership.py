"""When a node must let go, by arithmetic alone."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from ouzel.model.ownership import ALONE, Hold, Terms, hold_at

seconds = st.floats(0, 1e6)
terms = st.builds(Terms, beat_s=st.floats(0.1, 60), ttl_s=st.floats(1, 600), grace_s=st.floats(0, 3600))
_ORDER = list(Hold)


@given(terms, seconds, seconds)
def test_certainty_only_falls_with_age(given_terms: Terms, one_s: float, other_s: float) -> None:
    earlier_s, later_s = sorted((one_s, other_s))
    assert _ORDER.index(hold_at(earlier_s, given_terms)) <= _ORDER.index(hold_at(later_s, given_terms))


@given(st.floats(1, 600), seconds)
def test_without_grace_nobody_works_when_others_may_take_over(ttl_s: float, age_s: float) -> None:
    if hold_at(age_s, Terms(ttl_s=ttl_s, grace_s=0)) is not Hold.LOST:
        assert age_s < ttl_s


@given(terms, seconds)
def test_nobody_is_sure_when_others_may_take_over(given_terms: Terms, age_s: float) -> None:
    if age_s >= given_terms.ttl_s:
        assert hold_at(age_s, given_terms) is not Hold.SURE


@given(terms, seconds)
def test_grace_is_kept_to_the_end_and_no_longer(given_terms: Terms, age_s: float) -> None:
    longest_s = 0.8 * given_terms.ttl_s + given_terms.grace_s
    assert (hold_at(age_s, given_terms) is Hold.LOST) == (age_s >= longest_s)


@given(seconds)
def test_a_node_that_is_alone_loses_nothing_by_itself(age_s: float) -> None:
    assert hold_at(age_s, ALONE) is not Hold.LOST
    assert math.isinf(ALONE.grace_s)
