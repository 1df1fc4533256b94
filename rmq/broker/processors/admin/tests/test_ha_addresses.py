import pytest

from codec.headers.ha import ExchangeHAInfoRequestHeader, ExchangeHAInfoResponseHeader
from rmq.broker.processors.admin.ha_addresses import HaAddressProcessor
from rmq.broker.role import Role, RoleHolder
from rmq.remoting.handling import Request, Response
from rmq.remoting.testing import FakeChannel


class Log:
    flushed_position = 900


@pytest.mark.parametrize(
    ("role", "told"),
    [
        (
            Role(kind="SYNC_MASTER", broker_id=0),
            ExchangeHAInfoResponseHeader(
                master_ha_address="h:10912", master_flush_offset=900, master_address="h:10911"
            ),
        ),
        (Role(kind="SLAVE", broker_id=1), ExchangeHAInfoResponseHeader()),
    ],
)
def test_only_a_master_tells_where_its_log_comes_from(role, told):
    processor = HaAddressProcessor(RoleHolder(role), "h:10911", "h:10912", Log())
    request = Request(
        ExchangeHAInfoRequestHeader(), b"", FakeChannel(), 906, 0, 479, "JAVA", 0, b""
    )

    assert processor.exchange(request) == Response(told)
