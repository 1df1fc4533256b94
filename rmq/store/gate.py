"""Whether puts are taken, and why not: the role forbids it, no room, a failed sync."""

from rmq.base.ports import Clock
from rmq.store.settings import StoreSettings


class Gate:
    """``refusal`` is None while puts are taken, or says why they are not.

    ``final``: not before a restart. ``forbid``: as long as the store follows another. Otherwise,
    when a write found no room, a put may try again every ``retry_reserve_ms``; when the disk's
    share in use was too high, once it no longer is.
    """

    def __init__(self, clock: Clock, settings: StoreSettings) -> None:
        self._clock = clock
        self._settings = settings
        self._is_full = False
        self._retry_at_ms = 0
        self._forbidden: str | None = None
        self._cause: str | None = "the store is not loaded"
        self.final = True
        self.refusal: str | None = self._cause

    def _refuse(self, cause: str | None) -> None:
        self._cause = cause
        self.refusal = cause if self.final else self._forbidden or cause

    def open(self) -> None:
        """Take puts, unless they are forbidden."""
        self.final = False
        self._refuse(None)

    def shut(self, reason: str) -> None:
        """Refuse all puts until a restart, for the first reason given."""
        if not self.final:
            self.final = True
            self._refuse(reason)

    def forbid(self, reason: str | None) -> None:
        """Refuse puts for ``reason`` until it is None, whatever the disk says."""
        self._forbidden = reason
        self._refuse(self._cause)

    def no_room(self, error: OSError) -> str:
        """Refuse puts for a while, why."""
        self._retry_at_ms = self._clock.monotonic_ms() + self._settings.retry_reserve_ms
        reason = f"{error.strerror or error}: {self._settings.root}"
        self._refuse(reason)
        return reason

    def note_share(self, share: float) -> None:
        """Refuse puts while the disk is too full.

        Source: DefaultMessageStore.java, isSpaceToDelete(), 5.3.3.
        """
        if self.final:
            return
        limit = self._settings.used_share_full
        if share > limit:
            self._refuse(
                f"the disk of {self._settings.root} is {share:.0%} full, writes stop at {limit:.0%}"
            )
        elif self._is_full:
            self._refuse(None)
        self._is_full = share > limit

    def try_again(self) -> str | None:
        """Why not even to try a put now; None when it may be tried."""
        if (
            self._cause is not None
            and not self.final
            and not self._is_full
            and self._clock.monotonic_ms() >= self._retry_at_ms
        ):
            self._refuse(None)
        return self.refusal
