"""Answers where a topic is: the request that every client sends for each topic every 30 s."""

from collections.abc import Callable

from codec.bodies.route import TopicRouteData, encode_legacy_route, encode_route
from codec.codes import V4_9_4, RequestCode, ResponseCode
from codec.frame import JSON
from codec.headers.fields import ResponseHeader
from codec.headers.namesrv import GetRouteInfoRequestHeader
from codec.templates import ResponseTemplate
from rmq.base.errors import CommandError
from rmq.base.ports import Clock
from rmq.conf.namesrv import NamesrvConfig
from rmq.namesrv.addresses import AddressView, host_of, route_as_seen, seen_from
from rmq.namesrv.kv_config import ORDER_TOPICS, KvConfig
from rmq.namesrv.lookups import find_route
from rmq.namesrv.route_cache import Flavour, RouteCache
from rmq.namesrv.routes import RouteTables
from rmq.namesrv.zones import ZONE_MODE, ZONE_NAME, within_zone
from rmq.remoting.handling import Request, Response, handles

FAQ = "\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details."
_ZONE_MODE = ZONE_MODE.encode()


class RouteProcessor:
    """Answers GET_ROUTEINFO_BY_TOPIC, from the cache if it can.

    Source: ClientRequestProcessor.java, getRouteInfoByTopic(), 5.3.3.
    """

    def __init__(
        self,
        tables: RouteTables,
        *,
        cache: RouteCache,
        kv: KvConfig,
        settings: Callable[[], NamesrvConfig],
        clock: Clock,
        view: AddressView | None = None,
    ) -> None:
        self._tables = tables
        self._cache = cache
        self._kv = kv
        self._settings = settings
        self._clock = clock
        self._view = view
        self._reply = ResponseTemplate(ResponseHeader, {}).frame_of
        self._started_ms = clock.monotonic_ms()
        self._settled: NamesrvConfig | None = None
        """The settings for which the cache holds and the wait after the start is over."""

    @handles(RequestCode.GET_ROUTEINFO_BY_TOPIC, GetRouteInfoRequestHeader)
    def route(self, request: Request[GetRouteInfoRequestHeader]) -> Response | bytes:
        """Tell where a topic is; half a microsecond if the answer is known.

        :raises CommandError: TOPIC_NOT_EXIST; SYSTEM_ERROR, so soon after the start that brokers
            may not have registered yet.
        """
        if self._settings() is not self._settled:
            self._settle()
        if _ZONE_MODE in request.raw_header:
            zone = _zone_of(request)
            if zone is not None:
                return Response(body=self._zone_body(request, zone))
        header = request.header
        standard = request.version >= V4_9_4 or header.accept_standard_json_only is True
        host = "" if self._view is None else host_of(request.channel.local_address)
        body = self._cache.get(header.topic, standard, host)
        if body is None:
            route = self._find(header.topic, host)
            body = encode_route(route) if standard else encode_legacy_route(route)
            self._cache.put(header.topic, Flavour(standard, host), body)
        if request.encoding == JSON:
            return self._reply((body,), len(body), request.opaque)
        return Response(body=body)

    def _settle(self) -> None:
        """Obey new settings: what is cached was made by the old ones.

        :raises CommandError: SYSTEM_ERROR, so soon after the start.
        """
        settings = self._settings()
        self._cache.forget_all()
        waited_ms = self._clock.monotonic_ms() - self._started_ms
        if settings.needWaitForService and waited_ms < settings.waitSecondsForService * 1000:
            raise CommandError(ResponseCode.SYSTEM_ERROR, "name server not ready")
        self._settled = settings

    def _find(self, topic: str, host: str) -> TopicRouteData:
        settings = self._settings()
        order_conf = self._kv.get(ORDER_TOPICS, topic) if settings.orderMessageEnable else None
        route = find_route(
            self._tables,
            topic,
            acting_masters=settings.supportActingMaster,
            order_conf=order_conf,
        )
        if route is None:
            raise CommandError(
                ResponseCode.TOPIC_NOT_EXIST,
                f"No topic route info in name server for the topic: {topic}{FAQ}",
            )
        return route if self._view is None else route_as_seen(route, seen_from(host, self._view))

    def _zone_body(self, request: Request[GetRouteInfoRequestHeader], zone: str) -> bytes:
        """The legacy text, whatever the client's version: so does Java."""
        host = "" if self._view is None else host_of(request.channel.local_address)
        return encode_legacy_route(within_zone(self._find(request.header.topic, host), zone))


def _zone_of(request: Request[GetRouteInfoRequestHeader]) -> str | None:
    """The zone within which the client wants to stay, if it does."""
    ext_fields = request.ext_fields
    if ext_fields.get(ZONE_MODE, "").lower() != "true":
        return None
    zone = ext_fields.get(ZONE_NAME, "")
    return zone if zone.strip() else None
