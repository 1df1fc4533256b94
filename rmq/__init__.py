"""Apache RocketMQ's server side: NameServer and Broker, on Twisted.

Layers, each importing only from below it:
cli, app, (net, namesrv, broker), remoting, store, conf, base, codec.
"""

__version__ = "0.1.0"
