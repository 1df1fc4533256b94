"""Answers about values by namespace and key."""

from codec.bodies import encode_body
from codec.bodies.kv import KVTable
from codec.codes import RequestCode, ResponseCode
from codec.headers.namesrv import (
    DeleteKVConfigRequestHeader,
    GetKVConfigRequestHeader,
    GetKVConfigResponseHeader,
    GetKVListByNamespaceRequestHeader,
    PutKVConfigRequestHeader,
)
from rmq.base.errors import CommandError, StoreError
from rmq.namesrv.kv_config import ORDER_TOPICS, KvConfig
from rmq.namesrv.route_cache import RouteCache
from rmq.remoting.handling import Request, Response, handles


class KvProcessor:
    """Source: DefaultRequestProcessor.java, putKVConfig() and on, 5.3.3."""

    def __init__(self, kv: KvConfig, cache: RouteCache) -> None:
        self._kv = kv
        self._cache = cache

    @handles(RequestCode.PUT_KV_CONFIG, PutKVConfigRequestHeader)
    def put(self, request: Request[PutKVConfigRequestHeader]) -> Response:
        """Set a value.

        :raises CommandError: SYSTEM_ERROR, it cannot be kept; nothing is changed.
        """
        asked = request.header
        try:
            self._kv.put(asked.namespace, asked.key, asked.value)
        except StoreError as error:
            raise CommandError(ResponseCode.SYSTEM_ERROR, str(error)) from error
        self._changed(asked.namespace, asked.key)
        return Response()

    @handles(RequestCode.GET_KV_CONFIG, GetKVConfigRequestHeader)
    def get(self, request: Request[GetKVConfigRequestHeader]) -> Response:
        """Give a value.

        :raises CommandError: QUERY_NOT_FOUND.
        """
        asked = request.header
        value = self._kv.get(asked.namespace, asked.key)
        if value is None:
            raise CommandError(
                ResponseCode.QUERY_NOT_FOUND,
                f"No config item, Namespace: {asked.namespace} Key: {asked.key}",
            )
        return Response(GetKVConfigResponseHeader(value=value))

    @handles(RequestCode.DELETE_KV_CONFIG, DeleteKVConfigRequestHeader)
    def delete(self, request: Request[DeleteKVConfigRequestHeader]) -> Response:
        """Forget a value; one that is not there is forgotten already.

        :raises CommandError: SYSTEM_ERROR, the file cannot be written; nothing is changed.
        """
        asked = request.header
        try:
            self._kv.delete(asked.namespace, asked.key)
        except StoreError as error:
            raise CommandError(ResponseCode.SYSTEM_ERROR, str(error)) from error
        self._changed(asked.namespace, asked.key)
        return Response()

    @handles(RequestCode.GET_KVLIST_BY_NAMESPACE, GetKVListByNamespaceRequestHeader)
    def namespace(self, request: Request[GetKVListByNamespaceRequestHeader]) -> Response:
        """Give all values of a namespace.

        :raises CommandError: QUERY_NOT_FOUND, nothing was ever put there.
        """
        values = self._kv.namespace(request.header.namespace)
        if values is None:
            raise CommandError(
                ResponseCode.QUERY_NOT_FOUND,
                f"No config item, Namespace: {request.header.namespace}",
            )
        return Response(body=encode_body(KVTable(table=dict(values))))

    def _changed(self, namespace: str, key: str) -> None:
        if namespace == ORDER_TOPICS:
            self._cache.forget(key)
