"""Answers about topics as a whole: their lists, and a topic entered or deleted by itself."""

from collections.abc import Callable

from codec.bodies import decode_body, encode_body
from codec.bodies.route import TopicRouteData
from codec.bodies.topics import TopicList
from codec.codes import RequestCode, ResponseCode
from codec.errors import CodecError
from codec.headers.fields import RequestHeader
from codec.headers.namesrv import (
    DeleteTopicFromNamesrvRequestHeader,
    GetTopicsByClusterRequestHeader,
    RegisterTopicRequestHeader,
)
from rmq.base.errors import CommandError
from rmq.conf.namesrv import NamesrvConfig
from rmq.namesrv import lookups
from rmq.namesrv.routes import RouteTables
from rmq.remoting.handling import Request, Response, handles


class TopicProcessor:
    """Source: DefaultRequestProcessor.java, 5.3.3."""

    def __init__(self, tables: RouteTables, settings: Callable[[], NamesrvConfig]) -> None:
        self._tables = tables
        self._settings = settings

    @handles(RequestCode.REGISTER_TOPIC_IN_NAMESRV, RegisterTopicRequestHeader)
    def register_topic(self, request: Request[RegisterTopicRequestHeader]) -> Response:
        """Enter a topic's queues on brokers that are known; else nothing, and no complaint.

        :raises CommandError: SYSTEM_ERROR, the body is no route.
        """
        if not request.body:
            return Response()
        try:
            route = decode_body(TopicRouteData, request.body)
        except CodecError as error:
            raise CommandError(ResponseCode.SYSTEM_ERROR, str(error)) from error
        self._tables.register_topic(request.header.topic, route.queue_datas)
        return Response()

    @handles(RequestCode.DELETE_TOPIC_IN_NAMESRV, DeleteTopicFromNamesrvRequestHeader)
    def delete_topic(self, request: Request[DeleteTopicFromNamesrvRequestHeader]) -> Response:
        """Forget a topic, in one cluster if it is named, until a broker registers it again."""
        self._tables.delete_topic(request.header.topic, request.header.cluster_name or None)
        return Response()

    @handles(RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER)
    def all_topics(self, _request: Request[RequestHeader]) -> Response:
        """List every topic.

        :raises CommandError: SYSTEM_ERROR, switched off.
        """
        if not self._settings().enableAllTopicList:
            raise CommandError(ResponseCode.SYSTEM_ERROR, "disable")
        return _listed(lookups.all_topics(self._tables))

    @handles(RequestCode.GET_TOPICS_BY_CLUSTER, GetTopicsByClusterRequestHeader)
    def topics_of_cluster(self, request: Request[GetTopicsByClusterRequestHeader]) -> Response:
        """List the topics of a cluster; none if it is unknown.

        :raises CommandError: SYSTEM_ERROR, switched off.
        """
        self._require_lists()
        return _listed(lookups.topics_of_cluster(self._tables, request.header.cluster))

    @handles(RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS)
    def system_topics(self, _request: Request[RequestHeader]) -> Response:
        """List the topics that are named after clusters and brokers."""
        return _listed(lookups.system_topics(self._tables))

    @handles(RequestCode.GET_UNIT_TOPIC_LIST)
    def unit_topics(self, _request: Request[RequestHeader]) -> Response:
        """List the topics of units.

        :raises CommandError: SYSTEM_ERROR, switched off.
        """
        self._require_lists()
        return _listed(lookups.unit_topics(self._tables))

    @handles(RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST)
    def unit_subscription_topics(self, _request: Request[RequestHeader]) -> Response:
        """List the topics to which units subscribe.

        :raises CommandError: SYSTEM_ERROR, switched off.
        """
        self._require_lists()
        return _listed(lookups.unit_subscription_topics(self._tables))

    @handles(RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST)
    def central_unit_subscription_topics(self, _request: Request[RequestHeader]) -> Response:
        """List the topics to which units subscribe and that belong to none.

        :raises CommandError: SYSTEM_ERROR, switched off.
        """
        self._require_lists()
        return _listed(lookups.central_unit_subscription_topics(self._tables))

    def _require_lists(self) -> None:
        if not self._settings().enableTopicList:
            raise CommandError(ResponseCode.SYSTEM_ERROR, "disable")


def _listed(topics: TopicList) -> Response:
    return Response(body=encode_body(topics))
