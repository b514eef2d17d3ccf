"""Decodes the lines of tests/golden/archive: an archive reader written from proto/README.md alone.

    decode.py FILE...    compares each line with the value or the refusal below it

It shares no code with the library, on purpose: where the two differ, the page is not clear enough.
README.md beside this file says how the files and their types are written.
"""
import json
import re
import struct
import sys


class Refused(Exception):
    """The bytes are not a message of the type; its name is the error code's."""


class Limits:
    def __init__(self):
        self.depth = 32
        self.objects = 1 << 20
        self.chain = 4096


# Types: a tree of these, made by the parser below.


class Simple:
    """A type that is its name and its parameters: numbers, containers, pointers."""

    def __init__(self, name, arguments=()):
        self.name, self.arguments = name, arguments


class Class:
    def __init__(self):
        self.words = set()  # of: poly, abstract, always, never, plain
        self.bases, self.key, self.version = [], None, 0
        self.construct, self.members = [], []

    def is_a(self, other):
        return self is other or any(base.is_a(other) for base in self.bases)


class Named:
    """A name of the file's definitions: looked up when it is needed, since classes may be recursive."""

    def __init__(self, name, names):
        self.name, self.names = name, names


def resolve(kind):
    while isinstance(kind, Named):
        kind = kind.names[kind.name]
    return kind


class TypeParser:
    """Parses the notation of types that README.md describes."""

    def __init__(self, text, names):
        self.tokens = re.findall(r'"[^"]*"|-?\w+|[^\s\w]', text)
        self.names = names

    def peek(self):
        return self.tokens[0] if self.tokens else ""

    def take(self, wanted=None):
        token = self.tokens.pop(0)
        if wanted is not None and token != wanted:
            raise SyntaxError(f"{wanted} expected before {token} {' '.join(self.tokens[:5])}")
        return token

    def skip(self, token):
        if self.peek() == token:
            self.take()
            return True
        return False

    def message(self):
        kinds = [self.type()]
        while self.skip("&"):
            kinds.append(self.type())
        if self.tokens:
            raise SyntaxError(f"left over: {' '.join(self.tokens)}")
        return kinds

    def type(self):
        if self.peek() in ("poly", "abstract", "always", "never", "plain", "class"):
            return self.class_type()
        name, arguments = self.take(), []
        if self.skip("<"):
            while not self.skip(">"):
                argument = self.peek()
                arguments.append(int(self.take()) if re.fullmatch(r"-?\d+", argument) else self.type())
                self.skip(",")
        if name not in READERS:
            return Named(name, self.names)
        return Simple(name, arguments)

    def class_type(self):
        kind = Class()
        while (word := self.take()) != "class":
            kind.words.add(word)
        if self.skip(":"):
            kind.bases.append(self.names[self.take()])
            while self.skip(","):
                kind.bases.append(self.names[self.take()])
        if self.peek().startswith('"'):
            kind.key = self.take()[1:-1].encode()
            self.names[kind.key] = kind
        if self.skip("@"):
            kind.version = int(self.take())
        if self.skip("("):
            kind.construct = self.member_list(")")
        self.take("{")
        kind.members = self.member_list("}")
        return kind

    def member_list(self, end):
        members = []
        while not self.skip(end):
            name, since = self.take(), 0
            if name == "register":
                members.append(("register", Named(self.take(), self.names), 0))
            else:
                self.take(":")
                kind = self.type()
                if self.skip("since"):
                    since = int(self.take())
                members.append((name, kind, since))
            self.skip(",")
        return members


class Object:
    """What a number of the message stands for."""

    def __init__(self, kind, sharing):
        self.kind, self.sharing = kind, sharing
        self.complete = False
        self.chain = 1


class Text(tuple):
    """Characters that are not bytes."""


OWNING = {"shared", "unique", "boost_shared", "scoped", "raw"}
SHARING = {
    "shared": "std", "weak": "std", "boost_shared": "boost", "boost_weak": "boost",
    "unique": "sole", "scoped": "sole", "raw": "sole", "alias": "alias",
}


class Decoder:
    def __init__(self, data, names, limits):
        self.data, self.at, self.names, self.limits = data, 0, names, limits
        self.table, self.versions = None, {}
        self.objects, self.owners, self.classes = [], [], []
        self.depth = 0

    def left(self):
        return len(self.data) - self.at

    def take(self, size):
        if size > self.left():
            raise Refused("truncated")
        self.at += size
        return self.data[self.at - size:self.at]

    def integer(self, size, signed=False):
        return int.from_bytes(self.take(size), "little", signed=signed)

    def varint(self):
        value = shift = 0
        while True:
            byte = self.integer(1)
            if shift == 63 and byte > 1:
                raise Refused("bad_varint")
            value |= (byte & 127) << shift
            if byte < 128:
                break
            shift += 7
        if byte == 0 and shift:
            raise Refused("not_canonical")
        return value

    def count(self, element_size=1):
        n = self.varint()
        if n * element_size > self.left():
            raise Refused("bad_length")
        return n

    def message(self, kinds):
        prelude = self.integer(1)
        if prelude > 1:
            raise Refused("bad_prelude")
        if prelude == 1:
            self.table = [self.varint() for _ in range(self.count())]
            if not any(self.table):
                raise Refused("not_canonical")
        values = [self.element(kind) for kind in kinds]
        if self.left():
            raise Refused("trailing_data")
        if self.table:
            raise Refused("not_canonical")
        return values[0] if len(values) == 1 else values

    def element(self, kind):
        """An element or a whole value: at least one byte."""
        return self.padded(lambda: self.value(kind))

    def padded(self, read):
        start = self.at
        value = read()
        if self.at == start and self.integer(1) != 0:
            raise Refused("not_canonical")
        return value

    def value(self, kind):
        kind = resolve(kind)
        if isinstance(kind, Simple):
            return READERS[kind.name](self, *kind.arguments)
        if "always" in kind.words:
            return self.tracked(kind, False)
        return self.class_body(kind)

    # Classes

    def class_body(self, kind):
        if "plain" in kind.words:
            version = kind.version
        elif kind in self.versions:
            version = self.versions[kind]
        else:
            version = 0
            if self.table is not None:
                if not self.table:
                    raise Refused("not_canonical")
                version = self.table.pop(0)
            if version > kind.version:
                raise Refused("newer_version")
            self.versions[kind] = version
        fields = {}
        for members in (kind.construct, kind.members):
            if members is kind.members or members:
                self.need_level()
                self.depth += 1
                for name, member, since in members:
                    if name == "register":
                        if resolve(member) not in self.classes:
                            self.classes.append(resolve(member))
                    elif version >= since:
                        fields[name] = self.value(member)
                self.depth -= 1
        return fields

    def need_level(self):
        if self.depth >= self.limits.depth:
            raise Refused("depth_limit")

    def tracked(self, kind, was_stored):
        kind = resolve(kind)
        tag = self.varint()
        if tag == 1:
            return self.new_object(kind, "value", lambda: self.class_body(kind))
        if tag == 0 or tag - 2 >= len(self.objects):
            raise Refused("bad_reference")
        known = self.objects[tag - 2]
        if known.sharing != "value" or known.kind is not kind or not was_stored:
            raise Refused("bad_reference")
        return {"object": tag - 2}

    # Pointers

    def pointer(self, how, static):
        static = resolve(static)
        tag = self.varint()
        if tag == 0:
            return None
        if tag == 1:
            return self.pointee(how, static)
        if tag - 2 >= len(self.objects):
            raise Refused("bad_reference")
        known = self.objects[tag - 2]
        if known.sharing != SHARING[how] or known.sharing == "sole":
            raise Refused("bad_ownership")
        if not is_same_or_derived(known.kind, static):
            raise Refused("bad_class")
        if how in OWNING:
            if not known.complete:
                raise Refused("ownership_cycle")
            self.owns(known)
        return {"object": tag - 2}

    def pointee(self, how, static):
        number = len(self.objects)
        known = self.number(static, SHARING[how])
        shown = {"object": number}
        if isinstance(static, Class) and static.words & {"poly", "abstract"}:
            known.kind = self.class_name(static)
            if known.kind is not static:
                shown["class"] = (known.kind.key or b"?").decode()
        if isinstance(static, Class) and "never" in static.words:
            known.sharing = "sole"
        self.need_level()
        kind = known.kind
        if isinstance(kind, Class):
            shown["value"] = self.inside(known, lambda: self.class_body(kind))
        else:
            shown["value"] = self.inside(known, lambda: self.value(kind))
        if how in OWNING:
            self.owns(known)
        return shown

    def class_name(self, static):
        number = self.varint()
        if number > len(self.classes):
            raise Refused("bad_class")
        if number:
            kind = self.classes[number - 1]
        else:
            size = self.count()
            if size > 127:
                raise Refused("bad_class")
            key = bytes(self.take(size))
            if key not in self.names and key:
                raise Refused("bad_class")
            kind = self.names[key] if key else static
            if (not key and static.key) or kind in self.classes:
                raise Refused("not_canonical")
            self.classes.append(kind)
        if not kind.is_a(static) or "abstract" in kind.words:
            raise Refused("bad_class")
        return kind

    def number(self, kind, sharing):
        if len(self.objects) >= self.limits.objects:
            raise Refused("object_limit")
        self.objects.append(Object(kind, sharing))
        return self.objects[-1]

    def new_object(self, kind, sharing, read):
        number = len(self.objects)
        known = self.number(kind, sharing)
        return {"object": number, "value": self.inside(known, read)}

    def inside(self, known, read):
        self.owners.append(known)
        value = read()
        self.owners.pop()
        known.complete = True
        return value

    def owns(self, known):
        """The object that is being read owns this one."""
        if self.owners and known.chain >= self.limits.chain:
            raise Refused("chain_limit")
        if self.owners:
            self.owners[-1].chain = max(self.owners[-1].chain, known.chain + 1)

    # Values

    def boolean(self):
        value = self.integer(1)
        if value > 1:
            raise Refused("bad_bool")
        return value == 1

    def float(self, size):
        raw = self.take(size)
        value = struct.unpack("<f" if size == 4 else "<d", raw)[0]
        if value != value or value in (float("inf"), float("-inf")):
            return {"bits": raw[::-1].hex()}
        return value

    def quad(self):
        """binary128, written as an exact hexadecimal number."""
        bits = self.integer(16)
        sign, exponent, fraction = bits >> 127, bits >> 112 & 0x7FFF, bits & (1 << 112) - 1
        if exponent == 0x7FFF:
            return {"bits": f"{bits:032x}"}
        if exponent == 0:
            if fraction == 0:
                return "-0x0p+0" if sign else "0x0p+0"
            exponent = 1 - (113 - fraction.bit_length())
            fraction = fraction << 113 - fraction.bit_length() & (1 << 112) - 1
        digits = f"{fraction:028x}".rstrip("0")
        point = "." if digits else ""
        return f"{'-' if sign else ''}0x1{point}{digits}p{exponent - 16383:+d}"

    def enum(self, kind, lowest, highest):
        value = self.value(kind)
        if not lowest <= value <= highest:
            raise Refused("bad_enum")
        return value

    def string(self):
        return bytes(self.take(self.count()))

    def utf8(self):
        text = self.string()
        try:
            text.decode()
        except UnicodeDecodeError as error:
            raise Refused("bad_utf8") from error
        return text

    def text(self, kind):
        size = SIZES[kind.name]
        return Text(self.integer(size) for _ in range(self.count(size)))

    def vector(self, kind):
        return [self.item(kind) for _ in range(self.count(self.least(kind)))]

    def least(self, kind):
        """The bytes that an element takes, where only its type is known."""
        return max(self.least_member(kind), 1)

    def least_member(self, kind):
        kind = resolve(kind)
        if isinstance(kind, Class) or kind.name == "nothing":
            return 0
        if kind.name in ("pair", "tuple"):
            return sum(self.least_member(member) for member in kind.arguments)
        if kind.name == "enum":
            return self.least_member(kind.arguments[0])
        return SIZES.get(kind.name, 1)

    def item(self, kind):
        return self.element(kind)

    def bits(self):
        n = self.varint()
        if (n + 7) // 8 > self.left():
            raise Refused("bad_length")
        packed = int.from_bytes(self.take((n + 7) // 8), "little")
        if packed >> n:
            raise Refused("not_canonical")
        return [bool(packed >> i & 1) for i in range(n)]

    def keyed(self, key, value, order):
        """`order`: strict, weak or none with or without repetition."""
        def entry():
            first = self.value(key)
            return (first, self.value(value)) if value else (first,)
        entries = []
        seen = set()
        by_address = isinstance(resolve(key), Simple) and resolve(key).name in SHARING
        least = self.least_member(key) + (self.least_member(value) if value else 0)
        for _ in range(self.count(max(least, 1))):
            entry_read = self.padded(entry)
            if entries and not by_address:
                before, now = sortable(entries[-1][0]), sortable(entry_read[0])
                if order == "strict" and not before < now or order == "weak" and now < before:
                    raise Refused("not_canonical")
            if order == "once":
                if sortable(entry_read[0]) in seen:
                    raise Refused("not_canonical")
                seen.add(sortable(entry_read[0]))
            entries.append(entry_read)
        return [list(e) for e in entries] if value else [e[0] for e in entries]

    def array(self, size, kind):
        if self.varint() != size:
            raise Refused("bad_length")
        return [self.item(kind) for _ in range(size)]

    def optional(self, kind):
        return [self.value(kind)] if self.boolean() else None

    def variant(self, *kinds):
        index = self.varint()
        if index >= len(kinds):
            raise Refused("bad_value")
        return {str(index): self.value(kinds[index])}


def is_same_or_derived(kind, static):
    if isinstance(kind, Class):
        return isinstance(static, Class) and kind.is_a(static)
    return isinstance(static, Simple) and spelled(kind) == spelled(static)


def spelled(kind):
    kind = resolve(kind)
    if isinstance(kind, Simple):
        return (kind.name, *(spelled(a) for a in kind.arguments))
    return kind


def sortable(value):
    """Something whose order is that of the C++ container."""
    if isinstance(value, dict):
        return tuple(sortable(v) for v in value.values())
    if isinstance(value, list):
        return tuple(sortable(v) for v in value)
    return value


SIZES = {"i8": 1, "i16": 2, "i32": 4, "i64": 8, "i128": 16, "f32": 4, "f64": 8, "f128": 16}
SIZES |= {name.replace("i", "u"): size for name, size in SIZES.items() if name[0] == "i"}

READERS = {
    "bool": Decoder.boolean,
    "f32": lambda d: d.float(4),
    "f64": lambda d: d.float(8),
    "f128": Decoder.quad,
    "enum": Decoder.enum,
    "string": Decoder.string,
    "utf8": Decoder.utf8,
    "text": Decoder.text,
    "vector": Decoder.vector,
    "bits": Decoder.bits,
    "set": lambda d, k: d.keyed(k, None, "strict"),
    "map": lambda d, k, v: d.keyed(k, v, "strict"),
    "multiset": lambda d, k: d.keyed(k, None, "weak"),
    "multimap": lambda d, k, v: d.keyed(k, v, "weak"),
    "unordered_set": lambda d, k: d.keyed(k, None, "once"),
    "unordered_map": lambda d, k, v: d.keyed(k, v, "once"),
    "unordered_multiset": lambda d, k: d.keyed(k, None, "any"),
    "unordered_multimap": lambda d, k, v: d.keyed(k, v, "any"),
    "array": Decoder.array,
    "items": lambda d, n, k: [d.item(k) for _ in range(n)],
    "bytes": lambda d, n: {"bytes": d.take(n).hex()},
    "pair": lambda d, a, b: [d.value(a), d.value(b)],
    "tuple": lambda d, *kinds: [d.value(k) for k in kinds],
    "optional": Decoder.optional,
    "variant": Decoder.variant,
    "nothing": lambda d: None,
    "count": lambda d: d.count(),
    "again": lambda d, kind: d.tracked(kind, True),
}
for _name, _size in SIZES.items():
    if _name[0] != "f":
        READERS[_name] = lambda d, s=_size, n=_name: d.integer(s, signed=n[0] == "i")
for _name in SHARING:
    READERS[_name] = lambda d, kind, n=_name: d.pointer(n, kind)


def shown(value):
    """The value as JSON has it: strings that are no UTF-8 as their bytes."""
    if isinstance(value, Text):
        try:
            return "".join(map(chr, value)).encode("utf-16", "surrogatepass").decode("utf-16")
        except (UnicodeDecodeError, ValueError):
            return list(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"bytes": value.hex()}
    if isinstance(value, dict):
        return {key: shown(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(v) for v in value]
    return value


class Row:
    def __init__(self, place, name, data):
        self.place, self.name, self.data = place, name, data
        self.type = self.value = self.refused = None
        self.limits = Limits()


def read_rows(path):
    """The rows of a file, and its definitions."""
    names, rows = {}, []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            place = f"{path}:{number}"
            if line[0] in "#\n":
                continue
            if line.startswith("define "):
                _, name, text = line.split(None, 2)
                names[name] = TypeParser(text, names).type()
            elif not line[0].isspace():
                name, data = line.rstrip("\n").split(": ", 1)
                rows.append(Row(place, name, bytes.fromhex(data)))
            else:
                word, text = line.split(None, 1)
                if word == "type":
                    rows[-1].type = TypeParser(text, names).message()
                elif word == "value":
                    rows[-1].value = text
                elif word == "refused":
                    rows[-1].refused = text.strip()
                elif word == "limits":
                    for setting in text.split():
                        limit, bound = setting.split("=")
                        if not hasattr(rows[-1].limits, limit):
                            raise SyntaxError(f"{place}: no limit {limit}")
                        setattr(rows[-1].limits, limit, int(bound))
                else:
                    raise SyntaxError(f"{place}: {word}")
    return names, rows


def outcome(row, data, names):
    """(JSON, None) or (None, error code)."""
    decoder = Decoder(data, names, row.limits)
    try:
        return json.dumps(shown(decoder.message(row.type)), ensure_ascii=False), None
    except Refused as refusal:
        return None, str(refusal)


def check(row, names):
    """What is wrong with a row; None if nothing is."""
    if row.type is None or (row.value is None) == (row.refused is None):
        return "a row needs its type, and one of value and refused"
    value, refusal = outcome(row, row.data, names)
    if row.refused is not None:
        return None if refusal == row.refused else f"refused as {refusal} ({value}), not {row.refused}"
    if refusal:
        return f"refused: {refusal}"
    expected = json.dumps(json.loads(row.value), ensure_ascii=False)
    if value != expected:
        return f"is {value}\n    not {expected}"
    for size in range(len(row.data)):
        if outcome(row, row.data[:size], names)[1] is None:
            return f"its first {size} bytes are a message too"
    longer = outcome(row, row.data + b"\0", names)
    if longer[1] != "trailing_data":
        return f"with a byte more it gives {longer}"
    return None


def main(paths):
    failures = count = 0
    for path in paths:
        names, rows = read_rows(path)
        if not rows:
            print(f"{path}: no rows")
            failures += 1
        for row in rows:
            count += 1
            wrong = check(row, names)
            if wrong:
                failures += 1
                print(f"{row.place}: {row.name}: {wrong}")
    print(f"{count} rows of {len(paths)} files, {failures} wrong")
    return 1 if failures or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
