"""The commands: ``rmq namesrv|broker|controller|dev|shutdown``, and RocketMQ's own names for them.

Only what a command needs is imported, when it needs it: a server must be up in a second.
"""

import argparse
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmq.base.errors import ConfigError, RmqError

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from rmq.conf.settings import Machine
    from rmq.net.twisted_ports import Reactor

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
EXIT_FAILED = 1
EXIT_USAGE = 2
ROLES = ("broker", "namesrv", "controller")
MEMBERS_MAX = 9


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``rmq``; gives the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    return _guarded(lambda: options.run(options))


def mqnamesrv() -> int:
    """Run ``mqnamesrv``, exactly as ``rmq namesrv``."""
    return main(["namesrv", *sys.argv[1:]])


def mqbroker() -> int:
    """Run ``mqbroker``, exactly as ``rmq broker``."""
    return main(["broker", *sys.argv[1:]])


def mqcontroller() -> int:
    """Run ``mqcontroller``, exactly as ``rmq controller``."""
    return main(["controller", *sys.argv[1:]])


def mqshutdown() -> int:
    """Run ``mqshutdown``, exactly as ``rmq shutdown``."""
    return main(["shutdown", *sys.argv[1:]])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rmq", description="Apache RocketMQ's server side: NameServer, Broker, Controller."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    namesrv = commands.add_parser("namesrv", help="run a NameServer")
    _common(namesrv)
    namesrv.set_defaults(run=_run_namesrv)

    broker = commands.add_parser("broker", help="run a broker")
    _common(broker)
    broker.add_argument(
        "-n", "--namesrvAddr", metavar="ADDRESSES", help="NameServers, like 'a:9876;b:9876'"
    )
    broker.add_argument(
        "-m",
        "--printImportantConfig",
        action="store_true",
        help="print the important settings and exit",
    )
    broker.set_defaults(run=_run_broker)

    controller = commands.add_parser(
        "controller", help="run a Controller, which chooses the masters of broker sets"
    )
    _common(controller)
    controller.set_defaults(run=_run_controller)

    dev = commands.add_parser("dev", help="run NameServer and broker in one process")
    dev.add_argument("--namesrv-port", type=_port, default=9876, metavar="PORT")
    dev.add_argument("--broker-port", type=_port, default=10911, metavar="PORT")
    dev.add_argument("--store", default="~/.rmq/dev", metavar="DIR", help="default %(default)s")
    dev.add_argument("--in-memory", action="store_true", help="keep nothing after the end")
    dev.add_argument(
        "--bind", default="127.0.0.1", metavar="ADDRESS", help="listen here; default %(default)s"
    )
    dev.add_argument(
        "--advertise",
        default=None,
        metavar="ADDRESS|auto",
        help="the broker's address in routes; auto, the default: the one by which the client came",
    )
    dev.add_argument("-c", "--configFile", metavar="FILE", help="settings of the broker")
    dev.add_argument(
        "--dledger",
        type=_members,
        default=0,
        metavar="N",
        help="run a DLedger group of N brokers, a process each, in place of one broker",
    )
    dev.add_argument("--first-message", action="store_true", help="send and receive one, and tell")
    dev.add_argument("--once", action="store_true", help="with --first-message: exit after it")
    dev.add_argument("-v", "--verbose", action="store_true", help="log what happens")
    dev.set_defaults(run=_run_dev)

    shutdown = commands.add_parser("shutdown", help="stop the servers of a kind on this machine")
    shutdown.add_argument("role", choices=ROLES)
    shutdown.set_defaults(run=_run_shutdown)
    return parser


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--configFile", metavar="FILE", help="settings: key=value or YAML")
    parser.add_argument(
        "-p", "--printConfigItem", action="store_true", help="print all settings and exit"
    )


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r}, expected a port from 0 to 65535")
    return int(text)


def _members(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MEMBERS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r}, expected a number from 1 to {MEMBERS_MAX}")
    return int(text)


def _guarded(run: Callable[[], int]) -> int:
    """Run a command; what the user can mend is said in one line, without a traceback."""
    from twisted.internet.error import CannotListenError  # noqa: PLC0415 - see the module

    try:
        return run()
    except ConfigError as error:
        _complain(str(error))
        return EXIT_USAGE
    except (RmqError, CannotListenError, OSError) as error:
        _complain(str(error))
        return EXIT_FAILED


def _complain(text: str) -> None:
    sys.stderr.write(f"rmq: {text}\n")


def _machine() -> "Machine":
    from rmq.conf.settings import Machine  # noqa: PLC0415 - see the module
    from rmq.net.hosts import own_address, own_name  # noqa: PLC0415

    return Machine(
        host_name=own_name(),
        address=own_address(),
        home=str(Path.home()),
        processors=os.cpu_count() or 1,
        environment=dict(os.environ),
    )


def _values(path: str | None) -> dict[str, str]:
    """The settings of a file.

    :raises ConfigError: it cannot be read.
    """
    from rmq.conf.properties import parse  # noqa: PLC0415 - see the module

    if path is None:
        return {}
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration file {path}: {error}") from error
    return parse(text, path)


def _print(lines: Sequence[str]) -> int:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _log_to_stderr(level: int = logging.INFO) -> None:
    logging.basicConfig(stream=sys.stderr, level=level, format=LOG_FORMAT)


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        logging.getLogger(__name__).warning("%s", warning)


def _reactor() -> "Reactor":
    from twisted.internet import reactor  # noqa: PLC0415, TID251 - chosen once, here

    chosen: Any = reactor
    return chosen  # type: ignore[no-any-return]  # the module stands for the reactor


def _serve(start: Callable[[], None], stop: Callable[[], "Deferred[None]"]) -> int:
    """Run the reactor until SIGTERM or SIGINT, then stop cleanly; 1 if the stop failed."""
    from rmq.net.limits import raise_descriptor_limit  # noqa: PLC0415 - see the module

    raise_descriptor_limit()
    reactor = _reactor()
    failed: list[object] = []

    def shut_down() -> "Deferred[None]":
        return stop().addErrback(failed.append)

    start()
    gc.collect()
    gc.freeze()  # what is there now stays: else each full collection stops us for 25 ms
    reactor.addSystemEventTrigger("before", "shutdown", shut_down)
    reactor.run()
    for failure in failed:
        _complain(f"shutdown failed: {failure}")
    return EXIT_FAILED if failed else 0


def _run_namesrv(options: argparse.Namespace) -> int:
    from rmq.conf.startup import namesrv_settings  # noqa: PLC0415 - see the module

    settings = namesrv_settings(
        _values(options.configFile), _machine(), config_path=options.configFile or ""
    )
    if options.printConfigItem:
        return _print(settings.lines())
    _log_to_stderr()
    _warn(settings.warnings)
    from rmq.app.namesrv import NameServer  # noqa: PLC0415 - see the module
    from rmq.net.disk import RealDisk  # noqa: PLC0415

    server = NameServer(_reactor(), settings, RealDisk())

    def start() -> None:
        server.start()
        _print(server.boot_lines)
        sys.stdout.flush()

    return _serve(start, server.stop)


def _run_controller(options: argparse.Namespace) -> int:
    from rmq.conf.controller_startup import controller_settings  # noqa: PLC0415 - see the module

    path = options.configFile or ""
    settings = controller_settings(_values(options.configFile), _machine(), config_path=path)
    if options.printConfigItem:
        return _print(settings.lines())
    _log_to_stderr()
    _warn(settings.warnings)
    from rmq.app.controller import ControllerServer  # noqa: PLC0415 - see the module
    from rmq.net.disk import RealDisk  # noqa: PLC0415

    server = ControllerServer(_reactor(), settings, RealDisk())

    def start() -> None:
        server.start()
        _print([server.boot_line])
        sys.stdout.flush()

    return _serve(start, server.stop)


def _run_broker(options: argparse.Namespace) -> int:
    from rmq.conf.startup import broker_settings  # noqa: PLC0415 - see the module

    overrides = {"namesrvAddr": options.namesrvAddr} if options.namesrvAddr else {}
    settings = broker_settings(
        _values(options.configFile),
        _machine(),
        config_path=options.configFile or "",
        overrides=overrides,
    )
    if options.printConfigItem or options.printImportantConfig:
        return _print(settings.lines(important_only=not options.printConfigItem))
    _log_to_stderr()
    _warn(settings.warnings)
    from rmq.app.broker import Broker  # noqa: PLC0415 - see the module
    from rmq.app.disks import chosen_disk  # noqa: PLC0415
    from rmq.net.clock import ReactorClock  # noqa: PLC0415

    broker = Broker(_reactor(), settings, chosen_disk(settings, ReactorClock(_reactor())))

    def start() -> None:
        broker.start()
        _print([broker.boot_line])
        sys.stdout.flush()

    return _serve(start, broker.stop)


def _run_dev(options: argparse.Namespace) -> int:
    _log_to_stderr(logging.INFO if options.verbose else logging.WARNING)
    from rmq.app.dev import DevOptions, DevServer  # noqa: PLC0415 - see the module
    from rmq.app.dev_group import DevGroup  # noqa: PLC0415
    from rmq.net.children import ReactorChild  # noqa: PLC0415
    from rmq.net.disk import RealDisk  # noqa: PLC0415

    chosen = DevOptions(
        namesrv_port=options.namesrv_port,
        broker_port=options.broker_port,
        store=str(Path(options.store).expanduser()),
        in_memory=options.in_memory,
        bind=options.bind,
        advertise=options.advertise,
        first_message=options.first_message or options.once,
        once=options.once,
        dledger=options.dledger,
    )
    reactor, values = _reactor(), _values(options.configFile)
    server: DevServer | DevGroup
    if chosen.dledger:
        spawn = partial(ReactorChild, reactor)
        server = DevGroup(reactor, chosen, values, _machine(), disk=RealDisk(), spawn=spawn)
    else:
        server = DevServer(reactor, chosen, values, _machine())
    _warn(server.warnings)
    code = _serve(server.start, server.stop)
    return code or server.exit_code


def _run_shutdown(options: argparse.Namespace) -> int:
    """Ask the servers of a role to stop, in the words of RocketMQ's mqshutdown."""
    from rmq.app.shutdown import COMMANDS, running, servers  # noqa: PLC0415 - see the module

    command = COMMANDS[options.role]
    stopped = 0
    for pid in servers(options.role, running(), uid=os.getuid()):
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            continue  # it ended by itself
        _print(
            [f"The {command}({pid}) is running...", f"Send shutdown request to {command}({pid}) OK"]
        )
        stopped += 1
    if not stopped:
        _print([f"No {command} running."])
        return EXIT_FAILED
    return 0
