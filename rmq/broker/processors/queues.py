"""What queues hold: their ends, and offsets by time."""

from codec.codes import RequestCode, ResponseCode
from codec.headers.offsets import (
    GetEarliestMsgStoretimeRequestHeader,
    GetEarliestMsgStoretimeResponseHeader,
    GetMaxOffsetRequestHeader,
    GetMaxOffsetResponseHeader,
    GetMinOffsetRequestHeader,
    GetMinOffsetResponseHeader,
    SearchOffsetRequestHeader,
    SearchOffsetResponseHeader,
)
from rmq.base.errors import CommandError
from rmq.remoting.handling import Request, Response, handles
from rmq.store.store import MessageStore


class QueueProcessor:
    """Answers from the store what queues hold. Source: AdminBrokerProcessor.java, 5.3.3."""

    def __init__(self, store: MessageStore) -> None:
        self._store = store

    @handles(RequestCode.GET_MAX_OFFSET, GetMaxOffsetRequestHeader)
    def max_offset(self, request: Request[GetMaxOffsetRequestHeader]) -> Response:
        """The offset that the next message of a queue will get; 0 for an unknown queue."""
        asked = request.header
        return Response(
            GetMaxOffsetResponseHeader(offset=self._store.max_offset(asked.topic, asked.queue_id))
        )

    @handles(RequestCode.GET_MIN_OFFSET, GetMinOffsetRequestHeader)
    def min_offset(self, request: Request[GetMinOffsetRequestHeader]) -> Response:
        """The first offset of a queue that can be read; 0 for an unknown queue."""
        asked = request.header
        return Response(
            GetMinOffsetResponseHeader(offset=self._store.min_offset(asked.topic, asked.queue_id))
        )

    @handles(RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, SearchOffsetRequestHeader)
    def search(self, request: Request[SearchOffsetRequestHeader]) -> Response:
        """The offset of a store time, by the rule of the boundary asked for.

        :raises CommandError: INVALID_PARAMETER, a negative queue id.
        """
        asked = request.header
        if asked.queue_id < 0:
            raise CommandError(
                ResponseCode.INVALID_PARAMETER, f"queueId {asked.queue_id}, expected 0 or more"
            )
        offset = self._store.offset_by_time(
            asked.topic,
            asked.queue_id,
            asked.timestamp,
            upper=(asked.boundary_type or "").lower() == "upper",
        )
        return Response(SearchOffsetResponseHeader(offset=offset))

    @handles(RequestCode.GET_EARLIEST_MSG_STORETIME, GetEarliestMsgStoretimeRequestHeader)
    def earliest(self, request: Request[GetEarliestMsgStoretimeRequestHeader]) -> Response:
        """When the first message of a queue was stored; -1 if it has none."""
        asked = request.header
        return Response(
            GetEarliestMsgStoretimeResponseHeader(
                timestamp=self._store.earliest_time(asked.topic, asked.queue_id)
            )
        )
