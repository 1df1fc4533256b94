"""A broker whose role the Controllers decide: who it is, what it is told, what it proposes.

Controllers agree by Raft, for each broker group, on who is master, in which *epoch*, and on the
*SyncStateSet*: those replicas, the master included, that have every confirmed record. A new master
is always one of that set, so what all of the set have is never lost. Parts:

``identity``     the id that Controllers gave us, in files that outlive us
``controllers``  where Controllers are, which one leads, asking that one
``requests``     each question to the leader, typed
``online``       from a cold start to a role: id, registration, election
``decisions``    what Controllers decided becomes our role, newest first, one change at a time
``polling``      asking again and again what was decided, should a notice get lost
``proposals``    a master's changes of the SyncStateSet, one at a time
``heartbeats``   saying to every Controller that we live, and how far we are
``processor``    notices of the Controllers, and an operator's question

Rules. ``epoch`` only grows; of one epoch, the SyncStateSet with the greater epoch of its own is the
newer one. Nothing is accepted before the first decision of this run is carried out: a master that
was replaced while it was away learns it before any client finds it. A master that Controllers do
not hear of keeps the SyncStateSet it had, since only they can change it; so when its configuration
promises that all of that set have a message, a master that is cut off from them acknowledges
nothing more. Source: ReplicasManager.java, 5.3.3.
"""
