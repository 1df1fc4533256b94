"""Answers to brokers, and about them: registration, heartbeat, cluster, write permission."""

from collections.abc import Callable

from codec.bodies import decode_body, encode_body
from codec.bodies.data_version import DataVersion
from codec.bodies.kv import KVTable
from codec.bodies.register import RegisterBrokerBody, decode_register_body, register_crc
from codec.bodies.route import GetBrokerMemberGroupResponseBody
from codec.bodies.topics import TopicConfigAndMappingSerializeWrapper
from codec.codes import V3_0_11, RequestCode, ResponseCode
from codec.errors import CodecError
from codec.headers.fields import RequestHeader
from codec.headers.namesrv import (
    AddWritePermOfBrokerRequestHeader,
    AddWritePermOfBrokerResponseHeader,
    BrokerHeartbeatRequestHeader,
    GetBrokerMemberGroupRequestHeader,
    QueryDataVersionRequestHeader,
    QueryDataVersionResponseHeader,
    RegisterBrokerRequestHeader,
    RegisterBrokerResponseHeader,
    UnRegisterBrokerRequestHeader,
    WipeWritePermOfBrokerRequestHeader,
    WipeWritePermOfBrokerResponseHeader,
)
from rmq.base.errors import CommandError
from rmq.base.ports import Clock
from rmq.conf.namesrv import NamesrvConfig
from rmq.namesrv.addresses import AddressView, cluster_as_seen, host_of, seen_from
from rmq.namesrv.expiry import Expiry
from rmq.namesrv.kv_config import ORDER_TOPICS, KvConfig
from rmq.namesrv.live_brokers import BrokerKey
from rmq.namesrv.lookups import cluster_info, member_group
from rmq.namesrv.notices import Notices
from rmq.namesrv.routes import Departure, Registration, RouteTables
from rmq.namesrv.zones import ZONE_NAME
from rmq.remoting.handling import Request, Response, handles


class BrokerProcessor:
    """Source: DefaultRequestProcessor.java, 5.3.3."""

    def __init__(
        self,
        tables: RouteTables,
        *,
        expiry: Expiry,
        notices: Notices,
        kv: KvConfig,
        settings: Callable[[], NamesrvConfig],
        clock: Clock,
        view: AddressView | None = None,
    ) -> None:
        self._tables = tables
        self._expiry = expiry
        self._notices = notices
        self._kv = kv
        self._settings = settings
        self._clock = clock
        self._view = view

    @handles(RequestCode.REGISTER_BROKER, RegisterBrokerRequestHeader)
    def register(self, request: Request[RegisterBrokerRequestHeader]) -> Response:
        """Enter a broker; tell a slave where its master is, and everyone which topics are ordered.

        :raises CommandError: SYSTEM_ERROR, the body is broken, or the first word of a broker is
            about one topic only; nothing is changed.
        """
        asked = request.header
        body = _registration_body(request)
        entry = Registration(
            key=BrokerKey(asked.cluster_name, asked.broker_addr),
            name=asked.broker_name,
            broker_id=asked.broker_id,
            ha_address=asked.ha_server_addr,
            zone=request.ext_fields.get(ZONE_NAME),
            timeout_ms=asked.heartbeat_timeout_millis,
            acting_master=asked.enable_acting_master,
            topics=body.topic_config_serialize_wrapper,
            filter_servers=body.filter_server_list,
            channel=request.channel,
        )
        settings = self._settings()
        self._expiry.carry_out()
        registered = self._tables.register(
            entry,
            self._clock.monotonic_ms(),
            delete_absent_topics=settings.deleteTopicWithBrokerRegistration,
        )
        if registered is None:
            raise CommandError(ResponseCode.SYSTEM_ERROR, "register broker failed")
        if registered.notice is not None and settings.notifyMinBrokerIdChanged:
            self._notices.send(registered.notice)
        ordered = None
        if settings.returnOrderTopicConfigToBroker:
            ordered = self._kv.namespace(ORDER_TOPICS)
        return Response(
            RegisterBrokerResponseHeader(
                ha_server_addr=registered.ha_address, master_addr=registered.master_address
            ),
            body=b"" if ordered is None else encode_body(KVTable(table=dict(ordered))),
        )

    @handles(RequestCode.UNREGISTER_BROKER, UnRegisterBrokerRequestHeader)
    def unregister(self, request: Request[UnRegisterBrokerRequestHeader]) -> Response:
        """Have a broker taken out in the next turn.

        :raises CommandError: SYSTEM_ERROR, too many wait already.
        """
        asked = request.header
        key = BrokerKey(asked.cluster_name, asked.broker_addr)
        if not self._expiry.submit(Departure(key, asked.broker_name, asked.broker_id)):
            raise CommandError(
                ResponseCode.SYSTEM_ERROR, "too many brokers wait to be unregistered, try again"
            )
        return Response()

    @handles(RequestCode.BROKER_HEARTBEAT, BrokerHeartbeatRequestHeader)
    def heartbeat(self, request: Request[BrokerHeartbeatRequestHeader]) -> Response:
        """Note that a broker lives; one that never registered is not told so, as in Java."""
        key = BrokerKey(request.header.cluster_name, request.header.broker_addr)
        self._tables.live.heard(key, self._clock.monotonic_ms())
        return Response()

    @handles(RequestCode.QUERY_DATA_VERSION, QueryDataVersionRequestHeader)
    def query_data_version(self, request: Request[QueryDataVersionRequestHeader]) -> Response:
        """Say whether a broker must register anew, its topics having changed. Counts as heartbeat.

        :raises CommandError: SYSTEM_ERROR, the body is broken.
        """
        asked = request.header
        key = BrokerKey(asked.cluster_name, asked.broker_addr)
        theirs = None
        if request.body:
            try:
                theirs = decode_body(DataVersion, request.body)
            except CodecError as error:
                raise CommandError(ResponseCode.SYSTEM_ERROR, str(error)) from error
        live = self._tables.live.get(key)
        if live is None:
            return Response(QueryDataVersionResponseHeader(changed=True))
        self._tables.live.heard(key, self._clock.monotonic_ms())
        return Response(
            QueryDataVersionResponseHeader(changed=live.data_version != theirs),
            body=encode_body(live.data_version),
        )

    @handles(RequestCode.GET_BROKER_MEMBER_GROUP, GetBrokerMemberGroupRequestHeader)
    def members(self, request: Request[GetBrokerMemberGroupRequestHeader]) -> Response:
        """List the addresses of one broker name, true ids and true addresses."""
        group = member_group(self._tables, request.header.cluster_name, request.header.broker_name)
        return Response(
            body=encode_body(GetBrokerMemberGroupResponseBody(broker_member_group=group))
        )

    @handles(RequestCode.GET_BROKER_CLUSTER_INFO)
    def cluster(self, request: Request[RequestHeader]) -> Response:
        """List all brokers and clusters."""
        info = cluster_info(self._tables)
        if self._view is not None:
            host = host_of(request.channel.local_address)
            info = cluster_as_seen(info, seen_from(host, self._view))
        return Response(body=encode_body(info))

    @handles(RequestCode.WIPE_WRITE_PERM_OF_BROKER, WipeWritePermOfBrokerRequestHeader)
    def wipe_write_perm(self, request: Request[WipeWritePermOfBrokerRequestHeader]) -> Response:
        """Let nobody write to a broker's topics, until its topics change."""
        count = self._tables.wipe_write_perm(request.header.broker_name)
        return Response(WipeWritePermOfBrokerResponseHeader(wipe_topic_count=count))

    @handles(RequestCode.ADD_WRITE_PERM_OF_BROKER, AddWritePermOfBrokerRequestHeader)
    def add_write_perm(self, request: Request[AddWritePermOfBrokerRequestHeader]) -> Response:
        """Let a broker's topics be written again, and read."""
        count = self._tables.add_write_perm(request.header.broker_name)
        return Response(AddWritePermOfBrokerResponseHeader(add_topic_count=count))


def _registration_body(request: Request[RegisterBrokerRequestHeader]) -> RegisterBrokerBody:
    """The body of a registration; none means no topics.

    :raises CommandError: SYSTEM_ERROR, its checksum differs or it cannot be read.
    """
    asked, body = request.header, request.body
    if asked.body_crc32 and register_crc(body) != asked.body_crc32:
        raise CommandError(ResponseCode.SYSTEM_ERROR, "crc32 not match")
    try:
        if not body:
            return RegisterBrokerBody()
        if request.version < V3_0_11:
            topics = decode_body(TopicConfigAndMappingSerializeWrapper, body)
            return RegisterBrokerBody(topic_config_serialize_wrapper=topics)
        return decode_register_body(body, compressed=asked.compressed, version=request.version)
    except CodecError as error:
        raise CommandError(
            ResponseCode.SYSTEM_ERROR, f"Failed to decode RegisterBrokerBody: {error}"
        ) from error
