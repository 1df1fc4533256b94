from rmq.base.units import Epoch, Millis, PhysicalOffset, QueueOffset, Term


def test_units_are_plain_numbers_at_run_time() -> None:
    assert [unit(5) for unit in (Millis, QueueOffset, PhysicalOffset, Term, Epoch)] == [5] * 5
