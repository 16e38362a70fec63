"""A bucket on an S3 server of our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pyarrow import fs


@contextmanager
def bucket() -> Iterator[tuple[fs.FileSystem, str]]:
    """Yields a file system that has a bucket named `bucket`, and the server's `host:port`."""
    moto = pytest.importorskip("moto.server", reason="no S3 server: pip install 'moto[server]'")
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    storage = fs.S3FileSystem(
        endpoint_override=f"{host}:{port}",
        scheme="http",
        access_key="x",
        secret_key="x",
        region="us-east-1",
        allow_bucket_creation=True,
        connect_timeout=60,  # 1 s and 3 s by default; what is tried again may fail, as it was done
        request_timeout=60,
    )
    storage.create_dir("bucket")
    try:
        yield storage, f"{host}:{port}"
    finally:
        server.stop()
