"""How sure an answer may be asked to be, so that enough are still given."""

from hypothesis import given
from hypothesis import strategies as st

from evals.answering import share, strictest

SURENESS = st.lists(st.sampled_from((0.0, 0.5, 0.6, 0.7, 0.9)), min_size=1, max_size=30)


def test_the_fewer_are_asked_for_the_surer_they_may_be() -> None:
    can = [0.9, 0.8, 0.7, 0.5, 0.0]

    assert share(can) == 0.8
    assert strictest(can, 0.8) == 0.5
    assert strictest(can, 0.6) == 0.7
    assert strictest(can, 0.4) == 0.8
    assert strictest(can, 0.9) is None


@given(SURENESS, st.floats(0.01, 1))
def test_as_many_as_were_asked_for_are_that_sure_and_no_stricter_measure_has_them(
    can: list[float], least: float
) -> None:
    sure = strictest(can, least)

    assert (sure is None) == (share(can) < least)
    assert sure is None or share(can, sure) >= least
    assert all(share(can, own) < least for own in can if sure is not None and own > sure)
