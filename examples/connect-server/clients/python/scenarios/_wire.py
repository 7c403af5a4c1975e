"""HTTP by hand, so that anything can be sent: a socket, bytes, and as little as is needed to read an answer."""

import json
import os
import socket
from urllib.parse import urlparse

server = urlparse(os.environ["SUITE_SERVER"])
KEY = os.environ["SEAM_API_KEY"]
OTHER_KEY = os.environ["SUITE_OTHER_KEY"]


class Answer:
    def __init__(self, status, headers, content):
        self.status, self.headers, self.content = status, headers, content

    @property
    def body(self):
        return json.loads(self.content)

    def __repr__(self):
        return f"{self.status} {self.content[:300]!r}"


def connect(timeout=20):
    connection = socket.create_connection((server.hostname, server.port), timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def head(verb, path, length=None, key=KEY, **headers):
    """Request line and headers; a name is written with `_` for `-`."""
    lines = [f"{verb} {path} HTTP/1.1", f"host: {server.hostname}:{server.port}"]
    if key:
        lines.append(f"authorization: Bearer {key}")
    if length is not None:
        lines.append(f"content-length: {length}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read(stream):
    """One answer from a buffered reader; None when the server closed without one."""
    line = stream.readline()
    if not line:
        return None
    status = int(line.split()[1])
    headers = {}
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    if status == 100:
        return read(stream)
    if headers.get("transfer-encoding") == "chunked":
        content = b""
        while size := int(stream.readline().split(b";")[0], 16):
            content += stream.read(size)
            stream.readline()
        stream.readline()
    else:
        content = stream.read(int(headers.get("content-length", 0)))
    return Answer(status, headers, content)


class Line:
    """A connection that is kept; it is opened again when the server has closed it."""

    def __init__(self):
        self.open()

    def open(self):
        self.socket = connect()
        self.stream = self.socket.makefile("rb")

    def close(self):
        self.stream.close()
        self.socket.close()

    def ask(self, verb, path, content=None, key=KEY, **headers):
        if content is not None and not isinstance(content, bytes):
            content = json.dumps(content).encode()
        if content is not None:
            headers.setdefault("content_type", "application/json")
        message = head(verb, path, None if content is None else len(content), key, **headers) + (content or b"")
        try:
            self.socket.sendall(message)
            answer = read(self.stream)
        except OSError:
            answer = None
        if answer is None:
            self.close()
            self.open()
            self.socket.sendall(message)
            answer = read(self.stream)
        assert answer is not None, f"{verb} {path[:80]}: closed without an answer"
        if answer.headers.get("connection") == "close":
            self.close()
            self.open()
        return answer


def once(message, timeout=20, shut=False):
    """Sends bytes on a connection of their own and reads what comes, while still sending: a server may answer before the end of a long body."""
    with connect(timeout) as connection, connection.makefile("rb") as stream:
        try:
            connection.sendall(message)
            if shut:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        try:
            return read(stream)
        except OSError:
            return None
