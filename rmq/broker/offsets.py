"""How far each consumer group has come in each queue, kept in ``config/consumerOffset.json``.

Three tables by ``topic@group``: committed offsets (on disk), offsets to which the broker itself
has reset a group and which no client has taken yet, and up to where clients have pulled.
An offset counts messages of one queue from 0. Source: ConsumerOffsetManager.java, 5.3.3.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from codec.bodies import decode_body
from codec.bodies.data_version import DataVersion
from codec.bodies.offsets import ConsumerOffsetSerializeWrapper
from codec.fastjson import dumps_pretty
from rmq.base.ports import Clock
from rmq.broker.saving import TableFile
from rmq.conf.broker import BrokerConfig

logger = logging.getLogger(__name__)

SEPARATOR = "@"
NO_OFFSET = -1
"""What ``query`` answers for a queue of which nothing is known."""

LONG_MAX = 2**63 - 1

OffsetTable: TypeAlias = dict[str, dict[int, int]]


class ConsumerOffsets:
    """Committed, reset and pulled offsets of all groups."""

    def __init__(
        self,
        config: BrokerConfig,
        clock: Clock,
        file: TableFile,
        min_offset: Callable[[str, int], int],
    ) -> None:
        """``min_offset(topic, queue_id)``: the first offset still stored in a queue.

        ``config`` may be replaced while running: assign the attribute.
        """
        self.config = config
        self._clock = clock
        self._file = file
        self._min_offset = min_offset
        self._table: OffsetTable = {}
        self._reset: OffsetTable = {}
        self._pulled: OffsetTable = {}
        self._commits = 0
        self._unsaved = False
        self.state_version = 0
        """Of each version from now on: the master's epoch under Controllers, else 0."""
        self._data_version = DataVersion(timestamp=clock.wall_ms())

    @property
    def table(self) -> Mapping[str, Mapping[int, int]]:
        """Committed offsets by ``topic@group`` and queue; not to be changed by the reader."""
        return self._table

    @property
    def data_version(self) -> DataVersion:
        """Bumped every ``consumerOffsetUpdateVersionStep`` commits, by which slaves compare."""
        return self._data_version

    def commit(self, group: str, topic: str, queue_id: int, offset: int) -> None:
        """Record that a group has consumed all before ``offset``; it may also go back.

        The caller has checked that group, topic and queue are there: nothing bounds the table.
        Source: ConsumerOffsetManager.java, commitOffset(), 5.3.3.
        """
        key = f"{topic}@{group}"
        try:
            self._table[key][queue_id] = offset
        except KeyError:
            self._table[key] = {queue_id: offset}
        self._unsaved = True
        self._commits += 1
        if self._commits % self.config.consumerOffsetUpdateVersionStep == 0:
            self._bump()

    def query(self, group: str, topic: str, queue_id: int) -> int:
        """Where a group goes on: a reset not yet taken, else its commit, else ``NO_OFFSET``.

        Source: ConsumerOffsetManager.java, queryOffset(), 5.3.3.
        """
        key = f"{topic}@{group}"
        if self._reset and self.config.useServerSideResetOffset:
            offset = self._reset.get(key, {}).get(queue_id)
            if offset is not None:
                return offset
        offsets = self._table.get(key)
        return NO_OFFSET if offsets is None else offsets.get(queue_id, NO_OFFSET)

    def queues(self, group: str, topic: str) -> Mapping[int, int]:
        """A group's committed offsets in a topic by queue; empty if there are none."""
        return self._table.get(f"{topic}@{group}", {})

    def pulled(self, group: str, topic: str, queue_id: int, offset: int) -> None:
        """Record that a client of the group has asked for messages up to ``offset``."""
        key = f"{topic}@{group}"
        try:
            self._pulled[key][queue_id] = offset
        except KeyError:
            self._pulled[key] = {queue_id: offset}

    def query_pulled(self, group: str, topic: str, queue_id: int) -> int:
        """Up to where a group has pulled, else where it goes on."""
        offset = self._pulled.get(f"{topic}@{group}", {}).get(queue_id)
        return self.query(group, topic, queue_id) if offset is None else offset

    def topics_of(self, group: str) -> set[str]:
        """Topics in which a group has committed anything."""
        return {topic for topic, member in self._pairs() if member == group}

    def groups_of(self, topic: str) -> set[str]:
        """Groups that have committed anything in a topic."""
        return {group for named, group in self._pairs() if named == topic}

    def group_topics(self) -> dict[str, list[str]]:
        """The topics of each group, in the order of their first commits."""
        topics: dict[str, list[str]] = {}
        for topic, group in self._pairs():
            topics.setdefault(group, []).append(topic)
        return topics

    def lowest(self, topic: str, left_out: Iterable[str] = ()) -> dict[int, int]:
        """The least commit of all groups in each queue, as far as its messages are still stored.

        Java forgets for ever the offsets of the groups that a query leaves out; here they stay.
        Source: ConsumerOffsetManager.java, queryMinOffsetInAllGroup(), 5.3.3.
        """
        skipped = set(left_out)
        lowest: dict[int, int] = {}
        for key, offsets in self._table.items():
            named, _, group = key.partition(SEPARATOR)
            if named != topic or group in skipped:
                continue
            for queue_id, offset in offsets.items():
                if offset >= self._min_offset(topic, queue_id):
                    lowest[queue_id] = min(offset, lowest.get(queue_id, LONG_MAX))
        return lowest

    def correction(self, topic: str, left_out: Iterable[str], compared: str) -> dict[int, int]:
        """What QUERY_CORRECTION_OFFSET answers: the lowest offsets, set against one group's.

        A queue in which ``compared`` is behind all others gets Long.MAX_VALUE. A queue in which it
        alone has an offset, and that no longer stored, is left out; Java fails there.
        Source: AdminBrokerProcessor.java, queryCorrectionOffset(), 5.3.3.
        """
        corrected = self.lowest(topic, left_out)
        for queue_id, offset in self.queues(compared, topic).items():
            if corrected.get(queue_id, 0) > offset:
                corrected[queue_id] = LONG_MAX
        return corrected

    def reset(self, group: str, topic: str, queue_id: int, offset: int) -> None:
        """Have a group go on at ``offset`` whatever it commits, until a client has taken that.

        Source: ConsumerOffsetManager.java, assignResetOffset(), 5.3.3.
        """
        if not topic or not group or queue_id < 0 or offset < 0:
            logger.warning(
                "event=reset_refused topic=%s group=%s queue_id=%d offset=%d",
                topic,
                group,
                queue_id,
                offset,
            )
            return
        self._reset.setdefault(f"{topic}@{group}", {})[queue_id] = offset
        self._table.setdefault(f"{topic}@{group}", {})[queue_id] = offset
        self._unsaved = True

    def has_reset(self, group: str, topic: str, queue_id: int) -> bool:
        """Whether a reset waits to be taken. Hot: one test while there is none at all."""
        return bool(self._reset) and queue_id in self._reset.get(f"{topic}@{group}", ())

    def take_reset(self, group: str, topic: str, queue_id: int) -> int | None:
        """The offset of a reset, which is thereby done; None if there was none.

        Source: ConsumerOffsetManager.java, queryThenEraseResetOffset(), 5.3.3.
        """
        key = f"{topic}@{group}"
        offsets = self._reset.get(key)
        if offsets is None:
            return None
        offset = offsets.pop(queue_id, None)
        if not offsets:
            del self._reset[key]
        return offset

    def clone(self, source: str, target: str, topic: str) -> None:
        """Give group ``target`` the offsets of ``source`` in a topic; nothing if it has none."""
        offsets = self._table.get(f"{topic}@{source}")
        if offsets is not None:
            self._table[f"{topic}@{target}"] = dict(offsets)
            self._unsaved = True

    def remove_group(self, group: str) -> None:
        """Forget all offsets of a group, also resets and pulls.

        Source: ConsumerOffsetManager.java, removeOffset(), 5.3.3.
        """
        for table in (self._table, self._reset, self._pulled):
            for key in [key for key in table if key.partition(SEPARATOR)[2] == group]:
                del table[key]
        self._unsaved = True

    def remove_topic(self, topic: str) -> None:
        """Forget all offsets in a topic, also resets and pulls (which Java keeps).

        Source: ConsumerOffsetManager.java, cleanOffsetByTopic(), 5.3.3.
        """
        for table in (self._table, self._reset, self._pulled):
            for key in [key for key in table if key.partition(SEPARATOR)[0] == topic]:
                del table[key]
        self._unsaved = True

    def wrapper(self) -> ConsumerOffsetSerializeWrapper:
        """All committed offsets with their version, as on disk."""
        return ConsumerOffsetSerializeWrapper(
            data_version=self._data_version,
            group_topic_map={group: tuple(topics) for group, topics in self.group_topics().items()},
            offset_table=self._table,
        )

    def next_version(self) -> None:
        """Have others take this table for newer than one of as many commits."""
        self._bump()
        self._unsaved = True

    def adopt(self, theirs: ConsumerOffsetSerializeWrapper) -> None:
        """Take over all offsets that the master has; others, of the time without it, stay.

        Source: SlaveSynchronize.java, syncConsumerOffset(), 5.3.3.
        """
        changed = {
            key: offsets
            for key, offsets in theirs.offset_table.items()
            if self._table.get(key) != offsets
        }
        self._table.update(changed)
        self._data_version = theirs.data_version or self._data_version
        if changed:
            self._unsaved = True
            self.persist()

    def load(self) -> None:
        """Take over what is on disk.

        :raises StoreError: the file cannot be read, nor its backup.
        """
        loaded = self._file.load(lambda text: decode_body(ConsumerOffsetSerializeWrapper, text))
        if loaded is not None:
            self._table.update(loaded.offset_table)
            self._data_version = loaded.data_version or self._data_version
            logger.info("event=offsets_loaded count=%d", len(loaded.offset_table))

    def persist(self) -> None:
        """Save what changed, if anything; what the disk refuses is tried again by the next call."""
        if self._unsaved:
            self._unsaved = not self._file.save(dumps_pretty(self.wrapper()))

    def _pairs(self) -> Iterable[tuple[str, str]]:
        for key in self._table:
            topic, _, group = key.partition(SEPARATOR)
            yield topic, group

    def _bump(self) -> None:
        self._data_version = self._data_version.next(self._clock.wall_ms(), self.state_version)
