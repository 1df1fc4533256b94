"""Two machines, and Twisted protocols that remember."""

from twisted.internet.protocol import Factory, Protocol

from rmq.sim.network import Network
from rmq.sim.process import Machine
from rmq.sim.reactor import SimReactor
from rmq.sim.world import World


class Talker(Protocol):
    def __init__(self):
        self.seen = b""
        self.lost = None
        self.made = False

    def connectionMade(self):
        self.made = True

    def dataReceived(self, data):
        self.seen += data

    def connectionLost(self, reason):
        assert self.lost is None, "lost once"
        self.lost = reason.value


class Talkers(Factory):
    noisy = False

    def __init__(self):
        self.made = []
        self.failed = None
        self.told_lost = None

    def buildProtocol(self, addr):
        protocol = Talker()
        self.made.append(protocol)
        return protocol

    def startedConnecting(self, connector):
        self.connector = connector

    def clientConnectionFailed(self, connector, reason):
        self.failed = reason.value

    def clientConnectionLost(self, connector, reason):
        self.told_lost = reason.value


class Pair:
    """Machine ``a`` listens at port 1; machine ``b`` connects."""

    def __init__(self, seed=1):
        self.world = World(seed)
        self.network = Network(self.world)
        self.a, self.b = (
            self.machine(name, ip) for name, ip in (("a", "10.0.0.1"), ("b", "10.0.0.2"))
        )
        self.accepted, self.opened = Talkers(), Talkers()
        self.listen()

    def machine(self, name, ip):
        machine = Machine(self.world, name, ip, lambda process: None)
        self.network.add(machine)
        machine.start()
        return machine

    def reactor(self, machine):
        return SimReactor(self.network, machine.process)

    def listen(self):
        self.port = self.reactor(self.a).listenTCP(1, self.accepted)

    def connect(self, timeout=3):
        return self.reactor(self.b).connectTCP("10.0.0.1", 1, self.opened, timeout)

    def talking(self):
        """The server's and the client's end of a new connection."""
        self.connect()
        self.world.run_for(1_000)
        return self.accepted.made[-1], self.opened.made[-1]

    def run(self, milliseconds=2_000):
        self.world.run_for(milliseconds)

    def cut(self, one_way=False):
        self.network.block("10.0.0.2", "10.0.0.1")
        if not one_way:
            self.network.block("10.0.0.1", "10.0.0.2")
