"""The Debian packages: installed, upgraded while they are called, removed and purged."""
import glob
import os
import subprocess
import tempfile
import unittest

import case

PACKAGES = ("libwharf0.1", "libwharf-dev", "wharfd", "wharfctl")
CONSUMER = os.path.join(case.ROOT, "tests", "install", "consumer")
CLIENTS = 20
PERIOD_MS = 5
# A port that nobody could use without the credential beside it: a check without that refuses it.
PORT = "[[listen]]\nendpoint = \"127.0.0.1:7049\"\n"
CREDENTIAL = "[[allow]]\nmethod = \"anonymous\"\nsubject = \"127.0.0.0/8\"\nrole = \"user\"\n" \
             "[[allow]]\nmethod = \"unix\"\nsubject = \"*\"\nrole = \"admin\"\n"
MARK = "# An administrator was here.\n"
BROKEN = "[server]\nthreads = \"many\"\n"


def package(name):
    return glob.glob(os.path.join(os.environ["WHARF_PACKAGES"], f"{name}_*.deb"))[0]


def newer(name, directory, version):
    """The same package with another version number."""
    root = os.path.join(directory, version)
    subprocess.run(["dpkg-deb", "--raw-extract", package(name), root], check=True)
    control = os.path.join(root, "DEBIAN", "control")
    with open(control, encoding="utf-8") as file:
        lines = [f"Version: {version}\n" if line.startswith("Version:") else line for line in file]
    with open(control, "w", encoding="utf-8") as file:
        file.writelines(lines)
    made = os.path.join(directory, f"{name}_{version}.deb")
    subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "--build", root, made], check=True,
                   stdout=subprocess.DEVNULL)
    return made


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.box = case.boot(cls)
        # Images of containers forbid maintainer scripts to start services.
        cls.box.run("rm", "-f", "/usr/sbin/policy-rc.d")
        # The index of manual pages takes longer than all the rest.
        cls.box.run("rm", "-f", "/var/lib/man-db/auto-update")

    def install(self, *files):
        inside = []
        for file in files:
            inside.append(f"/var/tmp/{os.path.basename(file)}")
            self.box.install(file, inside[-1])
        return self.box.run("dpkg", "--force-unsafe-io", "--force-confold", "--install", *inside)

    def is_enabled(self, unit):
        return self.box.systemctl("is-enabled", unit, check=False).stdout.strip()

    def is_active(self, unit):
        return self.box.systemctl("is-active", unit, check=False).stdout.strip()

    def service(self):
        return self.box.show("wharfd.service", "InvocationID")

    def sockets(self):
        return self.box.show("wharfd.socket", "InvocationID")

    def exists(self, path):
        return self.box.run("test", "-e", path, check=False).returncode == 0

    def test_from_installation_to_purge(self):
        with tempfile.TemporaryDirectory() as directory:
            self.check_installation()
            self.check_a_users_project()
            self.check_upgrade(directory)
            self.check_upgrade_of_what_is_disabled(directory)
            self.check_upgrade_with_a_broken_file(directory)
        self.check_removal()
        self.check_purge()

    def check_installation(self):
        self.install(*map(package, PACKAGES))
        for unit in ("wharfd.socket", "wharfd.service"):
            self.assertEqual((self.is_enabled(unit), self.is_active(unit)), ("enabled", "active"))
        self.box.run("getent", "passwd", "wharf")
        self.box.run("wharfctl", "ping")
        self.box.run("wharfctl", "put", "a/b", "--raw", "/etc/hostname", check=False)
        # What the journal says of a record comes with the package.
        text = self.box.run("journalctl", "--catalog", "-u", "wharfd", "--no-pager").stdout
        self.assertIn("Subject: The daemon serves", text)
        self.assertIn("libwharf-daemon.so.0.1 ", self.box.run("ldconfig", "-p").stdout)
        state = self.box.run("stat", "--format=%U %a", "/var/lib/wharf").stdout
        self.assertEqual(state, "wharf 700\n")

    def check_a_users_project(self):
        """No path is named: compiler, CMake, pkg-config and the loader find what is installed."""
        for name in os.listdir(CONSUMER):
            self.box.install(os.path.join(CONSUMER, name), f"/root/consumer/{name}", 0o644)
        script = """
            set -e
            cmake -S /root/consumer -B /root/cmake -G Ninja >&2
            cmake --build /root/cmake >&2
            g++ -std=c++20 /root/consumer/client.cpp -o /root/client $(pkg-config --cflags --libs wharf-client)
            export WHARF_ENDPOINT=unix:/root/socket
            /root/cmake/server --listen "$WHARF_ENDPOINT" --state /root &
            /root/cmake/client
            /root/client
            kill $!
            wait $!
        """
        self.assertEqual(self.box.run("sh", "-c", script).stdout, "9\n9\n")

    def check_upgrade(self, directory):
        """Listeners stay open, the file that an administrator changed stays changed, no call fails; and
        what the unit has as a credential counts when the new version checks the configuration."""
        self.box.run("tee", "-a", "/etc/wharf/wharfd.conf", text=MARK)
        self.box.write("/etc/wharf/wharfd.conf.d/port.conf", PORT)
        self.box.write("/etc/wharf/rules.cred", CREDENTIAL)
        self.box.write("/etc/systemd/system/wharfd.service.d/rules.conf",
                       "[Service]\nLoadCredential=wharfd.conf:/etc/wharf/rules.cred\n")
        self.box.systemctl("daemon-reload")
        self.box.systemctl("restart", "wharfd.service")
        service, sockets = self.service(), self.sockets()
        with case.Callers(self.box, CLIENTS, PERIOD_MS, case.UNIX) as callers:
            self.install(newer("wharfd", directory, "0.1.1-1"))
            seen = callers.report(CLIENTS)
        self.assertEqual((seen["errors"], seen["wrong"]), ({}, 0), seen)
        self.assertGreater(sum(seen["pauses"].values()), 0, seen)
        self.assertNotEqual(self.service(), service)
        self.assertEqual(self.sockets(), sockets)
        self.assertIn(MARK, self.box.run("cat", "/etc/wharf/wharfd.conf").stdout)
        version = self.box.run("dpkg-query", "-W", "-f", "${Version}", "wharfd").stdout
        self.assertEqual(version, "0.1.1-1")
        self.box.run("rm", "-r", "/etc/wharf/wharfd.conf.d", "/etc/wharf/rules.cred",
                     "/etc/systemd/system/wharfd.service.d")
        self.box.systemctl("daemon-reload")

    def check_upgrade_of_what_is_disabled(self, directory):
        self.box.systemctl("disable", "--now", "wharfd.service", "wharfd.socket")
        self.install(newer("wharfd", directory, "0.1.2-1"))
        for unit in ("wharfd.socket", "wharfd.service"):
            self.assertEqual((self.is_enabled(unit), self.is_active(unit)), ("disabled", "inactive"))
        self.box.systemctl("enable", "--now", "wharfd.service", "wharfd.socket")

    def check_upgrade_with_a_broken_file(self, directory):
        """A new version that would not start does not take the place of the one that runs. Each daemon
        of several has a configuration of its own."""
        for name in ("good", "bad"):
            self.box.write(f"/etc/wharf/{name}.conf", "")
            self.box.systemctl("start", f"wharfd@{name}.socket", f"wharfd@{name}.service")
        units = ("wharfd.service", "wharfd@bad.service", "wharfd@good.service")
        before = [self.box.show(unit, "InvocationID") for unit in units]
        self.box.write("/etc/wharf/wharfd.conf.d/broken.conf", BROKEN)
        self.box.write("/etc/wharf/bad.conf", BROKEN)
        done = self.install(newer("wharfd", directory, "0.1.3-1"))
        self.assertIn("/etc/wharf/wharfd.conf.d/broken.conf:2:11: server.threads", done.stderr)
        self.assertIn("/etc/wharf/bad.conf:2:11: server.threads", done.stderr)
        self.assertIn("systemctl restart wharfd@bad.service", done.stderr)
        after = [self.box.show(unit, "InvocationID") for unit in units]
        self.assertEqual([a == b for a, b in zip(before, after)], [True, True, False])
        self.box.run("wharfctl", "ping")
        self.box.run("wharfctl", "--endpoint", "unix:/run/wharf/bad.sock", "ping")
        self.box.systemctl("stop", "wharfd@good.socket", "wharfd@good.service", "wharfd@bad.socket",
                           "wharfd@bad.service")
        self.box.run("rm", "-r", "/etc/wharf/wharfd.conf.d", "/etc/wharf/good.conf", "/etc/wharf/bad.conf",
                     "/var/lib/wharf-good", "/var/lib/wharf-bad")

    def check_removal(self):
        """The programs go, and what they have written and were told stays."""
        self.box.run("dpkg", "--force-unsafe-io", "--remove", *PACKAGES)
        for unit in ("wharfd.socket", "wharfd.service"):
            self.assertEqual(self.is_active(unit), "inactive")
        self.assertFalse(self.exists("/usr/sbin/wharfd"))
        self.assertFalse(self.exists("/run/wharf/wharf.sock"))
        self.assertNotEqual(self.box.run("ls", "/var/lib/wharf").stdout, "")
        self.assertTrue(self.exists("/etc/wharf/wharfd.conf"))

    def check_purge(self):
        self.box.run("dpkg", "--force-unsafe-io", "--purge", *PACKAGES)
        left = self.box.run("sh", "-c", "ls -d /etc/wharf /var/lib/wharf /etc/systemd/system/*/wharfd.* "
                                        "/var/lib/systemd/deb-systemd-helper-*/*wharfd* 2>/dev/null",
                            check=False).stdout
        self.assertEqual(left, "")
        self.assertNotIn("wharf", self.box.run("systemctl", "list-units", "--all", "--failed").stdout)


if __name__ == "__main__":
    case.main()
