"""A NameServer on a stage: its world in memory, and short ways to say who comes and goes."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred

from codec.bodies.data_version import DataVersion
from codec.bodies.register import RegisterBrokerBody, encode_register_body
from codec.bodies.topics import TopicConfig, TopicConfigAndMappingSerializeWrapper
from codec.codes import CURRENT_VERSION, RequestCode
from codec.command import Command, decode_command
from codec.frame import parse_frame
from codec.headers.fields import RequestHeader, ext_fields_of
from codec.headers.namesrv import RegisterBrokerRequestHeader
from rmq.base.manual import ManualClock
from rmq.conf.namesrv import NamesrvConfig
from rmq.conf.remoting import RemotingServerConfig
from rmq.namesrv.addresses import AddressView
from rmq.namesrv.configuration import Configuration
from rmq.namesrv.live_brokers import BrokerKey
from rmq.namesrv.role import Namesrv
from rmq.namesrv.routes import Registration
from rmq.remoting.handling import Request, Response, handler_table

H = TypeVar("H", bound=RequestHeader)


class MemoryFiles:
    """Files in a dict; ``failure`` is raised by every access while it is set."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.failure: OSError | None = None

    def read(self, path: str) -> bytes | None:
        if self.failure is not None:
            raise self.failure
        return self.files.get(path)

    def replace(self, path: str, content: bytes) -> None:
        if self.failure is not None:
            raise self.failure
        self.files[path] = content


class MemoryChannel:
    """A connection that only remembers why it was closed."""

    def __init__(self, local_address: str = "10.0.0.1:9876") -> None:
        self.remote_address = "10.0.0.9:50000"
        self.local_address = local_address
        self.host_bytes = bytes([10, 0, 0, 9, 0, 0, 195, 80])
        self.closed: str | None = None

    @property
    def is_open(self) -> bool:
        return self.closed is None

    def send(self, command: Command) -> None:
        raise AssertionError("a NameServer pushes nothing over its clients' connections")

    def call(self, command: Command, timeout_ms: int) -> Deferred[Command]:
        raise AssertionError("a NameServer asks its clients nothing")

    def close(self, reason: str) -> None:
        self.closed = reason


class MemoryCaller:
    """Remembers what was sent one way, and to whom."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, str]]] = []

    def send(self, address: str, command: Command) -> None:
        assert command.code == RequestCode.NOTIFY_MIN_BROKER_ID_CHANGE
        self.sent.append((address, dict(command.ext_fields or {})))

    def call(self, address: str, command: Command, timeout_ms: int) -> Deferred[Command]:
        raise AssertionError("a NameServer awaits no answers")


class Scene:
    """A started NameServer and its world."""

    def __init__(self, view: AddressView | None = None, **settings: Any) -> None:
        self.clock = ManualClock()
        self.files = MemoryFiles()
        self.caller = MemoryCaller()
        self.configuration = Configuration(
            self.files,
            NamesrvConfig(kvConfigPath="/kv.json", configStorePath="/ns.properties", **settings),
            (RemotingServerConfig(),),
            {"custom": "value"},
        )
        self.namesrv = Namesrv(self.configuration, self.clock, self.files, self.caller, view)
        self.handlers = handler_table(self.namesrv.processors)
        self.namesrv.start()

    def ask(
        self,
        code: RequestCode,
        header: RequestHeader | None = None,
        body: bytes = b"",
        *,
        version: int = CURRENT_VERSION,
        channel: MemoryChannel | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> Response:
        """What the handler of ``code`` answers."""
        asked = RequestHeader() if header is None else header
        fields = {**ext_fields_of(asked), **(extra or {})}
        request = Request(
            header=asked,
            body=body,
            channel=channel or MemoryChannel(),
            code=code,
            opaque=1,
            version=version,
            language="JAVA",
            encoding=0,
            raw_header=msgspec.json.encode(
                {
                    "code": code,
                    "language": "JAVA",
                    "version": version,
                    "opaque": 1,
                    "flag": 0,
                    "extFields": fields,
                }
            ),
        )
        answer = self.handlers[code].answer(request)
        if isinstance(answer, bytes):
            command = decode_command(parse_frame(answer))
            return Response(
                code=command.code,
                remark=command.remark,
                body=command.body,
                ext_fields=command.ext_fields or None,
            )
        assert isinstance(answer, Response)
        return answer

    def register(
        self,
        name: str = "broker-a",
        broker_id: int = 0,
        *,
        address: str | None = None,
        cluster: str = "c",
        topics: Sequence[str] = ("t1", "t2"),
        version: int = 1,
        acting_master: bool | None = False,
        zone: str | None = None,
        timeout_ms: int | None = None,
        channel: MemoryChannel | None = None,
        filter_servers: Sequence[str] = (),
        ha_address: str = "ha",
    ) -> Response:
        """A broker registers, over the wire's own form."""
        body = encode_register_body(
            RegisterBrokerBody(
                topic_config_serialize_wrapper=wrapper(topics, version),
                filter_server_list=list(filter_servers),
            ),
            compressed=False,
        )
        return self.ask(
            RequestCode.REGISTER_BROKER,
            RegisterBrokerRequestHeader(
                broker_name=name,
                broker_addr=address or f"{name}-{broker_id}:10911",
                cluster_name=cluster,
                ha_server_addr=ha_address,
                broker_id=broker_id,
                heartbeat_timeout_millis=timeout_ms,
                enable_acting_master=acting_master,
            ),
            body,
            channel=channel,
            extra=None if zone is None else {"__ZONE_NAME": zone},
        )


def wrapper(topics: Sequence[str], version: int = 1) -> TopicConfigAndMappingSerializeWrapper:
    """Topics of a broker in a known state."""
    return TopicConfigAndMappingSerializeWrapper(
        data_version=DataVersion(counter=version, timestamp=version),
        topic_config_table={name: TopicConfig(topic_name=name) for name in topics},
    )


def registration(
    name: str = "broker-a",
    broker_id: int = 0,
    *,
    address: str | None = None,
    cluster: str = "c",
    topics: TopicConfigAndMappingSerializeWrapper | None = None,
    acting_master: bool | None = False,
    timeout_ms: int | None = None,
    filter_servers: Sequence[str] | None = None,
    channel: MemoryChannel | None = None,
    ha_address: str | None = "ha",
) -> Registration:
    """A broker's registration as the tables take it."""
    return Registration(
        key=BrokerKey(cluster, address or f"{name}-{broker_id}:10911"),
        name=name,
        broker_id=broker_id,
        ha_address=ha_address,
        zone=None,
        timeout_ms=timeout_ms,
        acting_master=acting_master,
        topics=wrapper(("t1", "t2")) if topics is None else topics,
        filter_servers=filter_servers,
        channel=channel or MemoryChannel(),
    )
