from rmq.app.tests.parts import Parts
from rmq.store.messages import PutMessage


def following(parts):
    """Have a broker that leads follow."""
    parts.services.roles.become_slave(master_address=None, ha_address=None, epoch=1, broker_id=1)


def test_a_new_master_delivers_what_its_master_had_not():
    parts = Parts(brokerRole="SLAVE", brokerId="1")
    parts.tables.load()
    parts.services.load()
    parts.store.load()
    parts.services.start()
    parts.disk.replace(
        "/home/me/store/config/delayOffset.json",
        b'{"dataVersion":{"counter":1,"timestamp":1},"offsetTable":{3:7}}',
    )

    parts.services.roles.become_master(epoch=1)

    assert parts.services.schedule.wrapper().offset_table == {3: 7}
    assert parts.store.put(PutMessage("T", 0, b"x")).status == 0


def test_a_slave_forgets_how_transactions_ended_and_checks_none():
    parts = Parts()
    parts.tables.load()
    parts.services.load()
    parts.store.load()
    parts.services.start()
    parts.services.endings.end(0, 5, 8)
    parts.services.op_log.add(0, 5)

    following(parts)
    written = parts.store.written_position
    assert written > 0
    parts.services.roles.become_master(epoch=2)

    assert parts.services.endings.outcome(0, 5) is None
    assert parts.services.op_log.flush()
    assert parts.store.written_position == written
