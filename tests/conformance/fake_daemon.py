"""A daemon for the tests of client/python/wharf.py that says what a test tells it to.

It shares nothing with the client: what both know of the bytes stands in proto/README.md.
"""
import os
import shutil
import socket
import struct
import tempfile
import threading

HELLO, DECLARE, CALL, REPLY, ERROR, PING, PONG, GOAWAY, ITEM, UPLOAD, WINDOW, CANCEL = range(1, 13)
MORE, TIMEOUT, LAST, OF_UPLOAD = 1, 2, 4, 8
OPENING = bytes([0x89, 0x77, 0x68, 0x61, 0x72, 0x66, 0x43, 0x01])
PATIENCE = 20  # seconds; a test that needs them has failed


def frame(kind, body=b"", flags=0, number=0, id=0):
    return struct.pack("<IBBHQ", len(body), kind, flags, number, id) + body


def record(kind, value):
    return struct.pack("<HH", kind, len(value)) + value


def hello(frame_max=65536, message_max=1 << 24, stream=1 << 18, session=1 << 22):
    windows = record(4, struct.pack("<IQ", stream, session)) if stream else b""
    return frame(HELLO, record(1, b"fake") + record(2, struct.pack("<I", frame_max)) +
                 record(3, struct.pack("<Q", message_max)) + windows)


def error(number, text=b"", retry_ms=0, id=1):
    return frame(ERROR, struct.pack("<HI", number, retry_ms) + text, id=id)


def window(more, id=0, flags=0):
    return frame(WINDOW, struct.pack("<I", more), flags, id=id)


def goaway(number, text=b"", last=0):
    return frame(GOAWAY, struct.pack("<H", number) + text, id=last)


class Frame:
    def __init__(self, header, body):
        _, self.kind, self.flags, self.number, self.id = struct.unpack("<IBBHQ", header)
        self.body = body


class Peer:
    """One connection, seen from the daemon."""

    def __init__(self, sock):
        self.socket = sock
        self.names = []
        sock.settimeout(PATIENCE)

    def send(self, *frames):
        self.socket.sendall(b"".join(frames))

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def frame(self):
        """The next frame; declarations are noted on the way."""
        while True:
            header = self.read(16)
            found = Frame(header, self.read(struct.unpack_from("<I", header)[0]))
            if found.kind != DECLARE:
                return found
            assert found.number == len(self.names)
            assert found.body[0] == len(found.body) - 1
            self.names.append(found.body[1:].decode())

    def expect(self, kind):
        found = self.frame()
        assert found.kind == kind, f"kind {found.kind} came, not {kind}"
        return found

    def call(self):
        """A whole call: its first frame, with the message of all its frames."""
        found = self.expect(CALL)
        found.message = found.body[4:] if found.flags & TIMEOUT else found.body
        last = found
        while last.flags & MORE:
            last = self.expect(CALL)
            found.message += last.body
        return found

    def shake_hands(self, **limits):
        self.send(OPENING, hello(**limits))
        assert self.read(8) == OPENING
        return self.expect(HELLO)

    def at_end(self):
        """Nothing more comes: not even what the client says of a broken frame."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass


class FakeDaemon:
    """Runs scripts, a connection each: functions of a Peer. What they throw, join() throws."""

    def __init__(self, *scripts):
        self.directory = tempfile.mkdtemp()
        self.endpoint = "unix:" + os.path.join(self.directory, "socket")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.endpoint[5:])
        self.listener.listen()
        self.listener.settimeout(PATIENCE)
        self.failure = None
        self.thread = threading.Thread(target=self._run, args=(scripts,), daemon=True)
        self.thread.start()

    def _run(self, scripts):
        try:
            for script in scripts:
                sock, _ = self.listener.accept()
                with sock:
                    script(Peer(sock))
        except BrokenPipeError:
            pass  # the client had no patience, which is for the client's side of the test
        except BaseException as e:
            self.failure = e

    def join(self):
        self.thread.join(PATIENCE)
        stuck = self.thread.is_alive()
        self.listener.close()
        shutil.rmtree(self.directory)
        if self.failure is not None:
            raise self.failure
        assert not stuck, "the daemon's script did not end"
