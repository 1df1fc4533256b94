"""Who lives of the brokers of one name, as a NameServer knows it.

On purpose different: Java asks NameServers that may be of before 5.0 (compatibleWithOldNameSrv) for
the route of a topic made for it; here they are always asked directly.
Source: BrokerOuterAPI.java, getBrokerMemberGroup(), 5.3.3.
"""

from collections.abc import Callable, Mapping, Sequence

from codec.bodies import decode_body
from codec.bodies.route import GetBrokerMemberGroupResponseBody
from codec.codes import RequestCode, ResponseCode
from codec.command import Command
from codec.errors import CodecError
from codec.headers.fields import ext_fields_of
from codec.headers.namesrv import GetBrokerMemberGroupRequestHeader
from rmq.base.errors import CallError
from rmq.broker.role import RoleHolder
from rmq.remoting.calls import Caller

TIMEOUT_MS = 3_000


class Group:
    """The brokers of our name."""

    def __init__(
        self,
        caller: Caller,
        name_servers: Callable[[], Sequence[str]],
        names: tuple[str, str],
        role: RoleHolder,
        total: int,
    ) -> None:
        """``names`` are those of cluster and broker; ``total`` is totalReplicas."""
        self._caller = caller
        self._name_servers = name_servers
        self._names = names
        self._role = role
        self.alive = total
        """Brokers that live, ourselves included; before the first answer, all that there are."""

    async def addresses(self) -> dict[int, str]:
        """The addresses of those that are registered, by brokerId; we may be among them.

        The first NameServer that answers is believed.

        :raises CallError: none did.
        """
        causes = []
        for name_server in self._name_servers():
            try:
                addresses = await self._ask(name_server)
            except (CallError, CodecError) as error:
                causes.append(str(error))
                continue
            self._count(addresses)
            return addresses
        raise CallError(f"no NameServer tells who lives: {'; '.join(causes) or 'there is none'}")

    async def _ask(self, name_server: str) -> dict[int, str]:
        cluster_name, broker_name = self._names
        header = GetBrokerMemberGroupRequestHeader(
            cluster_name=cluster_name, broker_name=broker_name
        )
        command = Command(
            code=RequestCode.GET_BROKER_MEMBER_GROUP, ext_fields=ext_fields_of(header)
        )
        answer = await self._caller.call(name_server, command, TIMEOUT_MS)
        if answer.code != ResponseCode.SUCCESS:
            raise CallError(f"{name_server} refused with {answer.code}: {answer.remark}")
        if not answer.body:
            return {}
        group = decode_body(GetBrokerMemberGroupResponseBody, answer.body).broker_member_group
        return {} if group is None else dict(group.broker_addrs)

    def _count(self, addresses: Mapping[int, str]) -> None:
        """Source: BrokerController.java, calcAliveBrokerNumInGroup(), 5.3.3."""
        if addresses:
            self.alive = len(addresses) + (self._role.now.broker_id not in addresses)
