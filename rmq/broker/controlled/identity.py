"""The id by which Controllers know this broker, in files under the store's root.

An id is first *wanted*: ``brokerIdentity-temp`` has it together with a code that only we know. When
the Controllers have given it to the owner of that code it is *ours*: ``brokerIdentity``. So a
broker that dies in between asks for the same id with the same code, and gets it.

Both are one line, parts joined by ``#``. Files are replaced whole; one that was given up is kept as
``.bak``. Source: BrokerMetadata.java, TempBrokerMetadata.java, MetadataFile.java, 5.3.3.
"""

import logging
from dataclasses import dataclass

from rmq.base.errors import StoreError
from rmq.base.ports import Disk

logger = logging.getLogger(__name__)

WANTED_SUFFIX = "-temp"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which broker of which group we are; ``broker_id`` counts from 1, masters and slaves alike.

    ``check_code`` is there only while the id is wanted.
    """

    cluster_name: str
    broker_name: str
    broker_id: int
    check_code: str | None = None

    @property
    def line(self) -> str:
        """The text of its file."""
        parts = [self.cluster_name, self.broker_name, str(self.broker_id)]
        return "#".join(parts if self.check_code is None else [*parts, self.check_code])


class IdentityFiles:
    """The two files of one broker."""

    def __init__(self, disk: Disk, path: str, *, cluster_name: str, broker_name: str) -> None:
        """``path`` is that of the final file. The names are those of the configuration."""
        self._disk = disk
        self._path = path
        self._names = (cluster_name, broker_name)

    def load(self) -> Identity | None:
        """Our identity, the final one if there is one, else the wanted one; None of neither.

        An empty file, as Java leaves it when the power fails, counts as none.

        :raises StoreError: a file cannot be read, or is another broker's by its names.
        """
        return self._load(self._path, 3) or self._load(self._path + WANTED_SUFFIX, 4)

    def save(self, identity: Identity) -> None:
        """Keep an identity; a final one replaces the wanted one.

        :raises StoreError: the disk refused.
        """
        is_wanted = identity.check_code is not None
        try:
            self._disk.replace(
                self._path + WANTED_SUFFIX if is_wanted else self._path, identity.line.encode()
            )
            if not is_wanted:
                self._disk.delete(self._path + WANTED_SUFFIX)
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be written: {error}") from error

    def give_up(self) -> None:
        """Forget both: Controllers know nothing of them. The final one is kept as ``.bak``.

        :raises StoreError: the disk refused.
        """
        try:
            if self._disk.exists(self._path):
                self._disk.rename(self._path, f"{self._path}.bak")
            self._disk.delete(self._path + WANTED_SUFFIX)
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be given up: {error}") from error

    def _load(self, path: str, part_count: int) -> Identity | None:
        try:
            content = self._disk.read(path)
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error}") from error
        if not content:
            return None
        parts = content.decode("utf-8", "replace").strip().split("#")
        if len(parts) != part_count or not (parts[2].isascii() and parts[2].isdigit()):
            raise StoreError(f"{path}: {content[:80]!r} is no broker identity; repair or remove it")
        if (parts[0], parts[1]) != self._names:
            raise StoreError(
                f"{path} is of broker {parts[1]} in cluster {parts[0]}, the configuration says "
                f"{self._names[1]} in {self._names[0]}; correct that, or use another store"
            )
        return Identity(parts[0], parts[1], int(parts[2]), parts[3] if part_count > 3 else None)
