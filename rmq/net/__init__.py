"""All sockets, files and threads: the only package that touches the machine."""
