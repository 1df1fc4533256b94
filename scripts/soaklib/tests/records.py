"""Messages of a soak as a broker gives them."""

from codec.message.record import pack_record
from scripts.soaklib import plan


def record(topic, queue_id, offset, number, *, body=None, times=0):
    key = plan.key_of(topic, number)
    return pack_record(
        body=plan.body_of(topic, number) if body is None else body,
        topic=topic.encode(),
        properties=f"UNIQ_KEY\x01{key}\x02".encode(),
        queue_id=queue_id,
        flag=0,
        queue_offset=offset,
        position=offset * 1000,
        sys_flag=0,
        born_timestamp=1,
        born_host=bytes(8),
        store_timestamp=77,
        store_host=bytes(8),
        reconsume_times=times,
        prepared_transaction_offset=0,
    )
