"""Requests and answers without I/O: connections, dispatch to handlers, calls to peers.

Words: a *frame* is one length-prefixed unit of the stream; a *command* is what it says; a *request*
is a command to be answered by a *handler* of a *processor*; a *channel* is a live connection.
"""
