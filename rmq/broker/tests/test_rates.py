from rmq.base.manual import ManualClock
from rmq.broker.rates import SAMPLE_PERIOD_MS, StoreRates
from rmq.store.stats import StoreStats


def test_there_is_no_rate_at_the_start():
    rates = StoreRates(ManualClock(), StoreStats(0)).rates()

    assert set(rates) == {"0.0 0.0 0.0"}


def test_a_span_longer_than_the_run_counts_from_its_start():
    clock, stats = ManualClock(), StoreStats(0)
    rates = StoreRates(clock, stats)
    for _ in range(5):
        clock.advance(SAMPLE_PERIOD_MS)
        stats.put_times += 3
        rates.sample()

    assert rates.rates().put == "3.0 3.0 3.0"


def test_each_span_has_its_own_rate():
    clock, stats = ManualClock(), StoreStats(0)
    rates = StoreRates(clock, stats)
    for second in range(700):
        clock.advance(SAMPLE_PERIOD_MS)
        stats.get_times_found += 2 if second >= 690 else 0
        stats.get_times_miss += 1 if second >= 640 else 0
        stats.get_messages += 60 if second >= 690 else 0
        rates.sample()

    shown = rates.rates()

    assert shown.get_found == f"2.0 {20 / 60} {20 / 600}"
    assert shown.get_missed == "1.0 1.0 0.1"
    assert shown.get == f"3.0 {20 / 60 + 1} {20 / 600 + 0.1}"
    assert shown.transferred == "60.0 10.0 1.0"
