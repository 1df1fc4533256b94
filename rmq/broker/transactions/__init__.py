"""Transactional messages: stored first where no consumer looks, shown or dropped later.

A *half message* waits in ``RMQ_SYS_TRANS_HALF_TOPIC`` with its real topic and queue among its
properties. Its producer then ends the transaction (END_TRANSACTION): a commit stores the message
again where it belongs, a rollback does not; both are noted in an *op message* (``op_log``), by
which the half message counts as done. A half message that nobody ended in time is asked about
(``checks``): it is put back at the end of its queue, and a producer of its group is told.

::

    half --- commit ----> final record, then op
      |  --- rollback --> op
      '- too old ------> half, put back, one check more, and a question to a producer of the group
                          after transactionCheckMax checks: TRANS_CHECK_MAX_TIME_TOPIC

A crash may come between any two of these. Each step is written before the one that relies on it,
so the half message stays or its outcome does; what was committed before the crash but not noted
is found by the index (``half.is_committed``) and not delivered a second time, as it is in Java.
Source: TransactionalMessageServiceImpl.java, TransactionalMessageBridge.java, 5.3.3.
"""
