from codec.message import sysflag


def test_the_transaction_type_is_two_bits_of_the_flag():
    assert sysflag.transaction_type(0x7F7) == sysflag.TRANSACTION_PREPARED
    assert sysflag.transaction_type(0x7F3) == sysflag.TRANSACTION_NORMAL


def test_another_transaction_type_leaves_the_other_bits():
    prepared = sysflag.COMPRESSED | sysflag.BORN_HOST_V6 | sysflag.TRANSACTION_PREPARED

    committed = sysflag.with_transaction_type(prepared, sysflag.TRANSACTION_COMMIT)

    assert committed == sysflag.COMPRESSED | sysflag.BORN_HOST_V6 | sysflag.TRANSACTION_COMMIT


def test_each_host_has_its_own_bit():
    assert sysflag.host_sizes(0) == (8, 8)
    assert sysflag.host_sizes(sysflag.BORN_HOST_V6) == (20, 8)
    assert sysflag.host_sizes(sysflag.STORE_HOST_V6) == (8, 20)


def test_host_bits_are_made_true():
    flag = sysflag.COMPRESSED | sysflag.BORN_HOST_V6

    assert sysflag.with_hosts(flag, bytes(8), bytes(20)) == (
        sysflag.COMPRESSED | sysflag.STORE_HOST_V6
    )
    assert sysflag.with_hosts(flag, bytes(20), bytes(8)) == flag
