"""Worker processes, in which plug-ins run with ``isolation=process``.

Private. The server starts :mod:`sheetbend.worker.bootstrap` with the interpreter of the worker, which may belong to
another environment: of this package only pure Python is used in there, and of others only pyarrow. The worker connects
to a Unix socket and answers one request at a time. ``crates/datasource/src/worker/protocol.rs`` has the messages.
"""
