"""Asking a master where its log comes from.

Source: AdminBrokerProcessor.java, exchangeHAInfo(), 5.3.3.
"""

from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.headers.fields import decode_header
from codec.headers.ha import ExchangeHAInfoResponseHeader
from rmq.broker.controlled.decisions import HaAddress
from rmq.remoting.calls import Caller

TIMEOUT_MS = 1_000


def asks_ha_address(caller: Caller, timeout_ms: int = TIMEOUT_MS) -> HaAddress:
    """A function that asks a broker at ``host:port``.

    It gives None if that is no master, or refused. It raises ``CallError`` when it did not answer
    in time, ``CodecError`` when its answer is broken.
    """

    async def ask(address: str) -> str | None:
        command = Command(code=RequestCode.EXCHANGE_BROKER_HA_INFO, ext_fields={})
        answer = await caller.call(address, command, timeout_ms)
        if answer.code != ResponseCode.SUCCESS:
            return None
        said = decode_header(ExchangeHAInfoResponseHeader, answer.ext_fields)
        return said.master_ha_address or None

    return ask
