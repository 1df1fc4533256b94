"""The file of what a member must never forget: ``currterm``."""

from codec.disk.dledger import CurrentTerm, pack_term, parse_term
from codec.errors import CodecError
from rmq.base.errors import StoreError
from rmq.base.ports import Disk
from rmq.raft.ready import HardState

_LEFT_BY_JAVA = ("", ".tmp", ".bak")
"""Java writes ``.tmp``, copies the old file to ``.bak``, deletes it, and renames ``.tmp``."""


class SavedTerm:
    """Term and vote on disk, in ``folder``."""

    def __init__(self, disk: Disk, folder: str) -> None:
        self._disk = disk
        self._path = f"{folder}/currterm"

    def load(self) -> HardState:
        """What was saved last; nothing if there is no file.

        :raises StoreError: the file cannot be read. To go on without it could mean to vote twice.
        """
        for suffix in _LEFT_BY_JAVA:
            path = self._path + suffix
            try:
                text = self._disk.read(path)
                if text is not None:
                    return HardState(*parse_term(text))
            except (OSError, CodecError) as error:
                raise StoreError(
                    f"cannot read {path}: {error}; restore it, or remove this member's whole "
                    "folder to have the leader send everything again"
                ) from error
        return HardState()

    def save(self, state: HardState) -> None:
        """Write it so that it survives.

        :raises OSError: the disk failed; the member must not go on.
        """
        self._disk.replace(self._path, pack_term(CurrentTerm(state.term, state.voted_for)))
