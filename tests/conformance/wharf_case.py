"""What the tests of wharf.py share: a client of a fake daemon, and a conversation without one."""
import os
import sys
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "client", "python"))

import fake_daemon as fake  # noqa: E402
import wharf  # noqa: E402


class Case(unittest.TestCase):
    def daemon(self, *scripts):
        daemon = fake.FakeDaemon(*scripts)
        self.addCleanup(daemon.join)
        return daemon

    def client(self, *scripts, **limits):
        """A client of a daemon that has shaken hands before each script begins."""

        def open(script):
            def run(peer):
                peer.hello = peer.shake_hands(**limits)
                script(peer)
            return run

        client = wharf.connect(self.daemon(*map(open, scripts)).endpoint, timeout=fake.PATIENCE)
        self.addCleanup(client.close)
        return client

    def assert_error(self, code, function, *arguments, **named):
        with self.assertRaises(wharf.Error) as caught:
            function(*arguments, **named)
        self.assertEqual(caught.exception.code, code, str(caught.exception))
        return caught.exception


def opened(message_bytes_max=wharf.MESSAGE_BYTES_MAX, **limits):
    """A conversation behind the handshake, with nothing to send."""
    talk = wharf._Conversation("test", message_bytes_max)
    talk.receive(fake.OPENING + fake.hello(**limits))
    unsent(talk)
    return talk


def unsent(talk):
    data = b""
    while chunk := bytes(talk.unsent()):
        data += chunk
        talk.sent(len(chunk))
    return data


def called(is_stream=True, **limits):
    """A conversation with a call in flight."""
    talk, call = opened(**limits), wharf._Call(is_stream)
    talk.call("test.a", b"{}", call, None)
    unsent(talk)
    return talk, call
