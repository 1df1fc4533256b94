"""Slaves that act as master while there is none (``enableSlaveActingMaster``), in classic mode.

The brokers of one name are told apart by their ids: 0 is the master's. Each asks the NameServers
every ``syncBrokerMemberGroupPeriod`` who lives, and NameServers tell of a new smallest id at once
(``group``, ``acting``). A slave that has the smallest id, there being no master, *acts*: clients
are shown it as the master, it may be read, its locks and offsets count. It takes no messages. What
only masters do of themselves it does as well, delivering delayed messages and seeing to half
messages; but what would have to be put *escapes* to the master of another name (``escape``,
``halves``), if ``enableRemoteEscape`` is set; else it waits for a master.

A broker whose group is to have more than one (``totalReplicas``) comes on line in steps
(``online``): nobody is told of it before, if it is the master, the slaves follow it and it has the
offsets that were committed in its absence; if it is a slave, it follows.

Source: BrokerController.java, updateMinBroker(); BrokerPreOnlineService.java; EscapeBridge.java,
5.3.3.
"""
