"""Telling the living brokers of a set that it has another master.

Sent one way and once: a broker that misses it learns the same by asking, every five seconds.
"""

import logging

from codec.bodies.body import decode_body, encode_body
from codec.bodies.controller import ElectMasterResponseBody, SyncStateSet
from codec.codes import RequestCode
from codec.command import Command
from codec.headers.controller import (
    ElectMasterResponseHeader,
    NotifyBrokerRoleChangedRequestHeader,
)
from codec.headers.fields import ext_fields_of
from rmq.controller.commands import Outcome
from rmq.controller.heartbeats import Liveness
from rmq.remoting.calls import Caller

logger = logging.getLogger(__name__)


class Notices:
    """Source: ControllerManager.java, notifyBrokerRoleChanged(), 5.3.3."""

    def __init__(self, caller: Caller, liveness: Liveness) -> None:
        self._caller = caller
        self._liveness = liveness

    def elected(self, outcome: Outcome) -> None:
        """Tell what an election that was successful and is applied came to."""
        header = outcome.header
        assert isinstance(header, ElectMasterResponseHeader), f"{header!r} of an election"
        body = decode_body(ElectMasterResponseBody, outcome.body)
        group = body.broker_member_group
        assert group is not None, "a new master has a group"
        name = group.broker_name or ""
        logger.info(
            "event=master_elected cluster=%s broker=%s id=%s address=%s epoch=%s",
            group.cluster,
            name,
            header.master_broker_id,
            header.master_address,
            header.master_epoch,
        )
        notice = NotifyBrokerRoleChangedRequestHeader(
            master_address=header.master_address,
            master_epoch=header.master_epoch,
            sync_state_set_epoch=header.sync_state_set_epoch,
            master_broker_id=header.master_broker_id,
        )
        members = SyncStateSet(
            sync_state_set=body.sync_state_set,
            sync_state_set_epoch=header.sync_state_set_epoch or 0,
        )
        for broker_id, address in group.broker_addrs.items():
            if address and self._liveness.alive(group.cluster, name, broker_id):
                self._caller.send(
                    address,
                    Command(
                        code=RequestCode.NOTIFY_BROKER_ROLE_CHANGED,
                        ext_fields=ext_fields_of(notice),
                        body=encode_body(members),
                    ),
                )
