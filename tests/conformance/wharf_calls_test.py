"""Calls and streams of wharf.py: its bytes, and what it makes of those of a daemon."""
import json
import struct
import threading
import unittest

from wharf_case import Case, fake, wharf


class Calls(Case):
    def test_the_first_bytes_are_those_of_the_page(self):
        def script(peer):
            call = peer.call()
            self.assertEqual(peer.names, ["calculator.add+json"])
            self.assertEqual((call.number, call.id, call.flags), (0, 1, fake.TIMEOUT))
            self.assertEqual(call.message, b'{"a":1,"b":2}')
            self.assertLessEqual(struct.unpack_from("<I", call.body)[0], 5000)
            self.assertGreater(struct.unpack_from("<I", call.body)[0], 0)
            peer.send(fake.frame(fake.REPLY, b"3", id=1))
            call = peer.call()
            self.assertEqual(peer.names, ["calculator.add+json"])  # it is declared once
            self.assertEqual((call.number, call.id, call.flags), (0, 2, 0))
            peer.send(fake.frame(fake.REPLY, b'{"c":[null,true,"\xc3\xa9"]}', id=2))

        client = self.client(script)
        self.assertEqual(client.call("calculator.add", a=1, b=2, timeout=5), 3)
        self.assertEqual(client.call("calculator.add", {}, timeout=None), {"c": [None, True, "é"]})

    def test_the_hello_says_what_the_client_takes(self):
        def script(peer):
            self.assertEqual(peer.hello.body, (
                fake.record(1, b"wharf.py 0.1.0") + fake.record(2, struct.pack("<I", 65536)) +
                fake.record(3, struct.pack("<Q", 1 << 24)) +
                fake.record(4, struct.pack("<IQ", 1 << 18, 1 << 22))))
            peer.send(fake.frame(fake.REPLY, b"1", id=peer.call().id))

        self.assertEqual(self.client(script).call("test.a"), 1)

    def test_answers_come_in_any_order(self):
        def script(peer):
            ids = [peer.call().id for _ in range(3)]
            self.assertEqual(ids, [1, 2, 3])
            for id in (2, 3, 1):
                peer.send(fake.frame(fake.REPLY, b"%d" % id, id=id))

        client = self.client(script)
        futures = [client.start("test.a") for _ in range(3)]
        self.assertEqual([each.result() for each in futures], [1, 2, 3])
        self.assertTrue(futures[2].done())

    def test_large_messages_travel_in_parts(self):
        text = "0123456789" * 30000

        def script(peer):
            first = peer.expect(fake.CALL)
            parts = [first.body[4:]]
            self.assertEqual(len(first.body), 4096)
            last = first
            while last.flags & fake.MORE:
                last = peer.expect(fake.CALL)
                self.assertEqual((last.id, last.number), (1, 0))
                self.assertFalse(last.flags & fake.TIMEOUT)
                self.assertLessEqual(len(last.body), 4096)
                parts.append(last.body)
            message = b"".join(parts)
            self.assertEqual(json.loads(message), {"text": text})
            for begin in range(0, len(message) - 7, 7000):
                peer.send(fake.frame(fake.REPLY, message[begin:begin + 7000], fake.MORE, id=1),
                          fake.frame(fake.PING, bytes(8)))  # others may stand between the parts
            peer.send(fake.frame(fake.REPLY, message[begin + 7000:], id=1))

        client = self.client(script, frame_max=4096)
        self.assertEqual(client.call("test.echo", text=text), {"text": text})

    def test_a_message_larger_than_the_daemon_takes_is_not_sent(self):
        def script(peer):
            peer.send(fake.frame(fake.REPLY, b"1", id=peer.call().id))

        client = self.client(script, message_max=2000)
        self.assert_error("message_limit", client.call, "test.a", text="x" * 2000)
        self.assertEqual(client.call("test.a"), 1)

    def test_errors_say_what_the_daemon_said(self):
        def script(peer):
            peer.send(fake.error(102, b"busy\x1b[2J\n", 1500, peer.call().id))
            peer.send(fake.error(999, b"from the future", 0, peer.call().id))
            peer.send(fake.error(104, b"", 0, peer.call().id))

        client = self.client(script)
        e = self.assert_error("overloaded", client.call, "test.a")
        self.assertEqual((e.number, e.text, e.retry_after), (102, "busy\x1b[2J\n", 1.5))
        self.assertEqual(str(e), "overloaded: busy\\x1b[2J\\n")
        self.assert_error("internal", client.call, "test.a")
        with self.assertRaises(TimeoutError):
            client.call("test.a")

    def test_an_error_may_follow_the_first_parts_of_a_reply(self):
        def script(peer):
            id = peer.call().id
            peer.send(fake.frame(fake.REPLY, b"[1,", fake.MORE, id=id), fake.error(103, id=id))

        self.assert_error("internal", self.client(script).call, "test.a")

    def test_values_that_json_does_not_have_travel_as_texts(self):
        def script(peer):
            call = peer.call()
            self.assertEqual(json.loads(call.message), {
                "a": "AP8=", "b": ["NaN", "Infinity", "-Infinity"], "c": 18446744073709551615})
            peer.send(fake.frame(fake.REPLY, b'"NaN"', id=call.id))

        nan, infinity = float("nan"), float("inf")
        client = self.client(script)
        self.assertEqual(client.call("test.a", a=b"\0\xff", b=[nan, infinity, -infinity],
                                     c=2**64 - 1), "NaN")

    def test_a_wrong_use_raises_before_anything_is_sent(self):
        def script(peer):
            self.assertEqual(peer.call().message, b"{}")
            peer.send(fake.frame(fake.REPLY, b"1", id=1))

        client = self.client(script)
        self.assertRaises(TypeError, client.call, "test.a", {"a": 1}, b=2)
        self.assertRaises(TypeError, client.call, "test.a", a=object())
        self.assertRaises(UnicodeEncodeError, client.call, "test.a", a="\ud800")
        for name in ("", "with space", "é", "a" * 123):
            self.assert_error("bad_argument", client.call, name)
        self.assertEqual(client.call("test.a"), 1)

    def test_more_calls_than_may_be_in_flight_wait(self):
        most = wharf.CALLS_IN_FLIGHT_MAX

        def script(peer):
            for _ in range(most):
                last = peer.call().id
            self.assertEqual(last, most)
            with self.assertRaises(TimeoutError):
                peer.socket.settimeout(0.05)
                peer.socket.recv(1)
            peer.socket.settimeout(fake.PATIENCE)
            for id in range(1, most + 1):
                peer.send(fake.frame(fake.REPLY, b"1", id=id))
            self.assertEqual(peer.call().id, most + 1)
            peer.send(fake.frame(fake.REPLY, b"2", id=most + 1))

        client = self.client(script)
        futures = [client.start("test.a") for _ in range(most + 1)]
        self.assertEqual(sum(each.result() for each in futures), most + 2)

    def test_many_threads_share_a_client(self):
        count = 8 * 200

        def script(peer):
            for _ in range(count):
                call = peer.call()
                peer.send(fake.frame(fake.REPLY, call.message, id=call.id))

        client, wrong = self.client(script), []

        def run(of):
            for i in range(200):
                if client.call("test.echo", of=of, i=i) != {"of": of, "i": i}:
                    wrong.append((of, i))

        threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.assertEqual(wrong, [])


    def test_another_thread_receives_when_the_one_that_did_leaves(self):
        def script(peer):
            first, second = peer.call(), peer.call()
            self.assertEqual(peer.expect(fake.CANCEL).id, second.id)
            peer.send(fake.frame(fake.REPLY, b"1", id=first.id))

        client, got = self.client(script), []
        future = client.start("test.a", timeout=None)
        waits = threading.Thread(target=lambda: got.append(future.result()))
        with client._link._lock:  # the other thread waits behind this one
            client._link._is_receiving = True
            waits.start()
        while not client._link._changed._waiters:
            pass
        client._link._is_receiving = False
        leaves = client.start("test.slow", timeout=0.2)
        self.assert_error("deadline_exceeded", leaves.result)
        waits.join(5)
        self.assertEqual(got, [1])

    def test_who_receives_sends_what_another_thread_could_not(self):
        def script(peer):
            first, second = peer.call(), peer.call()
            for each in (first, second):
                peer.send(fake.frame(fake.REPLY, b"%d" % len(each.message), id=each.id))

        client, got = self.client(script), []
        other = threading.Thread(target=lambda: got.append(client.call("test.a", "")))
        other.start()
        while client._link is None or not client._link._is_receiving:
            pass
        self.assertEqual(client.call("test.a", "x" * (8 << 20), timeout=5), 2 + (8 << 20))
        other.join()
        self.assertEqual(got, [2])


class Streams(Case):
    def test_items_come_in_order_and_then_the_end(self):
        def script(peer):
            call = peer.call()
            self.assertEqual(call.flags, 0)  # no deadline by default
            peer.send(*(fake.frame(fake.ITEM, b"%d" % i, id=1) for i in range(5)))
            peer.send(fake.frame(fake.ITEM, b"[5", fake.MORE, id=1),
                      fake.frame(fake.ITEM, b"]", id=1))
            peer.send(fake.frame(fake.REPLY, id=1))

        stream = self.client(script).stream("test.count")
        self.assertEqual(list(stream), [0, 1, 2, 3, 4, [5]])
        self.assertIsNone(stream.result())

    def test_the_result_drops_the_items_before_it(self):
        def script(peer):
            peer.call()
            peer.send(fake.frame(fake.ITEM, b"1", id=1), fake.frame(fake.REPLY, b"2", id=1))
            peer.at_end()

        client = self.client(script)
        stream = client.stream("test.both")
        while not stream._call.is_over:
            client._link.is_usable()  # receives
        self.assertEqual(stream.result(), 2)
        self.assertEqual(list(stream), [])

    def test_an_error_comes_behind_the_items_before_it(self):
        def script(peer):
            peer.call()
            peer.send(fake.frame(fake.ITEM, b"1", id=1),
                      fake.frame(fake.ITEM, b"[2", fake.MORE, id=1),
                      fake.error(103, b"broke", id=1))

        stream = self.client(script).stream("test.count")
        self.assertEqual(next(stream), 1)
        self.assert_error("internal", next, stream)
        self.assert_error("internal", next, stream)
        self.assert_error("internal", stream.result)

    def test_credit_is_given_back_as_items_are_taken(self):
        item = b'"' + b"x" * 65518 + b'"'  # takes 65536 with its header

        def script(peer):
            peer.call()
            peer.send(*[fake.frame(fake.ITEM, item, id=1)] * 4)
            found = peer.expect(fake.WINDOW)
            self.assertEqual((found.id, found.flags), (1, 0))
            self.assertEqual(struct.unpack("<I", found.body)[0], 2 * 65536)
            peer.send(*[fake.frame(fake.ITEM, item, id=1)] * 2)
            self.assertEqual(struct.unpack("<I", peer.expect(fake.WINDOW).body)[0], 2 * 65536)
            peer.send(fake.frame(fake.REPLY, id=1))

        self.assertEqual(len(list(self.client(script).stream("test.count"))), 6)

    def test_the_session_gets_back_the_credit_of_items_that_are_dropped(self):
        item = fake.frame(fake.ITEM, b"1" * 65520, id=1)

        def script(peer):
            peer.call()
            peer.expect(fake.CANCEL)
            peer.send(*[item] * 32)  # that were on their way
            next = peer.call()
            found = peer.expect(fake.WINDOW)
            self.assertEqual((found.id, struct.unpack("<I", found.body)[0]), (0, 32 * 65536))
            peer.send(fake.error(105, id=1), fake.frame(fake.REPLY, b"1", id=next.id))

        client = self.client(script)
        client.stream("test.count").close()
        self.assertEqual(client.call("test.a"), 1)

    def test_leaving_a_loop_cancels_the_call(self):
        def script(peer):
            peer.call()
            peer.send(*(fake.frame(fake.ITEM, b"%d" % i, id=1) for i in range(5)))
            self.assertEqual(peer.expect(fake.CANCEL).id, 1)

        for i in self.client(script).stream("test.count"):
            if i == 2:
                break

    def test_a_stream_outlives_the_name_of_its_client(self):
        def script(peer):
            peer.shake_hands()
            peer.call()
            peer.send(fake.frame(fake.ITEM, b"1", id=1), fake.frame(fake.REPLY, id=1))
            peer.at_end()

        endpoint = self.daemon(script).endpoint
        self.assertEqual(list(wharf.connect(endpoint).stream("test.count")), [1])

    def test_an_upload_waits_for_credit(self):
        def script(peer):
            peer.call()
            item = peer.expect(fake.UPLOAD)
            self.assertEqual((item.body, item.flags, item.id), (b'"' + b"x" * 98 + b'"', 0, 1))
            self.assertEqual(len(peer.expect(fake.UPLOAD).body), 100)  # 84 of 200 were left
            with self.assertRaises(TimeoutError):
                peer.socket.settimeout(0.05)
                peer.socket.recv(1)
            peer.socket.settimeout(fake.PATIENCE)
            peer.send(fake.window(100, 1, fake.OF_UPLOAD))
            self.assertEqual(len(peer.expect(fake.UPLOAD).body), 100)
            peer.send(fake.window(1000, 1, fake.OF_UPLOAD))
            peer.expect(fake.UPLOAD)
            end = peer.expect(fake.UPLOAD)
            self.assertEqual((end.body, end.flags), (b"", fake.LAST))
            peer.send(fake.frame(fake.REPLY, b"4", id=1))

        client = self.client(script, stream=200)
        self.assertEqual(client.stream("test.pour", upload=["x" * 98] * 4).result(), 4)

    def test_an_upload_waits_for_the_credit_of_the_session(self):
        def script(peer):
            peer.call()
            peer.expect(fake.UPLOAD)
            with self.assertRaises(TimeoutError):
                peer.socket.settimeout(0.05)
                peer.socket.recv(1)
            peer.socket.settimeout(fake.PATIENCE)
            peer.send(fake.window(100))
            peer.expect(fake.UPLOAD)
            self.assertEqual(peer.expect(fake.UPLOAD).flags, fake.LAST)
            peer.send(fake.frame(fake.REPLY, b"2", id=1))

        client = self.client(script, session=50)
        self.assertEqual(client.stream("test.pour", upload=["x" * 98] * 2).result(), 2)

    def test_both_ways_at_once(self):
        def script(peer):
            peer.call()
            while not (found := peer.expect(fake.UPLOAD)).flags & fake.LAST:
                peer.send(fake.frame(fake.ITEM, found.body, id=1))
            peer.send(fake.frame(fake.REPLY, id=1))

        with self.client(script).stream("test.mirror") as stream:
            for i in range(3):  # each answer before the next question
                self.assertTrue(stream.send(i))
                self.assertEqual(next(stream), i)
            stream.end()
            self.assertEqual(list(stream), [])

    def test_an_upload_ends_with_the_answer(self):
        answered = threading.Event()

        def script(peer):
            peer.call()
            peer.send(fake.error(106, b"enough", id=1))
            answered.set()

        stream = self.client(script).stream("test.pour")
        answered.wait(fake.PATIENCE)
        self.assert_error("bad_argument", stream.result)
        self.assertFalse(stream.send(1))

    def test_what_the_items_of_an_upload_raise_cancels_the_call(self):
        def script(peer):
            peer.call()
            peer.expect(fake.UPLOAD)
            peer.expect(fake.CANCEL)

        def items():
            yield 1
            raise LookupError("no more")

        stream = self.client(script).stream("test.pour", upload=items())
        self.assertRaises(LookupError, stream.result)

    def test_a_plain_call_of_a_command_that_streams_says_so(self):
        def script(peer):
            peer.call()
            peer.send(fake.frame(fake.ITEM, b"1", id=1))
            peer.expect(fake.CANCEL)

        e = self.assert_error("bad_argument", self.client(script).call, "test.count")
        self.assertIn("stream()", e.text)

    def test_the_deadline_of_a_stream_holds_while_items_come(self):
        def script(peer):
            peer.call()
            peer.send(fake.frame(fake.ITEM, b"1", id=1))
            peer.expect(fake.CANCEL)

        stream = self.client(script).stream("test.count", timeout=0.2)
        self.assertEqual(next(stream), 1)
        self.assert_error("deadline_exceeded", next, stream)


if __name__ == "__main__":
    unittest.main()
