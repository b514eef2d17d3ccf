#!/usr/bin/env python3
"""A client of Wharf daemons: calls commands by name, with JSON values.

    import wharf

    with wharf.connect("unix:/run/wharf/wharf.sock") as w:
        total = w.call("calculator.add", {"a": 1, "b": 2})
        for tick in w.stream("ticker.watch", symbol="gold"):
            print(tick)

One file and the standard library: copy it. It is written from the wire format in proto/README.md
alone. Several threads may use all of its objects at once; it has no thread of its own: whoever
waits for an answer receives, for the others too.
"""
import argparse
import base64
import collections
import contextlib
import errno
import json
import os
import re
import select
import socket
import struct
import sys
import threading
import time

__all__ = ["Client", "ConnectionLost", "DeadlineExceeded", "Error", "Future", "Stream", "connect"]
__version__ = "0.1.0"

DEFAULT_ENDPOINT = "unix:/run/wharf/wharf.sock"

# What a daemon can make this process hold, or do. A reply may become 30 times as large as Python
# objects, and each call in flight may bring one: connect() takes another message_bytes_max.
MESSAGE_BYTES_MAX = 16 << 20  # a reply or an item
FRAME_BYTES_MAX = 64 << 10  # payload of a frame, either way
PARTIAL_BYTES_MAX = 64 << 20  # partly received messages, together
HANDSHAKE_BYTES_MAX = 4 << 10  # frames up to the hello
TEXT_BYTES_MAX = 1024  # of an error
SOFTWARE_BYTES_MAX = 127
STREAM_WINDOW_BYTES = 256 << 10  # items that nobody has asked for yet, of each stream
SESSION_WINDOW_BYTES = 4 << 20  # the same of all streams
ANSWERS_MAX = 10000  # unsent, to a daemon that asks and does not read
# What this process holds for calls: more of them wait in start().
CALLS_IN_FLIGHT_MAX = 1024
COMMANDS_MAX = 1024  # names that a connection calls
UNSENT_BYTES_MAX = 64 << 20
PING_SECONDS = 15  # of silence, while a call without deadline waits
PONG_SECONDS = 10  # of more silence: the connection is lost

# ---- Errors ---------------------------------------------------------------------------------

_NAMES = {
    1: "truncated bad_length bad_varint not_canonical bad_bool bad_enum bad_value newer_version "
       "trailing_data memory_limit depth_limit object_limit message_limit refused_by_type "
       "bad_prelude bad_reference bad_class bad_ownership ownership_cycle chain_limit "
       "unregistered_class pointer_conflict bad_utf8 collision_limit bad_json",
    50: "bad_protocol unsupported_protocol frame_limit bad_frame handshake_timeout session_limit "
        "slow_reader window_exceeded",
    70: "not_connected connection_closed connection_reset connection_refused host_not_found "
        "unreachable bad_endpoint address_in_use access_denied io_error outcome_unknown going_away",
    100: "unknown_command permission_denied overloaded internal deadline_exceeded cancelled "
         "bad_argument not_found conflict unsupported_json compacted",
    130: "store_full store_busy store_corrupt store_failed",
}
CODES = {first + i: name for first, names in _NAMES.items() for i, name in enumerate(names.split())}
NUMBERS = {name: number for number, name in CODES.items()}


class Error(Exception):
    """Why a call failed.

    code         the name of the error, "unknown_command"
    number       its number
    text         more about it; what came from a daemon is as it came, and not to be trusted
    retry_after  with "overloaded": seconds to wait before another try; 0 says nothing
    """

    def __init__(self, code, text="", retry_after=0.0):
        super().__init__(code, text, retry_after)
        self.code, self.text, self.retry_after = code, text, retry_after
        self.number = NUMBERS[code]

    def __str__(self):
        safe = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in self.text)
        return f"{self.code}: {safe}" if safe else self.code


class DeadlineExceeded(Error, TimeoutError):
    """The call's time is over. The daemon was told; the connection stays."""


class ConnectionLost(Error, ConnectionError):
    """There is no connection, or it was lost. The next call connects again."""


def _error(code, text="", retry_after=0.0):
    kind = ConnectionLost if 50 <= NUMBERS[code] < 100 else Error
    return (DeadlineExceeded if code == "deadline_exceeded" else kind)(code, text, retry_after)


def _wire_error(number, text, retry_ms=0):
    return _error(CODES.get(number, "internal"), text.decode(errors="replace"), retry_ms / 1000)


# ---- JSON -----------------------------------------------------------------------------------


def _to_json(value):
    options = {"ensure_ascii": False, "allow_nan": False, "default": _default,
               "separators": (",", ":")}
    try:
        return json.dumps(value, **options).encode()
    except ValueError:
        return json.dumps(_name_specials(value), **options).encode()


def _default(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    raise TypeError(f"a {type(value).__name__} has no form in JSON")


def _name_specials(value):
    """NaN and the infinities as the texts that stand for them."""
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if isinstance(value, dict):
        return {key: _name_specials(each) for key, each in value.items()}
    return [_name_specials(each) for each in value] if isinstance(value, (list, tuple)) else value


def _from_json(message):
    if not message:
        return None  # the reply of a command that streams it
    try:
        return json.loads(message.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as e:
        raise _error("bad_json", f"what the daemon sent: {e}") from None


def _refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


# ---- The conversation: bytes in, bytes out --------------------------------------------------

OPENING = b"\x89wharfC\x01"
HEADER = struct.Struct("<IBBHQ")  # length, kind, flags, number, id
HELLO, DECLARE, CALL, REPLY, ERROR, PING, PONG, GOAWAY, ITEM, UPLOAD, WINDOW, CANCEL = range(1, 13)
MORE, TIMEOUT, LAST, OF_UPLOAD = 1, 2, 4, 8
RECORDS = {1: (0, SOFTWARE_BYTES_MAX), 2: (4, 4), 3: (8, 8), 4: (12, 0xffff)}  # sizes
FRAME_BYTES_MIN = 2048  # that a peer may announce
CREDIT_MAX = 1 << 31
QUIET_BYTES = 64 << 10  # while more is unsent, windows and pongs wait

# By kind: flags that may be set, has it a number, has it an id, least and largest payload.
RULES = {
    HELLO: (0, False, False, 0, FRAME_BYTES_MAX),
    DECLARE: (0, True, False, 2, FRAME_BYTES_MAX),
    CALL: (MORE | TIMEOUT, True, True, 0, FRAME_BYTES_MAX),
    REPLY: (MORE, False, True, 0, FRAME_BYTES_MAX),
    ERROR: (0, False, True, 6, 6 + TEXT_BYTES_MAX),
    PING: (0, False, False, 8, 8),
    PONG: (0, False, False, 8, 8),
    GOAWAY: (0, False, True, 2, 2 + TEXT_BYTES_MAX),
    ITEM: (MORE, False, True, 0, FRAME_BYTES_MAX),
    UPLOAD: (MORE | LAST, False, True, 0, FRAME_BYTES_MAX),
    WINDOW: (OF_UPLOAD, False, True, 4, 4),
    CANCEL: (0, False, True, 0, 0),
}


class _Broken(Exception):
    """The daemon broke the protocol: the conversation ends."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code, self.text = code, text


def _require(holds, text, code="bad_frame"):
    if not holds:
        raise _Broken(code, text)


class _Call:
    """A call of ours."""

    def __init__(self, is_stream):
        self.id, self.starts_at, self.is_stream = 0, 0, is_stream
        self.deadline = None
        self.is_over, self.reply, self.error = False, None, None
        self.items = collections.deque()  # (message, its cost)
        self.partial, self.partial_kind, self.partial_cost = bytearray(), None, 0
        self.may_send, self.may_receive, self.due = 0, STREAM_WINDOW_BYTES, 0
        self.is_upload_over = False

    def finish(self, reply=None, error=None):
        self.reply, self.error, self.is_over = reply, error, True


class _Conversation:
    """The protocol of one connection, without socket, clock and lock."""

    def __init__(self, software, message_bytes_max):
        self.message_bytes_max = message_bytes_max
        self.is_open, self.goaway = False, None
        self.calls = {}  # in flight, by id: a _Call, or None where it was given up
        self.commands, self.last_id, self.last_peer_id = {}, 0, 0
        self.peer_frame_max = self.peer_message_max = 0
        self.peer_stream_window = self.peer_session_window = 0  # 0: it knows no streams
        self.may_send, self.may_receive, self.due = 0, SESSION_WINDOW_BYTES, 0
        self.partial_bytes = 0
        self._in, self._opening_read, self._handshake_read = bytearray(), 0, 0
        self._out, self._front = collections.deque([OPENING]), b""
        self.unsent_bytes, self.sent_bytes = len(OPENING), 0
        self._answers, self._pong_due, self._are_windows_due = 0, None, False
        values = (software.encode()[:SOFTWARE_BYTES_MAX], struct.pack("<I", FRAME_BYTES_MAX),
                  struct.pack("<Q", message_bytes_max),
                  struct.pack("<IQ", STREAM_WINDOW_BYTES, SESSION_WINDOW_BYTES))
        self._frame(HELLO, b"".join(struct.pack("<HH", kind, len(value)) + value
                                    for kind, value in enumerate(values, 1)))

    # Bytes out.

    def _frame(self, kind, body=b"", flags=0, number=0, id=0):
        self._out += (HEADER.pack(len(body), kind, flags, number, id), body)
        self.unsent_bytes += HEADER.size + len(body)

    def unsent(self):
        """What is to be sent next; empty where there is nothing."""
        if not self._front and self._out:
            parts, size = [], 0
            while self._out and size < FRAME_BYTES_MAX:
                parts.append(self._out.popleft())
                size += len(parts[-1])
            self._front = memoryview(b"".join(parts))
        return self._front

    def sent(self, n):
        self._front = self._front[n:]
        self.sent_bytes += n
        self.unsent_bytes -= n
        if self.unsent_bytes <= QUIET_BYTES:
            self._answers = 0
            if self._pong_due is not None:
                self._frame(PONG, self._pong_due)
                self._pong_due = None
            if self._are_windows_due:
                self._are_windows_due = False
                for call in [None, *self.calls.values()]:
                    self._give_back(call, 0)

    def last_words(self, why):
        """A goaway behind what is on its way."""
        self._out.clear()
        text = why.text.encode()[:TEXT_BYTES_MAX]
        self._frame(GOAWAY, struct.pack("<H", NUMBERS[why.code]) + text, id=self.last_peer_id)
        return bytes(self._front) + b"".join(self._out)

    def _message(self, kind, data, id, number=0, prefix=b"", flags=0):
        """Returns how many frames it took."""
        most, rest, frames = min(self.peer_frame_max, FRAME_BYTES_MAX), memoryview(data), 0
        while True:
            size = most - len(prefix)
            is_last = len(rest) <= size
            self._frame(kind, prefix + rest[:size], flags if is_last else flags | MORE, number, id)
            rest, frames, prefix, flags = rest[size:], frames + 1, b"", 0
            if is_last:
                return frames

    def ping(self):
        self._frame(PING, bytes(8))

    # Calls of ours.

    def call(self, name, data, call, timeout):
        self._check_size(data)
        _error_if(self.goaway is not None, "going_away", str(self.goaway))
        _error_if(call.is_stream and not self.peer_stream_window, "unsupported_protocol",
                  "the daemon knows no streams")
        if name not in self.commands:
            number = len(self.commands)
            _error_if(number == COMMANDS_MAX, "session_limit", f"{number} commands were called")
            self.commands[name] = number
            self._frame(DECLARE, bytes([len(name)]) + name.encode(), number=number)
        self.last_id += 1
        call.id, call.may_send = self.last_id, self.peer_stream_window
        call.starts_at = self.unsent_bytes + self.sent_bytes
        self.calls[call.id] = call
        milliseconds = b"" if timeout is None else struct.pack(
            "<I", min(max(1, int(timeout * 1000)), 0xffffffff))
        self._message(CALL, data, call.id, self.commands[name], milliseconds,
                      TIMEOUT if milliseconds else 0)

    def _check_size(self, data):
        _error_if(len(data) > self.peer_message_max, "message_limit",
                  f"the daemon takes {self.peer_message_max} bytes")

    def can_send(self, call):
        return call.may_send > 0 and self.may_send > 0

    def send_item(self, call, data):
        self._check_size(data)
        cost = len(data) + self._message(UPLOAD, data, call.id) * HEADER.size
        call.may_send -= cost
        self.may_send -= cost

    def end_upload(self, call):
        if not call.is_over and not call.is_upload_over:
            call.is_upload_over = True
            self._frame(UPLOAD, flags=LAST, id=call.id)

    def give_up(self, call, error):
        """The call is over for us, and in flight until the daemon has answered it."""
        if call.is_over:
            return
        if call.id in self.calls:
            self.calls[call.id] = None
            if self.peer_stream_window:  # it knows cancel
                self._frame(CANCEL, id=call.id)
        self._let_go(call)
        call.finish(error=error)

    def take_item(self, call):
        message, cost = call.items.popleft()
        self._give_back(self.calls.get(call.id), cost)
        return message

    def drop_items(self, call):
        while call.items:
            self.take_item(call)

    def _let_go(self, call):
        self.drop_items(call)
        self._drop_partial(call)

    def _drop_partial(self, call):
        self.partial_bytes -= len(call.partial)
        call.partial, cost, call.partial_cost = bytearray(), call.partial_cost, 0
        self._give_back(None, cost)

    def _give_back(self, call, cost):
        """Credit, half a window at a time: to the call's stream, and to the session."""
        windows = [(self, 0, SESSION_WINDOW_BYTES)]
        if call is not None:
            windows.append((call, call.id, STREAM_WINDOW_BYTES))
        for each, id, window in windows:
            each.due += cost
            if each.due >= window // 2:
                if self.unsent_bytes > QUIET_BYTES:
                    self._are_windows_due = True
                    continue
                self._frame(WINDOW, struct.pack("<I", each.due), id=id)
                each.may_receive += each.due
                each.due = 0

    # Bytes in.

    def receive(self, data):
        """Raises _Broken where the daemon breaks the protocol."""
        self._in += data
        at = self._read_opening()
        while self._opening_read == len(OPENING) and len(self._in) - at >= HEADER.size:
            length, kind, flags, number, id = HEADER.unpack_from(self._in, at)
            self._check(length, kind, flags, number, id)
            begin, end = at + HEADER.size, at + HEADER.size + length
            if end > len(self._in):
                break
            if not self.is_open:
                self._handshake_read += end - at
            self._dispatch(kind, flags, id, bytes(memoryview(self._in)[begin:end]))
            at = end
        del self._in[:at]

    def is_inside_message(self):
        return bool(self._in) or self.partial_bytes > 0 or 0 < self._opening_read < len(OPENING)

    def _read_opening(self):
        at = 0
        while self._opening_read < len(OPENING) and at < len(self._in):
            byte, expected = self._in[at], OPENING[self._opening_read]
            code = "unsupported_protocol" if self._opening_read == 7 else "bad_protocol"
            _require(byte == expected, f"byte {self._opening_read} of what should be a Wharf "
                                       f"daemon is {byte:#04x}, not {expected:#04x}", code)
            self._opening_read += 1
            at += 1
        return at

    def _check(self, length, kind, flags, number, id):
        """What holds for each header by itself."""
        _require(length <= FRAME_BYTES_MAX, "a frame larger than the limit", "frame_limit")
        _require(kind in RULES and (kind < ITEM or self.peer_stream_window), "unknown kind")
        may_flags, has_number, has_id, least, most = RULES[kind]
        _require(not flags & ~may_flags, "unknown flags")
        _require(has_number or not number, "a number in a frame that has none")
        _require(has_id or not id, "a call id in a frame that has none")
        _require(id or not has_id or kind in (GOAWAY, WINDOW), "call id zero")
        _require(id or not flags & OF_UPLOAD, "a window of the session with a direction")
        _require(least <= length <= most, "a payload of the wrong length")
        before = 4 if flags & TIMEOUT else 0
        _require(length >= before, "a payload too short for its timeout")
        _require(not flags & MORE or length > before, "an empty part of a message")
        _require(not (flags & MORE and flags & LAST), "an end before the last part of an item")
        _require(self.is_open or kind in (HELLO, GOAWAY), "a frame before the hello")
        _require(not self.is_open or kind != HELLO, "a second hello")
        _require(self.is_open or self._handshake_read + HEADER.size + length <= HANDSHAKE_BYTES_MAX,
                 "a handshake larger than the limit", "frame_limit")

    def _dispatch(self, kind, flags, id, body):
        if kind == REPLY:
            self._on_reply(flags, id, body)
        elif kind == ITEM:
            self._on_item(flags, id, body)
        elif kind == ERROR:
            number, retry_ms = struct.unpack_from("<HI", body)
            self._answer(id, error=_wire_error(number, body[6:], retry_ms))
        elif kind == WINDOW:
            self._on_window(flags, id, *struct.unpack("<I", body))
        elif kind == PING:
            self._pong_due = body
            self.sent(0)
        elif kind == HELLO:
            self._on_hello(body)
        elif kind == GOAWAY:
            self._on_goaway(id, body)
        elif kind == CALL and id > self.last_peer_id:
            # This client serves none. What follows of the call is skipped below.
            self.last_peer_id, self._answers = id, self._answers + 1
            _require(self._answers < ANSWERS_MAX, "it calls and does not read", "slow_reader")
            self._frame(ERROR, struct.pack("<HI", NUMBERS["unknown_command"], 0), id=id)
        elif kind == UPLOAD and (body or not flags & LAST):
            self._drop_item(body)

    def _on_hello(self, body):
        found, at = {}, 0
        while at < len(body):
            _require(len(body) - at >= 4, "a hello with a truncated record")
            kind, size = struct.unpack_from("<HH", body, at)
            value, at = body[at + 4:at + 4 + size], at + 4 + size
            _require(len(value) == size, "a hello with a truncated record")
            if kind not in RECORDS:
                continue  # a feature of a later version
            _require(kind not in found, "a hello with a repeated record")
            _require(RECORDS[kind][0] <= size <= RECORDS[kind][1], "a record of the wrong length")
            found[kind] = value
        _require(2 in found and 3 in found, "a hello without its required records")
        self.peer_frame_max, = struct.unpack("<I", found[2])
        self.peer_message_max, = struct.unpack("<Q", found[3])
        _require(self.peer_frame_max >= FRAME_BYTES_MIN, "a hello with a frame limit too low")
        if 4 in found:
            stream, session = struct.unpack_from("<IQ", found[4])
            _require(stream and 0 < session < 1 << 63, "a hello with an impossible window")
            self.peer_stream_window = stream
            self.may_send = self.peer_session_window = session
        self.is_open = True

    def _on_goaway(self, last, body):
        self.goaway = _wire_error(struct.unpack_from("<H", body)[0], body[2:])
        for id in [id for id in self.calls if id > last]:
            self._answer(id, error=_error("going_away", str(self.goaway)))

    def _find(self, id):
        """The call, None where it was given up, and False where it was answered."""
        _require(id <= self.last_id, "an answer to a call that was never made")
        return self.calls.get(id, False)

    def _answer(self, id, reply=None, error=None):
        call = self._find(id)
        self.calls.pop(id, None)
        if call:
            self._drop_partial(call)
            call.finish(reply, error)

    def _assemble(self, call, kind, flags, body):
        """The message where this completes it. Gives the call up where it is too large."""
        _require(not call.partial or call.partial_kind == kind, "an item inside a reply, or a "
                                                                "reply inside an item")
        size = len(call.partial) + len(body)
        if size > self.message_bytes_max or self.partial_bytes + len(body) > PARTIAL_BYTES_MAX:
            self.give_up(call, _error("message_limit", "what the daemon sends is too large"))
            return None
        if not flags & MORE and not call.partial:
            return body
        call.partial += body
        call.partial_kind = kind
        self.partial_bytes += len(body)
        if flags & MORE:
            return None
        message, call.partial = bytes(call.partial), bytearray()
        self.partial_bytes -= len(message)
        return message

    def _on_reply(self, flags, id, body):
        call = self._find(id)
        message = self._assemble(call, REPLY, flags, body) if call else None
        if message is not None:
            self._answer(id, message)
        elif not flags & MORE:
            self.calls.pop(id, None)

    def _on_item(self, flags, id, body):
        call = self._find(id)
        _require(call is not False, "an item behind the answer to its call")
        if call is None:
            self._drop_item(body)
            return
        if not call.partial:
            # Items of different calls may leave in another order than they were counted in.
            most = self.message_bytes_max + HEADER.size * (
                self.message_bytes_max // FRAME_BYTES_MAX + 2)
            _require(call.may_receive > 0 and self.may_receive > -most,
                     "an item without credit", "window_exceeded")
        cost = HEADER.size + len(body)
        call.may_receive -= cost
        self.may_receive -= cost
        call.partial_cost += cost
        if not call.is_stream:
            self.give_up(call, _error("bad_argument", "the command streams: use stream()"))
            return
        message = self._assemble(call, ITEM, flags, body)
        if message is not None:
            call.items.append((message, call.partial_cost))
            call.partial_cost = 0

    def _drop_item(self, body):
        self.may_receive -= HEADER.size + len(body)
        self._give_back(None, HEADER.size + len(body))

    def _on_window(self, flags, id, more):
        _require(more, "a window of nothing")
        if id == 0:
            target, initial = self, self.peer_session_window
        elif flags & OF_UPLOAD:
            target, initial = self._find(id), self.peer_stream_window
        else:
            target, initial = None, 0  # of a call of the daemon
        if target:
            target.may_send += more
            _require(target.may_send <= max(CREDIT_MAX, initial), "a window beyond the limit",
                     "window_exceeded")


def _error_if(holds, code, text):
    if holds:
        raise _error(code, text)


# ---- The connection -------------------------------------------------------------------------


class _Link:
    """A connected socket. One of the threads that wait receives; the others wait for it."""

    def __init__(self, sock, software, message_bytes_max):
        self.talk = _Conversation(software, message_bytes_max)
        self.end = None  # the Error that ended it
        self.dropped = collections.deque()  # calls of Streams that were collected
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._is_receiving, self._received_at = False, 0.0
        self._interrupt = None  # what ended a wait, when nothing was half done
        self._socket = sock
        sock.setblocking(False)
        self._wakes, self._wake = socket.socketpair()
        self._wakes.setblocking(False)
        self._wake.setblocking(False)

    def __del__(self):
        self._close_sockets()

    @contextlib.contextmanager
    def _locked(self):
        with self._lock:
            try:
                yield
            except (Error, TimeoutError):
                raise
            except BaseException as e:
                if e is not self._interrupt:  # half of something may be done
                    self._lose(_error("io_error", f"interrupted by {e!r}"))
                raise
            finally:
                self._cancel_dropped()
                self._flush()

    def wait_until_open(self, deadline):
        with self._locked():
            if not self._wait(lambda: self.talk.is_open, deadline):
                raise _error("deadline_exceeded", "the daemon sent no hello")
            self._raise_end()

    def is_usable(self):
        with self._locked():
            if not self._is_receiving:
                self._receive()  # it may have been closed long ago
            return self.end is None and self.talk.goaway is None

    def start(self, name, data, deadline, is_stream):
        call = _Call(is_stream)
        call.deadline = deadline
        with self._locked():
            if not self._wait(self._has_room, deadline):
                raise _error("deadline_exceeded", "the call was not sent")
            self._raise_end()
            timeout = None if deadline is None else deadline - time.monotonic()
            self.talk.call(name, data, call, timeout)
            self._flush()
            if not self._is_receiving:
                self._receive()  # a daemon whose replies are not read reads no more calls
        return call

    def send(self, call, data):
        """One item of the upload; False where the call is over."""
        with self._locked():
            self._wait_for(call, lambda: self.talk.can_send(call))
            if call.is_over or call.is_upload_over:
                return False
            self.talk.send_item(call, data)
            return True

    def end_upload(self, call):
        with self._locked():
            self.talk.end_upload(call)

    def receive(self, call):
        """The next item; None at the end."""
        with self._locked():
            self._wait_for(call, lambda: call.items)
            if call.items:
                return self.talk.take_item(call)
        if call.error is not None:
            raise call.error
        return None

    def reply(self, call, deadline):
        """What is left of the items is dropped."""
        with self._locked():
            while not call.is_over:
                if not self._wait_for(call, lambda: call.items, deadline):
                    raise TimeoutError("the call is not answered yet")
                self.talk.drop_items(call)
            self.talk.drop_items(call)
        if call.error is not None:
            raise call.error
        return call.reply

    def give_up(self, call, error):
        with self._locked():
            self.talk.drop_items(call)
            self.talk.give_up(call, error)
            self._changed.notify_all()

    def drop(self, call):
        """For finalisers, which may run inside of any other function of this thread."""
        self.dropped.append(call)
        if self._lock.acquire(blocking=False):
            try:
                self._cancel_dropped()
                self._flush()
            finally:
                self._lock.release()

    def close(self):
        with self._locked():
            self._flush()
            self._lose(_error("cancelled", "the client was closed"), is_ours=True)

    # Under the lock.

    def _has_room(self):
        return (self.talk.goaway is not None or len(self.talk.calls) < CALLS_IN_FLIGHT_MAX
                and self.talk.unsent_bytes < UNSENT_BYTES_MAX)

    def _raise_end(self):
        if self.end is not None:
            raise _error(self.end.code, self.end.text, self.end.retry_after)

    def _cancel_dropped(self):
        while self.dropped:
            call = self.dropped.popleft()
            self.talk.drop_items(call)
            self.talk.give_up(call, _error("cancelled"))

    def _wait_for(self, call, is_ready, deadline=None):
        """Also until the call is over, which it is at its own deadline. False at the other."""
        ends = [each for each in (call.deadline, deadline) if each is not None]
        if self._wait(lambda: call.is_over or is_ready(), min(ends, default=None)):
            return True
        if call.deadline is None or time.monotonic() < call.deadline:
            return False
        self.talk.give_up(call, _error("deadline_exceeded"))
        return True

    def _wait(self, is_ready, deadline):
        """Until then, or the end of the connection; receives meanwhile. False at the deadline."""
        asked_at, began, chances = None, time.monotonic(), 64
        while not is_ready() and self.end is None:
            now = time.monotonic()
            if deadline is not None and deadline <= now:
                # What has arrived counts, however late it is asked for.
                chances -= 1
                if chances == 0 or self._is_receiving or not self._receive():
                    return False
                continue
            until = deadline
            if deadline is None:
                if asked_at is not None and self._received_at > asked_at:
                    asked_at = None
                until = (max(began, self._received_at) + PING_SECONDS if asked_at is None
                         else asked_at + PONG_SECONDS)
                if until <= now and asked_at is not None:
                    self._lose(_error("connection_reset", "no sign of life"))
                    return True
                if until <= now:
                    asked_at = now
                    self.talk.ping()
                    continue
            self._wait_once(min(until - now, 3600))
        return True

    def _wait_once(self, seconds):
        try:
            if self._is_receiving:
                self._changed.wait(seconds)
            elif self._poll(seconds):
                self._receive()
        except BaseException as e:
            self._interrupt = e
            raise

    def _poll(self, seconds):
        """Waits without the lock. True: the socket may have something."""
        self._flush()
        if self.end is not None:
            return False
        poller = select.poll()
        poller.register(self._wakes, select.POLLIN)
        poller.register(self._socket, select.POLLIN |
                        (select.POLLOUT if self.talk.unsent_bytes else 0))
        self._is_receiving = True
        self._lock.release()
        try:
            poller.poll(seconds * 1000 + 1)
        finally:
            self._lock.acquire()
            self._is_receiving = False
            self._changed.notify_all()  # another may have to receive now
            if self.end is not None:
                self._close_sockets()
        with contextlib.suppress(BlockingIOError, OSError):
            self._wakes.recv(4096)
        return self.end is None

    def _receive(self):
        """True where something came."""
        if self.end is not None:
            return False
        try:
            data = self._socket.recv(4 * FRAME_BYTES_MAX)
        except BlockingIOError:
            return False
        except OSError as e:
            self._lose(_error("connection_reset", e.strerror or str(e)))
            return False
        self._received_at = time.monotonic()
        self._changed.notify_all()
        try:
            self.talk.receive(data)
        except _Broken as why:
            with contextlib.suppress(OSError):
                self._socket.send(self.talk.last_words(why))
            self._lose(_error(why.code, why.text))
        if not data:
            inside = self.talk.is_inside_message()
            self._lose(_error("truncated" if inside else "connection_closed"))
        elif self.talk.goaway is not None and not (self.talk.is_open and self.talk.calls):
            self._lose(self.talk.goaway)
        return bool(data)

    def _flush(self):
        try:
            while self.end is None and (chunk := self.talk.unsent()):
                self.talk.sent(self._socket.send(chunk))
        except BlockingIOError:
            self._wake_receiver()  # it does not wait for room to send
        except OSError as e:
            if not self._is_receiving:
                self._receive()  # the daemon may have said why it closed
            self._lose(_error("connection_reset", e.strerror or str(e)))

    def _wake_receiver(self):
        if self._is_receiving:
            with contextlib.suppress(OSError):
                self._wake.send(b"\0")

    def _lose(self, why, is_ours=False):
        if self.end is not None:
            return
        self.end = why = why if is_ours else self.talk.goaway or why
        for call in filter(None, self.talk.calls.values()):
            was_sent = self.talk.sent_bytes > call.starts_at
            code = "outcome_unknown" if was_sent else "not_connected"
            call.finish(error=why if is_ours else _error(code, f"the connection was lost ({why})"))
        self.talk.calls.clear()
        self._changed.notify_all()
        # Whoever receives waits for the descriptors: it closes them.
        self._wake_receiver()
        if not self._is_receiving:
            self._close_sockets()

    def _close_sockets(self):
        for each in (self._socket, self._wakes, self._wake):
            each.close()


# ---- Connecting -----------------------------------------------------------------------------


def _parse_endpoint(text):
    """A path, with a NUL in front where it is abstract, or (host, port)."""
    if text[:5].lower() == "unix:":
        path = text[5:]
        if path and "\0" not in path and len(path.encode()) <= 107:
            return "\0" + path[1:] if path[0] == "@" else path
    else:
        host, _, port = text.rpartition(":")
        if host[:1] == "[" and host[-1:] == "]":
            host = host[1:-1]
        elif ":" in host:
            host = ""  # an address of version 6 stands in brackets
        if host and re.fullmatch("[0-9]{1,5}", port) and int(port) < 65536:
            return host, int(port)
    raise _error("bad_endpoint", f"{text!r}: expected host:port, [v6]:port, unix:/path or "
                                 "unix:@name")


def _resolve(host, port, deadline):
    """getaddrinfo() has no timeout: it runs in a thread of its own, which may outlive the wait."""
    found = []

    def look_up():
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            found.append(None)

    thread = threading.Thread(target=look_up, name="wharf resolver", daemon=True)
    thread.start()
    thread.join(max(0, deadline - time.monotonic()))
    if not found:
        raise _error("deadline_exceeded", f"{host}: the name is not resolved yet")
    if found[-1] is None:
        raise _error("host_not_found", host)
    return [(family, address) for family, _, _, _, address in found]


def _open_socket(family, address, deadline):
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(max(0.001, deadline - time.monotonic()))
        sock.connect(address)
        if family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _connect_error(e, where):
    text = f"{where}: {e.strerror or e}"
    if isinstance(e, (ConnectionRefusedError, FileNotFoundError)):
        return _error("connection_refused", text + "; is the daemon running?")
    if isinstance(e, PermissionError):
        return _error("access_denied", text)
    if isinstance(e, TimeoutError):
        return _error("deadline_exceeded", text)
    unreachable = (errno.ENETUNREACH, errno.EHOSTUNREACH)
    return _error("unreachable" if e.errno in unreachable else "io_error", text)


def _open(endpoint, deadline):
    where = _parse_endpoint(endpoint)
    if isinstance(where, str):
        addresses = [(socket.AF_UNIX, where)]
    else:
        addresses = _resolve(*where, deadline)
    for family, address in addresses:
        try:
            return _open_socket(family, address, deadline)
        except OSError as e:
            failed = _connect_error(e, endpoint)
    raise failed


# ---- What programs use ----------------------------------------------------------------------

_DEFAULT = object()


def _deadline(timeout):
    return None if timeout is None else time.monotonic() + timeout


def connect(endpoint=None, timeout=10, *, message_bytes_max=MESSAGE_BYTES_MAX,
            software=f"wharf.py {__version__}"):
    """Connects, and returns a Client.

    endpoint  "host:port", "[v6]:port", "unix:/path" or "unix:@name"; without it that of the
              environment's WHARF_ENDPOINT, or unix:/run/wharf/wharf.sock
    timeout   seconds for connecting, and for each call that names no other
    """
    client = Client(endpoint, timeout, message_bytes_max=message_bytes_max, software=software)
    client.connect()
    return client


class Client:
    """Calls the commands of one daemon over one connection.

    A call whose connection is lost raises ConnectionLost; the next one connects again. Replies are
    received while some thread waits for one. Behind a fork(), make another Client.
    """

    def __init__(self, endpoint=None, timeout=10, *, message_bytes_max=MESSAGE_BYTES_MAX,
                 software=f"wharf.py {__version__}"):
        self.endpoint = endpoint or os.environ.get("WHARF_ENDPOINT") or DEFAULT_ENDPOINT
        self.timeout = timeout
        self._new_link = lambda sock: _Link(sock, software, message_bytes_max)
        self._lock = threading.Lock()  # of those that connect
        self._link, self._retired, self._is_closed, self._pid = None, [], False, os.getpid()
        _parse_endpoint(self.endpoint)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends calls that are in flight with "cancelled"."""
        with self._lock:
            self._is_closed = True
            links, self._link, self._retired = [self._link, *self._retired], None, []
        for link in filter(None, links):
            if self._pid == os.getpid():  # else the other process still talks
                link.close()

    def call(self, name, argument=None, /, *, timeout=_DEFAULT, **fields):
        """Calls a command and returns its reply: what json.loads() makes of it.

        name      "calculator.add"
        argument  what json.dumps() takes; bytes become base64. Or its fields, as keywords.
        timeout   seconds for all of the call; None: no deadline

        Raises Error: DeadlineExceeded, ConnectionLost, or with what the daemon says.
        """
        future = self.start(name, argument, timeout=timeout, **fields)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # of the interrupts; does nothing to a call that is over
            raise

    def start(self, name, argument=None, /, *, timeout=_DEFAULT, **fields):
        """As call(), but returns a Future at once: thousands of calls may be under way.

        Waits while 1024 calls are in flight.
        """
        timeout = self.timeout if timeout is _DEFAULT else timeout
        return Future(*self._start(name, argument, timeout, fields, False))

    def stream(self, name, argument=None, /, *, upload=None, timeout=None, **fields):
        """Calls a command that streams, and returns a Stream.

        upload   an iterable whose items are sent, by a thread of its own; without it items are sent
                 by Stream.send(), if the command takes any
        timeout  seconds for all of the call; None: no deadline, but the daemon must show signs of
                 life
        """
        stream = Stream(*self._start(name, argument, timeout, fields, True))
        if upload is not None:
            threading.Thread(target=_feed, args=(stream._link, stream._call, upload),
                             name="wharf upload", daemon=True).start()
        return stream

    def commands(self):
        """The names of the commands that may be called."""
        return self.call("system.list")

    def describe(self, name):
        """What the messages of a command look like: argument, reply, items and upload."""
        return self.call("system.describe", {"command": name})

    def connect(self):
        """Connects where there is no connection; calls do this by themselves."""
        self._connected(_deadline(self.timeout))

    def _start(self, name, argument, timeout, fields, is_stream):
        if argument is not None and fields:
            raise TypeError("an argument or its fields, not both")
        if not re.fullmatch("[!-~]{1,122}", name):
            raise _error("bad_argument", "a command's name is 1 to 122 printable ASCII characters")
        data = _to_json(fields if argument is None else argument)
        deadline = _deadline(timeout)
        link = self._connected(deadline)
        return link, link.start(name + "+json", data, deadline, is_stream)

    def _connected(self, deadline):
        if deadline is None:
            deadline = time.monotonic() + (self.timeout or 10)
        if not self._lock.acquire(timeout=max(0, deadline - time.monotonic())):
            raise _error("deadline_exceeded", "another thread is connecting")
        try:
            if self._is_closed:
                raise _error("cancelled", "the client is closed")
            if self._pid != os.getpid():
                raise _error("not_connected", "made before a fork(): make another client here")
            if self._link is None or not self._link.is_usable():
                self._retire()
                link = self._new_link(_open(self.endpoint, deadline))
                try:
                    link.wait_until_open(deadline)
                except BaseException:
                    link.close()
                    raise
                self._link = link
            return self._link
        finally:
            self._lock.release()

    def _retire(self):
        """A daemon that goes away still answers what it has accepted."""
        old, self._link = self._link, None
        self._retired = [link for link in [*self._retired, old]
                         if link is not None and link.end is None]


class Future:
    """The answer to a call that was started. Dropping it does not cancel the call."""

    def __init__(self, link, call):
        self._link, self._call = link, call

    def result(self, timeout=None):
        """The reply; raises what the call failed with, and the built-in TimeoutError when there is
        no answer in so many seconds, in which case the call goes on."""
        return _from_json(self._link.reply(self._call, _deadline(timeout)))

    def done(self):
        """Is there an answer, as far as some thread has received it?"""
        return self._call.is_over

    def cancel(self):
        """The daemon is told to stop. result() raises Error "cancelled"."""
        self._link.give_up(self._call, _error("cancelled"))


class Stream:
    """A call that streams: an iterator of its items.

    Closing or dropping it before the end cancels the call. One thread may receive while another
    sends.
    """

    def __init__(self, link, call):
        self._link, self._call = link, call

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self._link.drop(self._call)

    def __iter__(self):
        return self

    def __next__(self):
        message = self._link.receive(self._call)
        if message is None:
            raise StopIteration
        return _from_json(message)

    def send(self, item):
        """Sends one item of the upload; waits while the daemon is not ready for more. False where
        the call is over: result() says how."""
        return self._link.send(self._call, _to_json(item))

    def end(self):
        """The upload is complete."""
        self._link.end_upload(self._call)

    def result(self, timeout=None):
        """As Future.result(). Items that were not asked for are dropped; the reply of a command
        that streams it is None."""
        return _from_json(self._link.reply(self._call, _deadline(timeout)))

    def close(self):
        self._link.give_up(self._call, _error("cancelled"))


def _feed(link, call, items):
    """The thread of an upload. It must not keep the Stream, which is cancelled when dropped."""
    try:
        for item in items:
            if not link.send(call, _to_json(item)):
                break
        link.end_upload(call)
    except BaseException as e:  # for whoever receives
        link.give_up(call, e)
    finally:
        if hasattr(items, "close"):
            items.close()


# ---- From a shell ---------------------------------------------------------------------------


def _print(value):
    print(json.dumps(value, ensure_ascii=False), flush=True)


def _read_lines():
    for line in sys.stdin:
        if line.strip():
            yield json.loads(line)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="wharf.py", description="Calls commands of a daemon.")
    parser.add_argument("--endpoint", help="host:port or unix:/path")
    parser.add_argument("--timeout", type=float, default=10, help="seconds; 10")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("commands", help="list what may be called")
    describe = actions.add_parser("describe", help="say what a command takes and answers")
    call = actions.add_parser("call", help="call a command and print its reply")
    stream = actions.add_parser("stream", help="print a stream; a line each")
    for each in (describe, call, stream):
        each.add_argument("name")
    for each in (call, stream):
        each.add_argument("argument", nargs="?", default="{}", help="JSON")
    stream.add_argument("--upload", action="store_true", help="send the lines of standard input")
    given = parser.parse_args(arguments)
    try:
        with connect(given.endpoint, given.timeout) as client:
            if given.action == "commands":
                print("\n".join(client.commands()))
            elif given.action == "describe":
                _print(client.describe(given.name))
            elif given.action == "call":
                _print(client.call(given.name, json.loads(given.argument)))
            else:
                with client.stream(given.name, json.loads(given.argument),
                                   upload=_read_lines() if given.upload else None) as items:
                    for item in items:
                        _print(item)
                    if (reply := items.result()) is not None:
                        _print(reply)
    except json.JSONDecodeError as e:
        print(f"wharf.py: not JSON: {e}", file=sys.stderr)
        return 2
    except Error as e:
        print(f"wharf.py: {e}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # nobody reads on; nor is there anything to flush at the exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
