"""When a message is tried again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stet.webhooks.patience import PATIENCE, Patience, space_after, wait_after


def test_the_schedule() -> None:
    """Seconds, then minutes, then every six hours, for three days."""
    tried_for, waits = 0.0, []
    while (wait := wait_after(len(waits) + 1, tried_for, 0.5)) is not None:
        waits.append(wait)
        tried_for += wait
    assert waits[:8] == [5, 15, 45, 135, 405, 1_215, 3_645, 10_935]
    assert set(waits[8:]) == {6 * 3600}
    assert 3 * 86_400 <= tried_for < 3 * 86_400 + 6 * 3600
    assert len(waits) == 20


@given(st.integers(1, 10_000), st.floats(0, 3 * 86_400, exclude_max=True), st.floats(0, 1), st.floats(0, 1e9))
def test_a_wait_is_spread_and_bounded(attempts: int, tried_for: float, chance: float, asked: float) -> None:
    """Between 80 and 120 % of the plan; longer if the receiver asks for it, but never beyond the longest."""
    middle = wait_after(attempts, tried_for, 0.5)
    wait = wait_after(attempts, tried_for, chance)
    assert middle is not None
    assert wait is not None
    assert 0.8 * middle - 1e-6 <= wait <= 1.2 * middle + 1e-6
    assert wait <= 1.2 * PATIENCE.longest + 1e-6
    assert wait_after(attempts, tried_for, chance, asked) == max(wait, min(asked, PATIENCE.longest))


@given(st.integers(1, 10_000), st.floats(3 * 86_400, 1e12), st.floats(0, 1))
def test_after_three_days_it_is_over(attempts: int, tried_for: float, chance: float) -> None:
    assert wait_after(attempts, tried_for, chance) is None


def test_a_receiver_that_fails_is_left_alone_for_longer_and_longer() -> None:
    spaces = [space_after(failures) for failures in range(12)]
    assert spaces[:4] == [0, 0.1, 0.2, 0.4]
    assert spaces == sorted(spaces)
    assert spaces[-1] == PATIENCE.widest == space_after(10_000)
    assert space_after(3, Patience(spacing=1, widest=2)) == 2
