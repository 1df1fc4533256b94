"""Settings of the sockets, the same for a NameServer and a broker."""

from dataclasses import dataclass

from rmq.conf.machine import EVERY_PROCESSOR
from rmq.conf.settings import LONG_MAX, accepted, setting

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - RocketMQ's default; bindAddress narrows it


@dataclass(frozen=True, slots=True)
class RemotingServerConfig:
    """Listening sockets. Source: NettyServerConfig.java, 5.3.3."""

    bindAddress: str = setting(ANY_ADDRESS, "local address to listen at")
    listenPort: int = setting(
        0,
        "TCP port; a broker also listens at this port minus 2",
        minimum=0,
        maximum=65535,
        important=True,
    )
    serverWorkerThreads: int = accepted(8, "netty worker threads")
    serverCallbackExecutorThreads: int = accepted(0, "0 = 4 minimum")
    serverSelectorThreads: int = accepted(3, "selector threads")
    serverOnewaySemaphoreValue: int = accepted(256, "oneway permits")
    serverAsyncSemaphoreValue: int = accepted(64, "async permits")
    serverChannelMaxIdleTimeSeconds: int = setting(
        120, "connections silent for this long are closed", unit="s", minimum=1
    )
    serverSocketSndBufSize: int = setting(
        0,
        "kernel buffer for sending; 0: the system's choice",
        unit="bytes",
        minimum=0,
        honoured=False,
    )
    serverSocketRcvBufSize: int = setting(
        0,
        "kernel buffer for receiving; 0: the system's choice",
        unit="bytes",
        minimum=0,
        honoured=False,
    )
    writeBufferHighWaterMark: int = setting(
        0,
        "unsent bytes at which reading a connection pauses; 0: the default",
        unit="bytes",
        minimum=0,
        honoured=False,
    )
    writeBufferLowWaterMark: int = setting(
        0,
        "unsent bytes at which reading goes on; 0: the default",
        unit="bytes",
        minimum=0,
        honoured=False,
    )
    serverSocketBacklog: int = setting(
        1024, "connections that may wait to be accepted", minimum=1, honoured=False
    )
    serverNettyWorkerGroupEnable: bool = accepted(True, "server netty worker group enable")
    serverPooledByteBufAllocatorEnable: bool = accepted(
        True, "server pooled byte buf allocator enable"
    )
    enableShutdownGracefully: bool = accepted(False, "enable shutdown gracefully")
    shutdownWaitTimeSeconds: int = accepted(30, "shutdown wait time seconds")
    useEpollNativeSelector: bool = accepted(False, "use epoll native selector")


@dataclass(frozen=True, slots=True)
class RemotingClientConfig:
    """Connections to other servers. Source: NettyClientConfig.java, 5.3.3."""

    clientWorkerThreads: int = accepted(4, "client worker threads")
    clientCallbackExecutorThreads: int = accepted(
        1, "client callback executor threads", machine=EVERY_PROCESSOR
    )
    clientOnewaySemaphoreValue: int = accepted(65535, "client oneway semaphore value")
    clientAsyncSemaphoreValue: int = accepted(65535, "client async semaphore value")
    connectTimeoutMillis: int = setting(
        3000, "time to connect to another server", unit="ms", minimum=1, honoured=False
    )
    channelNotActiveInterval: int = accepted(
        60000, "channel not active interval (ms)", maximum=LONG_MAX
    )
    isScanAvailableNameSrv: bool = accepted(True, "is scan available name srv")
    clientChannelMaxIdleTimeSeconds: int = setting(
        120,
        "outgoing connections silent for this long are closed",
        unit="s",
        minimum=1,
        honoured=False,
    )
    clientSocketSndBufSize: int = accepted(0, "client socket snd buf size")
    clientSocketRcvBufSize: int = accepted(0, "client socket rcv buf size")
    clientPooledByteBufAllocatorEnable: bool = accepted(
        False, "client pooled byte buf allocator enable"
    )
    clientCloseSocketIfTimeout: bool = accepted(True, "client close socket if timeout")
    useTLS: bool = accepted(False, "use tls")
    socksProxyConfig: str = accepted("{}", "socks proxy config")
    writeBufferHighWaterMark: int = accepted(0, "write buffer high water mark")
    writeBufferLowWaterMark: int = accepted(0, "write buffer low water mark")
    disableCallbackExecutor: bool = accepted(False, "disable callback executor")
    disableNettyWorkerGroup: bool = accepted(False, "disable netty worker group")
    maxReconnectIntervalTimeSeconds: int = accepted(
        60, "max reconnect interval time seconds", maximum=LONG_MAX
    )
    enableReconnectForGoAway: bool = accepted(True, "enable reconnect for go away")
