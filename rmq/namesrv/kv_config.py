"""Values by namespace and key, kept in a file: ordered topics and whatever tools put here.

A change is on disk before it is visible: if the file cannot be written, nothing has changed.
Java changes its table first, only logs that the file failed, and answers success.
"""

from collections.abc import Mapping
from typing import Protocol

from codec.bodies import decode_body, encode_body
from codec.bodies.kv import KVConfigSerializeWrapper
from codec.errors import CodecError
from rmq.base.errors import ConfigError, StoreError

ORDER_TOPICS = "ORDER_TOPIC_CONFIG"
"""The namespace that says on which brokers a topic is ordered: topic to ``broker:queues;...``."""

ENTRIES_MAX = 100_000
"""Values in all: each change writes the whole file, so every value makes every change dearer."""


class Files(Protocol):
    """What is needed of a disk: whole files, as ``rmq.base.ports.Disk`` has them."""

    def read(self, path: str) -> bytes | None:
        """A whole file, or None if it is not there."""
        ...

    def replace(self, path: str, content: bytes) -> None:
        """Write a whole file so that, whatever happens, the old or the new content is found."""
        ...


class KvConfig:
    """The table and its file. Source: KVConfigManager.java, 5.3.3."""

    def __init__(self, disk: Files, path: str) -> None:
        self._disk = disk
        self._path = path
        self._table: dict[str, dict[str, str]] = {}

    def load(self) -> None:
        """Read the file; without one the table is empty.

        :raises ConfigError: the file cannot be read or is not what this class writes.
        """
        try:
            content = self._disk.read(self._path)
            if content:
                self._table = decode_body(KVConfigSerializeWrapper, content).config_table
        except (OSError, CodecError) as error:
            raise ConfigError(
                f"kvConfigPath={self._path}: {error}; correct the file or move it away"
            ) from error

    def get(self, namespace: str, key: str) -> str | None:
        """One value, or None."""
        return self._table.get(namespace, {}).get(key)

    def namespace(self, namespace: str) -> Mapping[str, str] | None:
        """All values of a namespace; None if nothing was ever put there."""
        return self._table.get(namespace)

    def put(self, namespace: str, key: str, value: str) -> None:
        """Set a value.

        :raises StoreError: no room for more values, or the file cannot be written.
        """
        entries = sum(map(len, self._table.values()))
        if entries >= ENTRIES_MAX and self.get(namespace, key) is None:
            raise StoreError(f"{entries} values, at most {ENTRIES_MAX}; delete some first")
        self._save(namespace, {**self._table.get(namespace, {}), key: value})

    def delete(self, namespace: str, key: str) -> None:
        """Forget a value; its namespace stays known, even empty.

        :raises StoreError: the file cannot be written.
        """
        values = dict(self._table.get(namespace, {}))
        if values.pop(key, None) is not None:
            self._save(namespace, values)

    def _save(self, namespace: str, values: dict[str, str]) -> None:
        table = {**self._table, namespace: values}
        try:
            self._disk.replace(
                self._path, encode_body(KVConfigSerializeWrapper(config_table=table))
            )
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error}") from error
        self._table = table
