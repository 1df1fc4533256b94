from codec.bodies.data_version import DataVersion


def test_the_next_version_counts_on_and_has_its_own_time() -> None:
    version = DataVersion(counter=3, state_version=1, timestamp=5)

    assert version.next(9) == DataVersion(counter=4, state_version=0, timestamp=9)
    assert version.next(9, 2) == DataVersion(counter=4, state_version=2, timestamp=9)


def test_versions_are_equal_only_if_all_three_are() -> None:
    version = DataVersion(counter=3, state_version=1, timestamp=5)

    assert version == DataVersion(counter=3, state_version=1, timestamp=5)
    assert version != DataVersion(counter=3, state_version=1, timestamp=6)
    assert version != DataVersion(counter=3, state_version=2, timestamp=5)
    assert version != DataVersion(counter=4, state_version=1, timestamp=5)
