# Compares what it costs to compile 20 serialisable types with Wharf's archives and with Boost's.
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

from machine import machine

TYPES = 20

# Members in turn, so that every type has its own mixture. NESTED is a type that stands before.
MEMBERS = ["std::int32_t", "std::string", "double", "std::vector<std::string>", "std::uint64_t",
           "std::map<std::string, double>", "bool", "OPTIONAL<std::string>", "NESTED",
           "std::vector<double>", "std::int64_t", "std::vector<NESTED>", "float",
           "std::map<std::string, std::string>", "OPTIONAL<std::int32_t>", "std::uint16_t",
           "std::map<std::uint32_t, NESTED>"]
MEMBERS_EACH = 7

STANDARD = ["cstdint", "map", "string", "vector"]
WHARF = ["wharf/archive.hpp", "optional"]
STOCK = ["boost/archive/binary_iarchive.hpp", "boost/archive/binary_oarchive.hpp",
         "boost/optional.hpp", "boost/serialization/map.hpp", "boost/serialization/optional.hpp",
         "boost/serialization/string.hpp", "boost/serialization/vector.hpp"]
ROUTER = ["wharf/service.hpp", "optional"]

WHARF_USE = """void store(const TYPE& value, wharf::byte_buffer& to)
{
    wharf::store_archive out(to);
    out << value;
    out.flush();
}
void load(TYPE& value, std::span<const std::byte> from)
{
    wharf::load_archive in(from);
    in >> value;
    in.finish();
}
"""
STOCK_USE = """void store(const TYPE& value, std::streambuf& to)
{
    boost::archive::binary_oarchive out(to);
    out << value;
}
void load(TYPE& value, std::streambuf& from)
{
    boost::archive::binary_iarchive in(from);
    in >> value;
}
"""

# Name, headers, optional's name, what is done with each type (None: nothing but the headers).
UNITS = {
    "stock Boost binary, headers": (STOCK, "boost::optional", None),
    "stock Boost binary": (STOCK, "boost::optional", STOCK_USE),
    "wharf, headers": (WHARF, "std::optional", None),
    "wharf": (WHARF, "std::optional", WHARF_USE),
    "router.on, headers": (ROUTER, "std::optional", None),
    "router.on": (ROUTER, "std::optional", ""),
}
BASE = "stock Boost binary"
TARGETS = {"wharf": 1.0, "router.on": 1.5}
TOLERANCE = 1.5  # --check fails only beyond this


def type_of(number, optional, is_command):
    """A struct with serialize(), which as a command is its own reply."""
    lines = [f"struct type{number} {{"]
    if is_command:
        lines += [f"    using reply = type{number};",
                  f'    static constexpr std::string_view name = "bench.type{number}";']
    visits = []
    for i in range(MEMBERS_EACH):
        member = MEMBERS[(number * MEMBERS_EACH + i) % len(MEMBERS)]
        nested = f"type{number - 1}" if number else "std::string"
        member = member.replace("NESTED", nested).replace("OPTIONAL", optional)
        lines.append(f"    {member} m{i}{{}};")
        visits.append(f" & m{i}")
    return "\n".join(lines + ["    template <class Archive>",
                              "    void serialize(Archive& ar, unsigned /*version*/)", "    {",
                              f"        ar{''.join(visits)};", "    }", "};", ""])


def unit_of(name, types=TYPES):
    headers, optional, use = UNITS[name]
    text = "".join(f"#include <{header}>\n" for header in headers + STANDARD)
    if use is None:
        return text
    is_command = headers is ROUTER
    for number in range(types):
        text += type_of(number, optional, is_command) + use.replace("TYPE", f"type{number}")
    if is_command:
        text += "void serve(wharf::router& to)\n{\n" + "".join(
            f"    to.on<type{n}>([](const type{n}& c) {{ return c; }});\n"
            for n in range(types)) + "}\n"
    return text


def seconds_to_compile(compiler, root, source):
    """CPU time, which a busy machine disturbs less than the clock's."""
    command = [compiler, "-std=gnu++20", "-O2", f"-I{root}/proto", "-c", source, "-o",
               source + ".o"]
    child = subprocess.Popen(command, env={**os.environ, "CCACHE_DISABLE": "1"})
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{source} does not compile")
    return used.ru_utime + used.ru_stime


def text_kib(object_file):
    lines = subprocess.run(["size", object_file], stdout=subprocess.PIPE, text=True, check=True)
    return int(lines.stdout.splitlines()[1].split()[0]) / 1024


def measure(root, rounds, compiler, keep=None):
    """Rows of all units, each compiled once in a round."""
    with tempfile.TemporaryDirectory() as made:
        directory = keep or made
        sources = {}
        for number, name in enumerate(UNITS):
            sources[name] = os.path.join(directory, f"unit{number}.cpp")
            with open(sources[name], "w", encoding="utf-8") as file:
                file.write(unit_of(name))
        times = {name: [] for name in UNITS}
        for _ in range(rounds):
            for name, source in sources.items():
                times[name].append(seconds_to_compile(compiler, root, source))
        return [{"unit": name, "seconds": times[name], "text_kib": text_kib(source + ".o")}
                for name, source in sources.items()]


def report(rows):
    """Prints the table; returns what misses its target by more than the tolerance."""
    medians = {row["unit"]: statistics.median(row["seconds"]) for row in rows}
    print(f"{'':28} {'CPU s':>6} {'spread':>7} {'text KiB':>9} {'to stock':>9}  target")
    missed = []
    for row in rows:
        name, seconds = row["unit"], row["seconds"]
        ratio, target = medians[name] / medians[BASE], TARGETS.get(name)
        spread = (max(seconds) - min(seconds)) / medians[name]
        verdict = ""
        if target:
            verdict = f"<= {target}x: {'reached' if ratio <= target else 'NOT reached'}"
            if ratio > target * TOLERANCE:
                missed.append(f"{name}: {ratio:.2f}x of stock Boost, target {target}x")
        print(f"{name:28} {medians[name]:6.2f} {spread:7.0%} {row['text_kib']:9.1f} "
              f"{ratio:8.2f}x  {verdict}".rstrip())
    return missed


def main(argv=None):
    parser = argparse.ArgumentParser(prog="tests/run bench compile", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="write a line for each unit")
    parser.add_argument("--check", action="store_true",
                        help=f"fail beyond {TOLERANCE}x of a target")
    parser.add_argument("--keep", metavar="DIR", help="leave the generated units there")
    arguments = parser.parse_args(argv)
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    compiler = os.environ.get("CXX", "g++")
    rows = measure(root, arguments.rounds, compiler, arguments.keep)
    print(f"{TYPES} types of {MEMBERS_EACH} members loaded and stored, {compiler} -O2, "
          f"medians of {arguments.rounds}, {machine()}")
    missed = report(rows)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return 1 if arguments.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
