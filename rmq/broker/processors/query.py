"""Looking messages up: by key, by unique key, by position."""

from codec.codes import RequestCode, ResponseCode
from codec.headers.pull import (
    QueryMessageRequestHeader,
    QueryMessageResponseHeader,
    ViewMessageRequestHeader,
)
from rmq.base.errors import CommandError
from rmq.remoting.handling import Request, Response, handles
from rmq.store.store import MessageStore

UNIQUE_KEY_QUERY = "_UNIQUE_KEY_QUERY"
"""Text field that asks for a unique key. Source: MixAll.java, UNIQUE_MSG_QUERY_FLAG, 5.3.3."""


class QueryProcessor:
    """Finds messages. Source: QueryMessageProcessor.java, 5.3.3."""

    def __init__(self, store: MessageStore, default_count: int) -> None:
        """``default_count`` is defaultQueryMaxNum: how many records a unique key can have."""
        self._store = store
        self._default_count = default_count

    @handles(RequestCode.QUERY_MESSAGE, QueryMessageRequestHeader)
    def query(self, request: Request[QueryMessageRequestHeader]) -> Response:
        """Give the records of a key, newest first; clients compare the key's text themselves.

        :raises CommandError: QUERY_NOT_FOUND; INVALID_PARAMETER for a count below 1.
        """
        asked = request.header
        count = asked.max_num
        if request.ext_fields.get(UNIQUE_KEY_QUERY) == "true":
            count = self._default_count
        if count < 1:
            raise CommandError(
                ResponseCode.INVALID_PARAMETER, f"maxNum {count}, expected 1 or more"
            )
        found = self._store.query(
            asked.topic, asked.key, count, asked.begin_timestamp, asked.end_timestamp
        )
        if not found.records:
            raise CommandError(
                ResponseCode.QUERY_NOT_FOUND, "can not find message, maybe time range not correct"
            )
        header = QueryMessageResponseHeader(
            index_last_update_timestamp=found.index_last_timestamp,
            index_last_update_phyoffset=found.index_last_position,
        )
        return Response(header, body=b"".join(found.records))

    @handles(RequestCode.VIEW_MESSAGE_BY_ID, ViewMessageRequestHeader)
    def view(self, request: Request[ViewMessageRequestHeader]) -> Response:
        """Give the record that begins at a position of the commit log.

        :raises CommandError: SYSTEM_ERROR, there is none.
        """
        position = request.header.offset
        record = self._store.message_at(position) if position >= 0 else None
        if record is None:
            raise CommandError(
                ResponseCode.SYSTEM_ERROR, f"can not find message by the offset, {position}"
            )
        return Response(body=record)
