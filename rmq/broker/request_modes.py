"""How groups get the messages of topics, by pulling or popping, as operators set it.

Kept in ``config/messageRequestMode.json``. Source: MessageRequestModeManager.java, 5.3.3.
"""

import logging

from codec.bodies import decode_body
from codec.bodies.assignment import (
    MessageRequestMode,
    MessageRequestModeSerializeWrapper,
    SetMessageRequestModeRequestBody,
)
from codec.fastjson import dumps_pretty
from rmq.broker.saving import TableFile

logger = logging.getLogger(__name__)


class RequestModes:
    """Modes by topic and group."""

    def __init__(self, file: TableFile) -> None:
        self._file = file
        self._table: dict[str, dict[str, SetMessageRequestModeRequestBody]] = {}
        self._unsaved = False

    def mode(self, topic: str, group: str) -> MessageRequestMode:
        """What was set, else PULL."""
        chosen = self._table.get(topic, {}).get(group)
        return MessageRequestMode.PULL if chosen is None else chosen.mode

    def set(self, topic: str, group: str, chosen: SetMessageRequestModeRequestBody) -> None:
        """Remember a choice; the caller has checked that topic and group are there."""
        self._table.setdefault(topic, {})[group] = chosen
        self._unsaved = True
        logger.info("event=request_mode_set topic=%s group=%s mode=%s", topic, group, chosen.mode)
        self.persist()

    def wrapper(self) -> MessageRequestModeSerializeWrapper:
        """All choices, as on disk."""
        return MessageRequestModeSerializeWrapper(message_request_mode_map=self._table)

    def adopt(self, theirs: MessageRequestModeSerializeWrapper) -> None:
        """Become a copy of the master's choices.

        Source: SlaveSynchronize.java, syncMessageRequestMode(), 5.3.3.
        """
        if theirs.message_request_mode_map != self._table:
            self._table = theirs.message_request_mode_map
            self._unsaved = True
            self.persist()

    def load(self) -> None:
        """Take over what is on disk.

        :raises StoreError: the file cannot be read, nor its backup.
        """
        loaded = self._file.load(lambda text: decode_body(MessageRequestModeSerializeWrapper, text))
        if loaded is not None:
            self._table = loaded.message_request_mode_map

    def persist(self) -> None:
        """Save what changed, if anything; what the disk refuses is tried again by the next call."""
        if self._unsaved:
            self._unsaved = not self._file.save(dumps_pretty(self.wrapper()))
