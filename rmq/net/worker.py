"""Threads for what blocks: syncs of files."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from rmq.net.twisted_ports import Reactor


class ThreadWorker:
    """Runs blocking calls in a few threads of their own; they see bytes, never tables."""

    def __init__(self, reactor: Reactor, threads: int = 2) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(minthreads=0, maxthreads=threads, name="disk")

    def start(self) -> None:
        """Be ready; threads start when first needed."""
        self._pool.start()

    def stop(self) -> None:
        """Wait for what runs, then end the threads."""
        self._pool.stop()

    def run(self, call: Callable[[], None]) -> Deferred[None]:
        """Run ``call`` in a thread; fires, or fails, in the reactor's."""
        return deferToThreadPool(self._reactor, self._pool, call)  # type: ignore[arg-type]  # a zope interface
