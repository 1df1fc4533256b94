"""The files of a broker, by command."""

import logging
from collections.abc import Callable

from twisted.internet.defer import Deferred

from codec.bodies import encode_body
from codec.bodies.offsets import DelayOffsetSerializeWrapper
from codec.codes import RequestCode
from codec.headers.fields import RequestHeader
from rmq.base.errors import StoreError
from rmq.base.ports import Clock
from rmq.remoting.handling import Request, Response, handles
from rmq.store.store import MessageStore

logger = logging.getLogger(__name__)

MANUAL_ROUNDS = 20
"""Rounds of cleaning that one command asks for. Source: CleanCommitLogService, 5.3.3."""

ROUND_PERIOD_MS = 1_000
"""Time between rounds, each of which deletes a few files and blocks meanwhile."""


class FileAdminProcessor:
    """Source: AdminBrokerProcessor.java, 5.3.3."""

    def __init__(
        self,
        clock: Clock,
        store: MessageStore,
        delay_offsets: Callable[[], Deferred[DelayOffsetSerializeWrapper]],
    ) -> None:
        """``delay_offsets``: how far delayed delivery is."""
        self._clock = clock
        self._store = store
        self._delay_offsets = delay_offsets
        self._rounds_left = 0

    @handles(RequestCode.DELETE_EXPIRED_COMMITLOG)
    def delete_expired(self, _request: Request[RequestHeader]) -> Response:
        """Delete the files of the log past their time, whatever the hour of the day.

        A few are gone when this is answered, the rest goes in the rounds after.
        Source: DefaultMessageStore.java, executeDeleteFilesManually(), 5.3.3.

        :raises StoreError: a file cannot be deleted.
        """
        is_under_way = self._rounds_left > 0
        self._rounds_left = MANUAL_ROUNDS
        if not is_under_way:
            self._clean()
        return Response()

    def _clean(self) -> None:
        self._rounds_left -= 1
        try:
            deleted = self._store.clean(at_once=True)
        except StoreError:
            self._rounds_left = 0
            raise
        for path in deleted:
            logger.info("event=file_deleted path=%s", path)
        if deleted and self._rounds_left:
            self._clock.call_later(ROUND_PERIOD_MS, self._clean)
        else:
            self._rounds_left = 0

    @handles(RequestCode.GET_ALL_DELAY_OFFSET)
    def delay_offsets(self, _request: Request[RequestHeader]) -> Deferred[Response]:
        """Give how far the delivery of each delay level is.

        Source: AdminBrokerProcessor.java, getAllDelayOffset(), 5.3.3.
        """
        return self._delay_offsets().addCallback(
            lambda offsets: Response(body=encode_body(offsets))
        )
