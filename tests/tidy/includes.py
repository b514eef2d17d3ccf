# Who may include whom: the direction of dependencies, read from the include lines.
import posixpath
import re

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)

# A part includes itself and what stands beside it here, nothing else.
PARTS = {"proto": set(), "client": {"proto"}, "daemon": {"proto"}}

# Inside daemon: a file includes only what stands further left, and its own header.
LAYERS = [
    {"options", "service"},
    {"config", "command", "log", "systemd"},
    {"store"},
    {"admission", "metrics", "placement", "blocking"},
    {"session"},
    {"worker"},
    {"listener"},
    {"server"},
    {"daemon", "seccomp"},
    {"wharfd"},
]

# One seam each: the only files that may name these headers.
SEAMS = [
    (re.compile(r"sqlite3\.h$"), re.compile(r"daemon/store\w*\.cpp$")),
    (re.compile(r"systemd/"), re.compile(r"daemon/(systemd|log)\w*\.cpp$")),
    (re.compile(r"linux/(seccomp|filter)\.h$"), re.compile(r"daemon/seccomp\.cpp$")),
    (re.compile(r"toml\+\+/|toml\.hpp$"), re.compile(r"(daemon/config\w*|client/ctl_settings)\.(cpp|hpp)$")),
    (re.compile(r"boost/log/"), re.compile(r"daemon/log\w*\.(cpp|hpp)$")),
    (re.compile(r"(sys/socket|sys/un|sys/epoll|netdb|arpa/inet|net/if)\.h$|netinet/"),
     re.compile(r"proto/(socket|transport|endpoint|address|listen|native|resolver)\w*\.[ch]pp$|"
                r"daemon/(systemd|listener|server)\w*\.cpp$")),
]


def includes(tree, path):
    """Pairs (text of the include, path in the tree or None)."""
    for bracket, name in INCLUDE.findall(tree.text(path)):
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
        found = None
        if bracket == '"' and beside in tree.known:
            found = beside
        elif name.startswith("wharf/"):
            found = next((f"{part}/{name}" for part in PARTS if f"{part}/{name}" in tree.known), None)
        elif bracket == '"':
            found = next((f"{part}/{name}" for part in PARTS if f"{part}/{name}" in tree.known), None)
        yield name, found


def part_of(path):
    return path.split("/")[0]


def word_of(path):
    """The first word of a file's name decides its layer: store_sqlite.cpp is of store."""
    return re.split(r"[_.]", posixpath.basename(path))[0]


def layer_of(path):
    return next((i for i, words in enumerate(LAYERS) if word_of(path) in words), None)


def check_parts(tree):
    for path in tree.sources():
        part = part_of(path)
        if part not in PARTS:
            continue
        for name, found in includes(tree, path):
            if found and part_of(found) not in PARTS[part] | {part}:
                yield f"{path}: {part} must not include {name}, which is {part_of(found)}'s"


def check_layers(tree):
    for path in tree.sources():
        if not re.match(r"daemon/(wharf/)?[^/]+$", path):
            continue
        layer = layer_of(path)
        if layer is None:
            yield f"{path}: no layer: name it in tests/tidy/includes.py"
            continue
        for name, found in includes(tree, path):
            if not found or not re.match(r"daemon/(wharf/)?[^/]+$", found):
                continue
            other = layer_of(found)
            if word_of(found) != word_of(path) and other is not None and other > layer:
                yield f"{path}: includes {name}, which stands above it"


def check_services(tree):
    for path in tree.sources():
        if not path.startswith("daemon/services/"):
            continue
        for name, found in includes(tree, path):
            if found and not name.startswith("wharf/") and not found.startswith("daemon/services/"):
                yield f"{path}: a service uses <wharf/...> and its own headers, not {name}"


def check_public_headers(tree):
    for path in tree.sources():
        if "/wharf/" not in path or part_of(path) not in PARTS:
            continue
        for name, found in includes(tree, path):
            if found and "/wharf/" not in found:
                yield f"{path}: a public header names the private {name}"


def check_seams(tree):
    for path in tree.sources():
        if part_of(path) not in PARTS or "/examples/" in path:
            continue
        for name, _ in includes(tree, path):
            for header, seam in SEAMS:
                if header.match(name) and not seam.match(path):
                    yield f"{path}: {name} belongs behind its seam ({seam.pattern})"


def check_loops(tree):
    edges = {path: [found for _, found in includes(tree, path) if found]
             for path in tree.sources()}
    finished = set()

    def visit(path, trail):
        if path in trail:
            yield "include loop: " + " -> ".join(trail[trail.index(path):] + [path])
        elif path not in finished:
            for found in edges.get(path, []):
                yield from visit(found, trail + [path])
            finished.add(path)

    for path in edges:
        yield from visit(path, [])


RULES = [check_parts, check_layers, check_services, check_public_headers, check_seams, check_loops]
