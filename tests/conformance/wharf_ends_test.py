"""How calls and connections of wharf.py end, and the program that it is."""
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from wharf_case import ROOT, Case, fake, wharf


class Ends(Case):
    def test_a_deadline_cancels_the_call_and_keeps_the_connection(self):
        def script(peer):
            slow = peer.call()
            self.assertEqual(peer.expect(fake.CANCEL).id, slow.id)
            peer.send(fake.frame(fake.REPLY, b'"late"', id=slow.id))
            peer.send(fake.frame(fake.REPLY, b'"next"', id=peer.call().id))

        client = self.client(script)
        self.assert_error("deadline_exceeded", client.call, "test.slow", timeout=0.05)
        self.assertEqual(client.call("test.a"), "next")

    def test_what_has_arrived_counts_however_late_it_is_asked_for(self):
        sent = threading.Event()

        def script(peer):
            peer.send(fake.frame(fake.REPLY, b"1", id=peer.call().id))
            sent.set()

        client = self.client(script)
        future = client.start("test.a", timeout=fake.PATIENCE)
        sent.wait(fake.PATIENCE)
        future._call.deadline = time.monotonic() - 1
        self.assertEqual(future.result(), 1)

    def test_a_result_that_is_not_there_yet_can_be_asked_for_again(self):
        asked = threading.Event()

        def script(peer):
            id = peer.call().id
            asked.wait(fake.PATIENCE)
            peer.send(fake.frame(fake.REPLY, b"1", id=id))

        future = self.client(script).start("test.a")
        with self.assertRaises(TimeoutError) as caught:
            future.result(timeout=0.01)
        self.assertNotIsInstance(caught.exception, wharf.Error)
        asked.set()
        self.assertEqual([future.result(), future.result()], [1, 1])

    def test_a_cancelled_call_tells_the_daemon(self):
        def script(peer):
            id = peer.call().id
            self.assertEqual(peer.expect(fake.CANCEL).id, id)

        future = self.client(script).start("test.a")
        future.cancel()
        self.assert_error("cancelled", future.result)

    def test_a_daemon_without_cancel_is_not_sent_one(self):
        def script(peer):
            slow = peer.call()
            self.assertEqual(peer.call().id, 2)
            peer.send(fake.frame(fake.REPLY, b"1", id=slow.id), fake.frame(fake.REPLY, b"2", id=2))

        client = self.client(script, stream=0)
        self.assert_error("deadline_exceeded", client.call, "test.slow", timeout=0.01)
        self.assert_error("unsupported_protocol", client.stream, "test.a")
        self.assertEqual(client.call("test.a"), 2)

    def test_an_interrupt_cancels_the_call_and_keeps_the_connection(self):
        def script(peer):
            slow = peer.call()
            while not client._link._is_receiving:
                pass  # it is about to wait
            os.kill(os.getpid(), signal.SIGINT)
            self.assertEqual(peer.expect(fake.CANCEL).id, slow.id)
            peer.send(fake.error(105, id=slow.id))
            peer.send(fake.frame(fake.REPLY, b"1", id=peer.call().id))

        client = self.client(script)
        self.assertRaises(KeyboardInterrupt, client.call, "test.slow")
        self.assertEqual(client.call("test.a"), 1)

    def test_a_lost_connection_raises_and_the_next_call_connects_again(self):
        def first(peer):
            peer.call()

        def second(peer):
            self.assertEqual(peer.call().id, 1)
            peer.send(fake.frame(fake.REPLY, b"1", id=1))

        client = self.client(first, second)
        e = self.assert_error("outcome_unknown", client.call, "test.a")
        self.assertIsInstance(e, ConnectionError)
        self.assertEqual(client.call("test.a"), 1)

    def test_a_connection_that_was_closed_meanwhile_is_not_used(self):
        def first(peer):
            peer.send(fake.frame(fake.REPLY, b"1", id=peer.call().id))

        def second(peer):
            peer.send(fake.frame(fake.REPLY, b"2", id=peer.call().id))

        client = self.client(first, second)
        self.assertEqual(client.call("test.a"), 1)
        select.select([client._link._socket], [], [], fake.PATIENCE)  # its end has come
        self.assertEqual(client.call("test.a"), 2)

    def test_a_goaway_answers_what_was_accepted_and_no_more(self):
        first = []

        def goes(peer):
            self.assertEqual([peer.call().id for _ in range(3)], [1, 2, 3])
            peer.send(fake.goaway(81, b"stopping", 2))
            first.append(fake.Peer(peer.socket.dup()))

        def comes(peer):
            peer.send(fake.frame(fake.REPLY, b"4", id=peer.call().id))
            first[0].send(fake.frame(fake.REPLY, b"2", id=2), fake.frame(fake.REPLY, b"1", id=1))
            first[0].socket.close()

        client = self.client(goes, comes)
        futures = [client.start("test.a") for _ in range(3)]
        e = self.assert_error("going_away", futures[2].result)
        self.assertIn("stopping", e.text)
        self.assertEqual(client.call("test.a"), 4)
        self.assertEqual([futures[0].result(), futures[1].result()], [1, 2])

    def test_a_connection_that_is_lost_behind_a_goaway_says_why_it_went(self):
        def script(peer):
            peer.call()
            peer.send(fake.goaway(54, b"too late", 1))

        e = self.assert_error("outcome_unknown", self.client(script).call, "test.a")
        self.assertIn("too late", e.text)

    def test_a_call_that_did_not_leave_was_not_done(self):
        call_came = threading.Event()

        def script(peer):
            peer.read(16)
            call_came.wait(fake.PATIENCE)

        client = self.client(script)
        large = client.start("test.a", "x" * (8 << 20))  # more than the system buffers
        small = client.start("test.a")
        call_came.set()
        self.assert_error("outcome_unknown", large.result)
        self.assert_error("not_connected", small.result)

    def test_a_refusal_before_the_hello_is_what_connecting_raises(self):
        def script(peer):
            peer.send(fake.OPENING, fake.goaway(101, b"uid 7"))

        e = self.assert_error("permission_denied", wharf.connect, self.daemon(script).endpoint)
        self.assertEqual(e.text, "uid 7")

    def test_a_daemon_without_hello_takes_no_longer_than_the_deadline(self):
        done = threading.Event()

        def script(peer):
            peer.send(fake.OPENING)
            done.wait(fake.PATIENCE)

        daemon = self.daemon(script)
        self.assert_error("deadline_exceeded", wharf.connect, daemon.endpoint, timeout=0.05)
        done.set()

    def test_a_daemon_that_gives_no_sign_of_life_is_given_up(self):
        self.addCleanup(setattr, wharf, "PING_SECONDS", wharf.PING_SECONDS)
        self.addCleanup(setattr, wharf, "PONG_SECONDS", wharf.PONG_SECONDS)
        wharf.PING_SECONDS = wharf.PONG_SECONDS = 0.05

        def script(peer):
            id = peer.call().id
            peer.send(fake.frame(fake.PONG, peer.expect(fake.PING).body))  # alive, for once
            peer.send(fake.frame(fake.ITEM, b"1", id=id))
            peer.expect(fake.PING)
            peer.at_end()

        stream = self.client(script).stream("test.a")
        self.assertEqual(next(stream), 1)
        e = self.assert_error("outcome_unknown", next, stream)
        self.assertIn("no sign of life", e.text)

    def test_a_resolver_that_hangs_takes_no_longer_than_the_deadline(self):
        done = threading.Event()
        self.addCleanup(setattr, socket, "getaddrinfo", socket.getaddrinfo)

        def look_up(*_, **__):
            done.wait(fake.PATIENCE)
            raise OSError

        socket.getaddrinfo = look_up
        self.assert_error("deadline_exceeded", wharf.connect, "host.example:1", timeout=0.05)
        done.set()

    def test_a_host_that_does_not_answer_takes_no_longer_than_the_deadline(self):
        class Silent(socket.socket):
            def connect(self, address):
                if self.gettimeout() is not None and 0 < self.gettimeout() <= 5:
                    raise TimeoutError("timed out")

        self.addCleanup(setattr, socket, "socket", socket.socket)
        socket.socket = Silent
        e = self.assert_error("deadline_exceeded", wharf.connect, "127.0.0.1:9", timeout=5)
        self.assertIn("127.0.0.1:9", e.text)

    def test_who_waits_for_the_connection_of_another_keeps_its_deadline(self):
        opened, done = threading.Event(), threading.Event()

        def script(peer):
            opened.set()
            done.wait(fake.PATIENCE)

        client = wharf.Client(self.daemon(script).endpoint, timeout=fake.PATIENCE)
        failed = []

        def connect():
            try:
                client.connect()
            except wharf.ConnectionLost as e:
                failed.append(e)

        other = threading.Thread(target=connect)
        other.start()
        opened.wait(fake.PATIENCE)
        self.assert_error("deadline_exceeded", client.call, "test.a", timeout=0.05)
        self.assertEqual(failed, [])  # it still waits
        done.set()
        other.join()
        self.assertEqual(len(failed), 1)

    def test_nobody_listening_is_an_error_at_once(self):
        e = self.assert_error("connection_refused", wharf.connect, "unix:/nowhere/at/all")
        self.assertIn("unix:/nowhere/at/all", e.text)

    def test_endpoints(self):
        self.assertEqual(wharf._parse_endpoint("unix:/a"), "/a")
        self.assertEqual(wharf._parse_endpoint("UNIX:@a"), "\0a")
        self.assertEqual(wharf._parse_endpoint("[::1%lo]:7040"), ("::1%lo", 7040))
        self.assertEqual(wharf._parse_endpoint("host.example:1"), ("host.example", 1))
        for text in ("", "host", ":7", "host:", "host:65536", "::1:70", "unix:", "unix:a\0b",
                     "unix:" + "a" * 108, "host:٧", "host:1 "):
            self.assert_error("bad_endpoint", wharf._parse_endpoint, text)

    def test_without_an_endpoint_the_environment_is_asked(self):
        before = os.environ.pop("WHARF_ENDPOINT", None)
        try:
            self.assertEqual(wharf.Client().endpoint, "unix:/run/wharf/wharf.sock")
            os.environ["WHARF_ENDPOINT"] = "unix:/a"
            self.assertEqual(wharf.Client().endpoint, "unix:/a")
        finally:
            os.environ.pop("WHARF_ENDPOINT", None)
            if before is not None:
                os.environ["WHARF_ENDPOINT"] = before

    def test_a_closed_client_ends_its_calls(self):
        waits = threading.Event()

        def script(peer):
            peer.call()
            waits.set()
            peer.at_end()

        client, ended = self.client(script), []

        def run():
            try:
                client.call("test.a")
            except wharf.Error as e:
                ended.append(e.code)

        thread = threading.Thread(target=run)
        thread.start()
        waits.wait(fake.PATIENCE)
        client.close()
        thread.join(fake.PATIENCE)
        self.assertEqual(ended, ["cancelled"])
        self.assert_error("cancelled", client.call, "test.a")

    def test_behind_a_fork_a_client_refuses(self):
        client = self.client(lambda peer: peer.send(
            fake.frame(fake.REPLY, b"1", id=peer.call().id)))
        child = os.fork()
        if child == 0:
            try:
                client.call("test.a")
                os._exit(1)
            except wharf.Error as e:
                client.close()
                os._exit(0 if e.code == "not_connected" else 2)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(client.call("test.a"), 1)


class Shell(Case):
    def run_program(self, *arguments, lines="", script=None):
        """Of a daemon that answers as the script does, or of none: exit code, output, errors."""
        endpoint = "unix:/nowhere/at/all"
        if script is not None:
            def open(peer):
                peer.shake_hands()
                script(peer)
            endpoint = self.daemon(open).endpoint
        ended = subprocess.run([sys.executable, "-B", wharf.__file__, "--endpoint", endpoint,
                                *arguments], input=lines, capture_output=True, text=True,
                               timeout=fake.PATIENCE)
        return ended.returncode, ended.stdout, ended.stderr

    def test_a_call_prints_its_reply(self):
        def script(peer):
            call = peer.call()
            self.assertEqual((peer.names, call.message), (["test.a+json"], b'{"b":[1]}'))
            peer.send(fake.frame(fake.REPLY, b'{"c": "\\u001b"}', id=1))

        self.assertEqual(self.run_program("call", "test.a", '{"b": [1]}', script=script),
                         (0, '{"c": "\\u001b"}\n', ""))

    def test_a_stream_prints_a_line_for_each_item_and_sends_those_it_reads(self):
        def script(peer):
            peer.call()
            items = [peer.expect(fake.UPLOAD).body for _ in range(3)]
            self.assertEqual(items, [b"1", b'"a"', b""])
            peer.send(fake.frame(fake.ITEM, b"7", id=1), fake.frame(fake.ITEM, b"8", id=1),
                      fake.frame(fake.REPLY, b"9", id=1))

        self.assertEqual(self.run_program("stream", "test.a", "--upload", lines='1\n\n"a"\n',
                                          script=script), (0, "7\n8\n9\n", ""))

    def test_errors_are_said_and_are_the_exit_code(self):
        code, output, errors = self.run_program(
            "call", "test.a", script=lambda peer: peer.send(fake.error(106, b"a\x1b", 0,
                                                                       peer.call().id)))
        self.assertEqual((code, output, errors), (1, "", "wharf.py: bad_argument: a\\x1b\n"))
        code, _, errors = self.run_program("commands")
        self.assertEqual((code, errors[:29]), (1, "wharf.py: connection_refused:"))
        code, _, errors = self.run_program("call", "test.a", "{", script=lambda peer: peer.at_end())
        self.assertEqual((code, errors[:19]), (2, "wharf.py: not JSON:"))


class Page(unittest.TestCase):
    def test_the_errors_are_those_of_the_specification(self):
        with open(os.path.join(ROOT, "proto", "README.md"), encoding="utf-8") as page:
            rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", page.read(), re.M)
        self.assertEqual({int(number): name for number, name in rows}, wharf.CODES)


if __name__ == "__main__":
    unittest.main()
