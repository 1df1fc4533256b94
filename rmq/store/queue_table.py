"""All consume queues of a store, and how many of their files are mapped at once."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from codec.disk.consume_queue import UNIT_SIZE
from rmq.base.errors import StoreError
from rmq.base.ports import Disk
from rmq.store.consume_queue import ConsumeQueue
from rmq.store.flush import FlushPolicy
from rmq.store.segments import Holds
from rmq.store.settings import StoreSettings

TOPIC_BYTES_MAX = 255
"""What a folder's name can hold. Source: HookUtils.java, checkBeforePutMessage(), 5.3.3."""


class QueueTable:
    """``by_key`` finds a queue by (topic, queue id)."""

    def __init__(self, disk: Disk, settings: StoreSettings, holds: Holds) -> None:
        self.by_key: dict[tuple[str, int], ConsumeQueue] = {}
        self.dirty: list[ConsumeQueue] = []
        self._disk = disk
        self._settings = settings
        self._holds = holds
        self._folder = f"{settings.root}/consumequeue"
        self._mapped: dict[tuple[ConsumeQueue, int], None] = {}

    def load(self) -> None:
        """Find all queues on disk.

        :raises StoreError: a file of a wrong size.
        """
        for topic in self._disk.entries(self._folder):
            if topic.is_folder:
                for queue in self._disk.entries(f"{self._folder}/{topic.name}"):
                    if queue.is_folder and queue.name.isdecimal():
                        self.create(topic.name, int(queue.name)).load()

    def create(self, topic: str, queue_id: int) -> ConsumeQueue:
        """A queue that was not there; its files come with its first message.

        :raises StoreError: the topic cannot be a folder's name.
        """
        encoded = topic.encode()
        if not 0 < len(encoded) <= TOPIC_BYTES_MAX or topic in {".", ".."} or "/" in topic:
            raise StoreError(f"topic {topic!r} cannot be stored: 1-255 bytes, no slash")
        if "\0" in topic or not 0 <= queue_id <= 0x7FFFFFFF:
            raise StoreError(f"queue {queue_id} of topic {topic!r} cannot be stored")
        queue = ConsumeQueue(
            self._disk,
            self._folder,
            topic,
            queue_id,
            self._settings.consume_queue_file_size,
            self._holds,
            self._note_mapped,
            len(self._settings.store_host),
        )
        self.by_key[topic, queue_id] = queue
        return queue

    def get_or_create(self, topic: str, queue_id: int) -> ConsumeQueue:
        """A queue, new if it was not there.

        :raises StoreError: the topic cannot be a folder's name.
        """
        queue = self.by_key.get((topic, queue_id))
        return self.create(topic, queue_id) if queue is None else queue

    def _note_mapped(self, queue: ConsumeQueue, start: int) -> None:
        """Count a file that was mapped; the oldest that are clean give back their memory."""
        mapped = self._mapped
        mapped[queue, start] = None
        if len(mapped) <= self._settings.queue_maps_max:
            return
        for key in list(mapped)[: len(mapped) - 1]:
            if key[0].unmap(key[1]):
                del mapped[key]
                return

    def drop(self, queue: ConsumeQueue) -> None:
        """Delete a queue with its files."""
        del self.by_key[queue.topic, queue.queue_id]
        queue.segments.close()
        for key in [key for key in self._mapped if key[0] is queue]:
            del self._mapped[key]
        if queue.dirty:
            self.dirty.remove(queue)
        self._disk.delete(queue.segments.folder)

    def drop_topics(self, topics: AbstractSet[str]) -> int:
        """Delete the queues of topics; how many topics had some."""
        queues = [queue for queue in self.by_key.values() if queue.topic in topics]
        for queue in queues:
            self.drop(queue)
        for topic in {queue.topic for queue in queues}:
            self._disk.delete(f"{self._folder}/{topic}")
        return len({queue.topic for queue in queues})

    def note_dirty(self, queue: ConsumeQueue) -> None:
        """Have a queue that was written be flushed."""
        if not queue.dirty:
            queue.dirty = True
            self.dirty.append(queue)

    def to_flush(self, policy: FlushPolicy | None) -> list[tuple[ConsumeQueue, int]]:
        """Queues to flush now with the offset they are flushed up to; all dirty if no policy.

        They count as clean from now on, until they are written again.
        """
        chosen: list[tuple[ConsumeQueue, int]] = []
        rest: list[ConsumeQueue] = []
        for queue in self.dirty:
            if policy is None or policy.is_enough(
                queue.flushed_offset * UNIT_SIZE, queue.next_offset * UNIT_SIZE
            ):
                queue.dirty = False
                chosen.append((queue, queue.next_offset))
            else:
                rest.append(queue)
        self.dirty = rest
        return chosen

    def __iter__(self) -> Iterator[ConsumeQueue]:
        return iter(self.by_key.values())
