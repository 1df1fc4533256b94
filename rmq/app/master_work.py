"""What goes on by itself in a master only, each as something that begins and ends.

Source: BrokerController.java, changeSpecialServiceStatus(), 5.3.3.
"""

from rmq.broker.schedule import Schedule
from rmq.broker.transactions.checks import Checks
from rmq.broker.transactions.endings import Endings
from rmq.broker.transactions.op_log import OpLog


class ScheduleWork:
    """Delivery of delayed messages."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def begin(self) -> None:
        """Go on where the file says: a slave has it from its master.

        :raises StoreError: the file cannot be read, nor its backup.
        """
        self._schedule.load()
        self._schedule.start()

    def stop(self) -> None:
        """Deliver no more, and save how far it got."""
        self._schedule.stop()


class TransactionWork:
    """Checks of transactions, and the log of those that have ended."""

    def __init__(self, checks: Checks, op_log: OpLog, endings: Endings) -> None:
        self._checks = checks
        self._op_log = op_log
        self._endings = endings

    def begin(self) -> None:
        """Ask producers from now on.

        What is remembered of half messages names them by their offsets, at which there may be
        others now: it is forgotten.
        """
        self._endings.clear()
        self._op_log.clear()
        self._checks.start()

    def stop(self) -> None:
        """Ask no more, and write which transactions have ended."""
        self._checks.stop()
        self._op_log.stop()
