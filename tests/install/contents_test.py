"""Checks what the packages say and hold."""
import os
import re
import unittest

from packages import NAMES, Case, file_of, run


def field(package, name):
    return run("dpkg-deb", "--field", file_of(package), name).strip()


class ContentsTest(Case):
    def test_every_package_is_one_version(self):
        versions = {field(package, "Version") for package in NAMES}
        self.assertEqual(len(versions), 1)
        self.assertIn(f"libwharf0.1 (= {versions.pop()})", field("libwharf-dev", "Depends"))

    def test_the_configuration_is_a_conffile(self):
        """What an administrator has changed survives an upgrade, and is asked about."""
        self.assertEqual(run("dpkg-deb", "--info", file_of("wharfd"), "conffiles"), "/etc/wharf/wharfd.conf\n")
        self.assertTrue(os.path.exists(f"{self.root}/etc/wharf/wharfd.conf"))

    def test_development_needs_boost_and_nothing_that_is_private(self):
        needed = field("libwharf-dev", "Depends")
        self.assertIn("libboost1.81-dev", needed)
        self.assertIn("libboost-serialization1.81-dev", needed)
        self.assertNotRegex(needed, "sqlite|systemd|cli11|toml|log|json")

    def test_what_the_libraries_use_is_not_what_they_offer(self):
        """A program may have another version of what is headers alone."""
        symbols = run("nm", "--dynamic", "--defined-only", "--demangle",
                      f"{self.libraries}/libwharf-daemon.so.0.1")
        self.assertIn("wharf::daemon::run()", symbols)
        self.assertNotIn("CLI::", symbols)

    def test_the_unit_starts_the_program_that_is_packaged(self):
        with open(f"{self.root}/usr/lib/systemd/system/wharfd.service", encoding="utf-8") as unit:
            program = re.search(r"^ExecStart=(\S+)", unit.read(), re.MULTILINE).group(1)
        self.assertTrue(os.access(self.root + program, os.X_OK))

    def test_an_installation_elsewhere_names_its_own_program(self):
        prefix = f"{self.work}/prefix"
        run(os.environ["CMAKE"], "--install", os.environ["WHARF_BUILD"], "--prefix", prefix)
        with open(f"{prefix}/lib/systemd/system/wharfd.service", encoding="utf-8") as unit:
            self.assertIn(f"ExecStart={prefix}/sbin/wharfd\n", unit.read())
        run(f"{prefix}/sbin/wharfd", "--check", "--config", f"{prefix}/etc/wharf/wharfd.conf")
        run(f"{prefix}/bin/wharfctl", "--version")


if __name__ == "__main__":
    unittest.main()
