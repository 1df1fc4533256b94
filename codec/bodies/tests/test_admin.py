from codec.bodies import decode_body, encode_body
from codec.bodies.admin import (
    CheckRocksdbCqWriteResult,
    ConsumeQueueData,
    HAClientRuntimeInfo,
    HAConnectionRuntimeInfo,
    HARuntimeInfo,
    QueryConsumeQueueResponseBody,
)
from codec.bodies.tests.recorded import ODD, read_recorded


def test_a_stretch_of_a_consume_queue_is_java_s() -> None:
    body = read_recorded(QueryConsumeQueueResponseBody)

    assert body.max_queue_index == body.min_queue_index == 1700000000013
    assert body.queue_data == [
        ConsumeQueueData(
            bit_map=f"bitMap{ODD}",
            eval=True,
            extend_data_json=f"extendDataJson{ODD}",
            msg=f"msg{ODD}",
            physic_offset=1700000000012,
            physic_size=30,
            tags_code=1700000000008,
        )
    ]
    assert body.subscription_data is not None
    assert body.subscription_data.code_set == {21}


def test_a_negative_tags_code_is_kept() -> None:
    unit = ConsumeQueueData(tags_code=-(2**63))

    assert decode_body(ConsumeQueueData, encode_body(unit)) == unit


def test_replication_is_java_s() -> None:
    body = read_recorded(HARuntimeInfo)

    assert body.in_sync_slave_nums == 45
    assert body.ha_client_runtime_info == HAClientRuntimeInfo(
        last_read_timestamp=1700000000017,
        last_write_timestamp=1700000000018,
        master_addr=f"masterAddr{ODD}",
        master_flush_offset=1700000000017,
        max_offset=1700000000009,
        transferred_byte_in_second=1700000000023,
    )
    assert body.ha_connection_info == [
        HAConnectionRuntimeInfo(
            addr=f"addr{ODD}",
            diff=1700000000004,
            in_sync=True,
            slave_ack_offset=1700000000014,
            transfer_from_where=1700000000017,
            transferred_byte_in_second=1700000000023,
        )
    ]


def test_a_master_without_slaves_says_so_with_every_key() -> None:
    assert encode_body(HARuntimeInfo(master=True)) == (
        b'{"haClientRuntimeInfo":{"lastReadTimestamp":0,"lastWriteTimestamp":0,'
        b'"masterFlushOffset":0,"maxOffset":0,"transferredByteInSecond":0},'
        b'"haConnectionInfo":[],"inSyncSlaveNums":0,"master":true,"masterCommitLogMaxOffset":0}'
    )


def test_the_result_of_copying_consume_queues_is_java_s() -> None:
    assert read_recorded(CheckRocksdbCqWriteResult).check_result == f"checkResult{ODD}"
