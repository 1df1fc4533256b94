"""Who shall lead a set: the rule by which a Controller chooses among the living.

Only who is in sync may lead, since it has all that was acknowledged. Where the cluster's owner
allows an unclean master, any replica may, and what it lacks is lost.
"""

from collections.abc import Iterable

from rmq.controller.heartbeats import Liveness
from rmq.controller.state import Known


def elect(
    liveness: Liveness, known: Known, *, preferred: int | None, unclean_too: bool
) -> int | None:
    """The broker id that shall lead, the present master's too; None if nobody can.

    The present master stays if it lives, unless another is ``preferred``. A preferred broker is
    taken or nobody. Else the furthest is taken: highest epoch, then longest log, then lowest
    priority number, then lowest id.
    Source: DefaultElectPolicy.java, elect(), 5.3.3. Java compares lengths in 32 bits, and among
    equals takes any.
    """
    chosen = _elect_among(liveness, known, known.sync.members, preferred)
    if chosen is None and unclean_too:
        chosen = _elect_among(liveness, known, known.brokers.replicas, preferred)
    return chosen


def _elect_among(
    liveness: Liveness, known: Known, broker_ids: Iterable[int], preferred: int | None
) -> int | None:
    cluster, name = known.brokers.cluster_name, known.brokers.broker_name
    living = {broker_id for broker_id in broker_ids if liveness.alive(cluster, name, broker_id)}
    master_id = known.sync.master_id
    if master_id in living and preferred in (None, master_id):
        return master_id
    if preferred is not None:
        return preferred if preferred in living else None

    def rank(broker_id: int) -> tuple[int, int, int, int]:
        broker = liveness.get(cluster, name, broker_id)
        assert broker is not None, f"{broker_id} is alive"
        return (-broker.epoch, -broker.max_offset, broker.priority, broker_id)

    return min(living, key=rank, default=None)
