"""What brokers of one name tell each other of the place where the log comes from.

Source: BrokerOuterAPI.java, sendBrokerHaInfo(), retrieveBrokerHaInfo(), 5.3.3.
"""

from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.headers.fields import decode_header, ext_fields_of
from codec.headers.ha import ExchangeHAInfoRequestHeader, ExchangeHAInfoResponseHeader
from rmq.base.errors import CallError
from rmq.remoting.calls import Caller

TIMEOUT_MS = 3_000


class RefusedError(CallError):
    """A broker answered, but not what it was asked."""


class Exchange:
    """Asks and tells other brokers; whatever cannot be had raises ``CallError``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def tell_slave(
        self, slave: str, *, address: str, ha_address: str, end_position: int
    ) -> None:
        """Have a slave follow us; our log ended at ``end_position`` when we started."""
        header = ExchangeHAInfoRequestHeader(
            master_ha_address=ha_address, master_flush_offset=end_position, master_address=address
        )
        await self.call(slave, RequestCode.EXCHANGE_BROKER_HA_INFO, ext_fields_of(header))

    async def ask_master(self, master: str) -> ExchangeHAInfoResponseHeader:
        """Where a master's log comes from; nothing in it if that broker is none.

        :raises CodecError: the answer is broken.
        """
        answer = await self.call(master, RequestCode.EXCHANGE_BROKER_HA_INFO, {})
        return decode_header(ExchangeHAInfoResponseHeader, answer.ext_fields)

    async def call(
        self, address: str, code: RequestCode, ext_fields: dict[str, str] | None = None
    ) -> Command:
        """Any question of the same kind.

        :raises RefusedError: the answer was another than SUCCESS.
        """
        command = Command(code=code, ext_fields=ext_fields or {})
        answer = await self._caller.call(address, command, TIMEOUT_MS)
        if answer.code != ResponseCode.SUCCESS:
            raise RefusedError(f"{address} refused {code.name} with {answer.code}: {answer.remark}")
        return answer
