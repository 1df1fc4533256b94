"""The tables on disk: ``config/*.json`` as RocketMQ keeps them, the previous text in ``.bak``.

Both files are replaced whole, so a crash leaves the old or the new text, never a piece.
Source: ConfigManager.java, MixAll.java, string2File(), 5.3.3.
"""

import logging
from collections.abc import Callable
from typing import TypeVar

from codec.errors import CodecError
from rmq.base.errors import StoreError
from rmq.base.ports import Disk

logger = logging.getLogger(__name__)

T = TypeVar("T")


class TableFile:
    """One table's file and its backup."""

    def __init__(self, disk: Disk, path: str) -> None:
        self._disk = disk
        self.path = path
        self._saved: bytes | None = None
        self._keep_backup = False

    def load(self, decode: Callable[[bytes], T]) -> T | None:
        """What ``decode`` makes of the file, or of its backup; None if there is neither.

        A missing, empty or broken file is replaced by its backup. Java starts with an empty table
        when a broken file has no backup; here that stops the start, since the next save would
        destroy what could be repaired by hand.

        :raises StoreError: the file or its backup is there, but none can be read.
        """
        causes: list[str] = []
        for path in (self.path, f"{self.path}.bak"):
            try:
                text = self._disk.read(path)
                if not text:
                    continue
                table = decode(text)
            except (CodecError, OSError) as error:
                causes.append(f"{path}: {error}")
                logger.error("event=table_unreadable path=%s cause=%s", path, error)  # noqa: TRY400 - no traceback: the bytes are to blame
                continue
            self._saved = text if path == self.path else None
            self._keep_backup = path != self.path
            return table
        if causes:
            raise StoreError(f"no readable table; repair or remove {'; '.join(causes)}")
        return None

    def save(self, text: str) -> bool:
        """Write ``text``, keep the previous as ``.bak``; False (and logged) if the disk refused.

        The table in memory stays true; whoever owns it saves again. A backup that stood in for a
        broken file is kept until something readable has taken its place.
        """
        content = text.encode()
        if content == self._saved:
            return True
        try:
            previous = self._saved if self._saved is not None else self._disk.read(self.path)
            if previous and not self._keep_backup:
                self._disk.replace(f"{self.path}.bak", previous)
            self._disk.replace(self.path, content)
        except OSError as error:
            logger.error("event=table_not_saved path=%s cause=%s", self.path, error)  # noqa: TRY400 - expected of disks
            return False
        self._saved = content
        self._keep_backup = False
        return True
