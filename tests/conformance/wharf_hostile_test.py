"""What wharf.py holds and does for a daemon that does not behave."""
import random
import struct
import threading
import unittest

from wharf_case import Case, called, fake, opened, unsent, wharf


class Asked(Case):
    """What a daemon may ask of a client."""

    def test_a_ping_is_answered(self):
        def script(peer):
            peer.call()
            peer.send(fake.frame(fake.PING, b"01234567"))
            self.assertEqual(peer.expect(fake.PONG).body, b"01234567")
            peer.send(fake.frame(fake.REPLY, b"1", id=1))

        self.assertEqual(self.client(script).call("test.a"), 1)

    def test_calls_of_the_daemon_are_answered_unknown_command(self):
        def script(peer):
            peer.call()
            peer.send(fake.frame(fake.DECLARE, b"\x06test.b"),
                      fake.frame(fake.CALL, b"x" * 100, fake.MORE, id=1),
                      fake.frame(fake.CALL, b"rest", id=1),
                      fake.frame(fake.UPLOAD, b"x", id=1),
                      fake.frame(fake.CANCEL, id=1),
                      fake.frame(fake.CALL, id=5))
            for id in (1, 5):
                answer = peer.expect(fake.ERROR)
                self.assertEqual((answer.id, struct.unpack_from("<H", answer.body)[0]), (id, 100))
            peer.send(fake.frame(fake.REPLY, b"1", id=1))

        self.assertEqual(self.client(script).call("test.a"), 1)

    def test_pings_of_a_daemon_that_does_not_read_are_answered_together(self):
        talk = opened()
        talk.unsent_bytes += wharf.QUIET_BYTES + 1  # that it does not read
        for i in range(1000):
            talk.receive(fake.frame(fake.PING, struct.pack("<Q", i)))
        self.assertEqual(unsent(talk), b"")
        talk.sent(wharf.QUIET_BYTES + 1)
        self.assertEqual(unsent(talk), fake.frame(fake.PONG, struct.pack("<Q", 999)))

    def test_calls_of_a_daemon_that_does_not_read_end_the_conversation(self):
        talk = opened()
        talk.unsent_bytes += wharf.QUIET_BYTES + 1
        with self.assertRaises(wharf._Broken) as caught:
            for i in range(1, 100000):
                talk.receive(fake.frame(fake.CALL, id=i))
        self.assertEqual(caught.exception.code, "slow_reader")
        self.assertLess(talk.unsent_bytes, 1 << 20)


class Limits(Case):
    def test_no_call_follows_a_goaway(self):
        talk, _ = called()
        talk.receive(fake.goaway(81, b"stopping", 1))
        e = self.assert_error("going_away", talk.call, "test.a", b"{}", wharf._Call(False), None)
        self.assertEqual(unsent(talk), b"")
        self.assertEqual(len(talk.calls), 1)
        self.assertIn("stopping", str(e))

    def test_names_are_declared_up_to_the_limit(self):
        talk = opened()
        for i in range(wharf.COMMANDS_MAX):
            talk.call(f"test.{i}", b"{}", wharf._Call(False), None)
        unsent(talk)
        self.assert_error("session_limit", talk.call, "test.more", b"{}", wharf._Call(False), None)
        self.assertEqual(unsent(talk), b"")
        talk.call("test.7", b"{}", wharf._Call(False), None)
        self.assertNotEqual(unsent(talk), b"")

    def test_windows_wait_while_much_is_unsent(self):
        talk, call = called()
        talk.unsent_bytes += wharf.QUIET_BYTES + 1  # that the daemon does not read
        for _ in range(4):
            talk.receive(fake.frame(fake.ITEM, b"x" * 65520, id=1))
            talk.take_item(call)
        self.assertEqual(unsent(talk), b"")
        talk.sent(wharf.QUIET_BYTES + 1)
        self.assertEqual(unsent(talk), fake.window(4 * 65536, 1))


class Hostile(Case):
    def broken_by(self, data, talk=None):
        with self.assertRaises(wharf._Broken) as caught:
            (talk or called()[0]).receive(data)
        return caught.exception.code

    def test_the_opening(self):
        fresh = lambda: wharf._Conversation("test", 1 << 20)
        for i in range(7):
            wrong = fake.OPENING[:i] + bytes([fake.OPENING[i] ^ 1])
            self.assertEqual(self.broken_by(wrong, fresh()), "bad_protocol")  # at this very byte
        self.assertEqual(self.broken_by(fake.OPENING[:7] + b"\x02", fresh()),
                         "unsupported_protocol")
        self.assertEqual(self.broken_by(b"HTTP/1.1 400 Bad Request\r\n", fresh()), "bad_protocol")

    def test_hellos(self):
        two = fake.record(2, struct.pack("<I", 65536))
        three = fake.record(3, struct.pack("<Q", 1))
        windows = lambda *sizes: fake.record(4, struct.pack("<IQ", *sizes))
        for body in (b"", two, three, two + two + three, two + three + b"\x09",
                     two + three + b"\1\0\5\0",
                     fake.record(2, b"123") + three, two + fake.record(3, b"1"),
                     fake.record(2, struct.pack("<I", 2047)) + three,
                     two + three + fake.record(1, b"x" * 128), two + three + windows(0, 1),
                     two + three + windows(1, 0), two + three + windows(1, 1 << 63),
                     two + three + fake.record(4, b"x" * 11)):
            talk = wharf._Conversation("test", 1 << 20)
            self.assertEqual(self.broken_by(fake.OPENING + fake.frame(fake.HELLO, body), talk),
                             "bad_frame", body)
        talk = wharf._Conversation("test", 1 << 20)
        later = fake.record(77, b"later") + fake.record(4, struct.pack("<IQB", 1, 1, 9))
        talk.receive(fake.OPENING + fake.frame(fake.HELLO, two + three + later))
        self.assertTrue(talk.is_open)

    def test_before_the_hello(self):
        fresh = lambda: wharf._Conversation("test", 1 << 20)
        for early in (fake.frame(fake.REPLY, id=1), fake.frame(fake.PING, bytes(8)),
                      fake.frame(fake.CALL, id=1), fake.frame(fake.DECLARE, b"\1a")):
            self.assertEqual(self.broken_by(fake.OPENING + early, fresh()), "bad_frame")
        large = struct.pack("<IBBHQ", 5000, fake.HELLO, 0, 0, 0)
        self.assertEqual(self.broken_by(fake.OPENING + large, fresh()), "frame_limit")
        many = fake.goaway(81, b"x" * 1000) * 5
        self.assertEqual(self.broken_by(fake.OPENING + many, fresh()), "frame_limit")

    def test_headers(self):
        header = lambda *fields: struct.pack("<IBBHQ", *fields)
        for data, code in (
                (header(65537, fake.REPLY, 0, 0, 1), "frame_limit"),
                (header(0xffffffff, fake.REPLY, 0, 0, 1), "frame_limit"),
                (header(0, 0, 0, 0, 0), "bad_frame"),
                (header(0, 13, 0, 0, 1), "bad_frame"),
                (header(0, 255, 0, 0, 1), "bad_frame"),
                (header(0, fake.REPLY, 2, 0, 1), "bad_frame"),
                (header(0, fake.REPLY, 16, 0, 1), "bad_frame"),
                (header(0, fake.REPLY, 0, 1, 1), "bad_frame"),
                (header(0, fake.REPLY, 0, 0, 0), "bad_frame"),
                (header(0, fake.REPLY, fake.MORE, 0, 1), "bad_frame"),
                (header(8, fake.PING, 0, 0, 1), "bad_frame"),
                (header(7, fake.PING, 0, 0, 0), "bad_frame"),
                (header(9, fake.PONG, 0, 0, 0), "bad_frame"),
                (header(5, fake.ERROR, 0, 0, 1), "bad_frame"),
                (header(1031, fake.ERROR, 0, 0, 1), "bad_frame"),
                (header(1, fake.GOAWAY, 0, 0, 0), "bad_frame"),
                (header(1027, fake.GOAWAY, 0, 0, 0), "bad_frame"),
                (header(3, fake.WINDOW, 0, 0, 1), "bad_frame"),
                (header(4, fake.WINDOW, fake.OF_UPLOAD, 0, 0), "bad_frame"),
                (header(1, fake.CANCEL, 0, 0, 1), "bad_frame"),
                (header(3, fake.CALL, fake.TIMEOUT, 0, 1), "bad_frame"),
                (header(4, fake.CALL, fake.TIMEOUT | fake.MORE, 0, 1), "bad_frame"),
                (header(1, fake.UPLOAD, fake.LAST | fake.MORE, 0, 1), "bad_frame"),
                (fake.hello(), "bad_frame")):
            self.assertEqual(self.broken_by(data), code, data)  # by the header alone
        talk, _ = called(is_stream=False, stream=0)
        self.assertEqual(self.broken_by(fake.frame(fake.ITEM, b"1", id=1), talk), "bad_frame")

    def test_answers(self):
        for data in (fake.frame(fake.REPLY, b"1", id=2), fake.error(103, id=2),
                     fake.frame(fake.ITEM, b"1", id=2), fake.window(1, 2, fake.OF_UPLOAD),
                     fake.window(0), fake.window(0, 1, fake.OF_UPLOAD),
                     fake.frame(fake.REPLY, id=1) + fake.frame(fake.ITEM, b"1", id=1),
                     fake.frame(fake.ITEM, b"1", fake.MORE, id=1) + fake.frame(fake.REPLY, id=1),
                     fake.frame(fake.REPLY, b"1", fake.MORE, id=1) + fake.frame(fake.ITEM, id=1)):
            self.assertEqual(self.broken_by(data), "bad_frame", data)
        talk, call = called()
        talk.receive(fake.frame(fake.REPLY, b"1", id=1) * 3 + fake.error(103, id=1))
        self.assertEqual((call.reply, call.error), (b"1", None))  # the first counts

    def test_windows(self):
        most = (1 << 31) - (1 << 18)
        talk, call = called()
        talk.receive(fake.window(most, 1, fake.OF_UPLOAD))
        self.assertEqual(call.may_send, 1 << 31)
        self.assertEqual(self.broken_by(fake.window(1, 1, fake.OF_UPLOAD), talk), "window_exceeded")
        self.assertEqual(self.broken_by(fake.window(1 << 31)), "window_exceeded")

    def test_items_without_credit(self):
        item = fake.frame(fake.ITEM, b"x" * 65520, id=1)
        talk, call = called()
        talk.receive(item * 4)
        self.assertEqual(self.broken_by(item, talk), "window_exceeded")
        self.assertEqual(len(call.items), 4)
        empty = fake.frame(fake.ITEM, id=1)
        self.assertEqual(self.broken_by(empty * (1 + (1 << 18) // 16)), "window_exceeded")

    def test_items_beyond_the_credit_of_the_session(self):
        talk = opened(message_bytes_max=1 << 16)
        calls = [wharf._Call(True) for _ in range(40)]
        for call in calls:
            talk.call("test.a", b"{}", call, None)
        with self.assertRaises(wharf._Broken) as caught:
            for call in calls:
                talk.receive(fake.frame(fake.ITEM, b"x" * 65520, id=call.id) * 4)
        self.assertEqual(caught.exception.code, "window_exceeded")
        self.assertLess(sum(len(call.items) for call in calls) * 65536, 5 << 20)

    def test_messages_larger_than_the_limit(self):
        part = fake.frame(fake.REPLY, b"x" * 65536, fake.MORE, id=1)
        talk, call = called(message_bytes_max=1 << 20)
        talk.receive(part * 16)
        self.assertFalse(call.is_over)
        talk.receive(part)
        self.assertEqual(call.error.code, "message_limit")
        self.assertEqual(talk.partial_bytes, 0)
        self.assertIn(fake.frame(fake.CANCEL, id=1), unsent(talk))
        talk.receive(part * 100)  # what was on its way is dropped
        self.assertEqual(talk.partial_bytes, 0)
        talk.receive(fake.frame(fake.REPLY, id=1))
        self.assertEqual(talk.calls, {})
        talk, call = called(message_bytes_max=1 << 17)
        talk.receive(fake.frame(fake.ITEM, b"x" * 65536, fake.MORE, id=1) * 3)
        self.assertEqual(call.error.code, "message_limit")

    def test_many_messages_in_parts(self):
        talk = opened()
        calls = [wharf._Call(False) for _ in range(10)]
        for call in calls:
            talk.call("test.a", b"{}", call, None)
        for _ in range(200):
            for call in calls:
                talk.receive(fake.frame(fake.REPLY, b"x" * 65536, fake.MORE, id=call.id))
                self.assertLessEqual(talk.partial_bytes, wharf.PARTIAL_BYTES_MAX)
        self.assertEqual({call.error.code for call in calls if call.error}, {"message_limit"})

    def test_replies_that_are_not_json(self):
        for body in (b"{", b"1 2", b"\xff", b'"\xff"', b"NaN", b"-Infinity", b"[" * 60000,
                     b"1" * 5000, b"\x00", b"nul"):
            def script(peer):
                peer.call()
                peer.send(fake.frame(fake.REPLY, body, id=1))
                peer.send(fake.frame(fake.REPLY, b"1", id=peer.call().id))

            client = self.client(script)
            self.assert_error("bad_json", client.call, "test.a")
            self.assertEqual(client.call("test.a"), 1)

    def test_a_broken_frame_is_told_and_ends_the_calls(self):
        def script(peer):
            peer.call()
            peer.send(fake.frame(fake.REPLY, b"1", id=9))
            last = peer.expect(fake.GOAWAY)
            self.assertEqual(struct.unpack_from("<H", last.body)[0], 53)
            peer.at_end()

        e = self.assert_error("outcome_unknown", self.client(script).call, "test.a")
        self.assertIn("bad_frame", e.text)

    def test_a_connection_that_ends_inside_a_frame_is_truncated(self):
        def script(peer):
            peer.call()
            peer.send(fake.frame(fake.REPLY, b"1", id=1)[:-1])

        e = self.assert_error("outcome_unknown", self.client(script).call, "test.a")
        self.assertIn("truncated", e.text)

    def test_a_frame_that_does_not_go_on_takes_no_longer_than_the_deadline(self):
        def script(peer):
            peer.call()
            peer.send(struct.pack("<IBBHQ", 100, fake.REPLY, 0, 0, 1))
            peer.expect(fake.CANCEL)

        self.assert_error("deadline_exceeded", self.client(script).call, "test.a", timeout=0.05)

    def test_a_daemon_that_does_not_read_takes_no_longer_than_the_deadline(self):
        done = threading.Event()

        client = self.client(lambda peer: done.wait(fake.PATIENCE))
        self.assert_error("deadline_exceeded", client.call, "test.a", "x" * (8 << 20), timeout=0.1)
        done.set()

    def test_a_daemon_that_never_stops_talking_takes_no_longer_than_the_deadline(self):
        client = self.client(lambda peer: peer.at_end())
        client._link._receive = lambda: True  # there is always more
        self.assert_error("deadline_exceeded", client.call, "test.a", timeout=0.01)
        client.close()

    def test_calls_to_a_daemon_that_does_not_read_take_a_limited_memory(self):
        done = threading.Event()
        client = self.client(lambda peer: done.wait(fake.PATIENCE))
        self.addCleanup(setattr, wharf, "UNSENT_BYTES_MAX", wharf.UNSENT_BYTES_MAX)
        wharf.UNSENT_BYTES_MAX = 4 << 20
        futures = [client.start("test.a", "x" * (2 << 20)) for _ in range(2)]
        while client._link.talk.unsent_bytes < wharf.UNSENT_BYTES_MAX:
            futures.append(client.start("test.a", "x" * (1 << 20)))
        e = self.assert_error("deadline_exceeded", client.start, "test.a", timeout=0.05)
        self.assertIn("not sent", e.text)
        self.assertLess(len(futures), 6)
        done.set()

    def test_random_bytes_break_the_conversation_and_nothing_else(self):
        random.seed(7)
        honest = [fake.frame(fake.REPLY, b"123", id=1),
                  fake.frame(fake.ITEM, b"123", fake.MORE, id=2), fake.error(103, b"text", id=3),
                  fake.window(100), fake.window(7, 4, fake.OF_UPLOAD),
                  fake.goaway(81, b"x", 3), fake.frame(fake.PING, bytes(8)),
                  fake.frame(fake.CALL, b"abc", fake.MORE, id=1), fake.frame(fake.CANCEL, id=1),
                  fake.frame(fake.DECLARE, b"\1a"), fake.frame(fake.UPLOAD, b"x", id=1)]
        for _ in range(5000):
            talk = opened()
            for i in range(4):
                talk.call("test.a", b"{}", wharf._Call(i % 2 == 1), 5)
            data = bytearray(b"".join(random.choices(honest, k=8)))
            for _ in range(random.choice((0, 1, 1, 2, 5))):
                byte = random.choice((0, 1, 255, random.randrange(256)))
                data[random.randrange(len(data))] = byte
            try:
                while data:
                    size = random.randrange(1, 40)
                    talk.receive(bytes(data[:size]))
                    del data[:size]
            except wharf._Broken:
                pass
            self.assertLess(talk.unsent_bytes + talk.partial_bytes, 1 << 16)


if __name__ == "__main__":
    unittest.main()
