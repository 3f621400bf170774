"""How much is answered without an answer, by how sure an answer must be."""

from hypothesis import given
from hypothesis import strategies as st

from evals.answering import invented_at, share

SURENESS = st.lists(st.sampled_from((0.0, 0.3, 0.5, 0.7, 0.9)), min_size=1, max_size=30)


def test_fewer_are_invented_where_an_answer_must_be_surer() -> None:
    can, cannot = [0.9, 0.8, 0.7, 0.5, 0.0], [0.75, 0.6, 0.0, 0.0]

    assert share(can) == 0.8
    assert share(cannot) == 0.5
    assert invented_at(can, cannot, 0.8) == 0.5
    assert invented_at(can, cannot, 0.6) == 0.25
    assert invented_at(can, cannot, 0.4) == 0.0
    assert invented_at(can, cannot, 0.9) is None


@given(SURENESS, SURENESS, st.floats(0.01, 1))
def test_what_is_invented_then_is_never_more_than_it_is_at_all(
    can: list[float], cannot: list[float], least: float
) -> None:
    then = invented_at(can, cannot, least)

    assert (then is None) == (share(can) < least)
    assert then is None or then <= share(cannot)
