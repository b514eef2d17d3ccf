"""Asks a process in wharfd's sandbox what it can do: a probe that the same unit runs."""
import case

STATE = "/var/lib/wharf"
OTHER_ADDRESS = "10.9.9.9"
# What must be possible, or this tests nothing.
ALLOWED = {"write own state", "write /tmp", "unix socket"}
# What an errno says beside that it failed: who refused.
REFUSED = {
    "write /etc": {"EROFS"}, "write own configuration": {"EROFS", "EACCES"}, "write /usr": {"EROFS"},
    "write /var": {"EROFS"}, "write /run": {"EROFS"}, "write /run/lock": {"EROFS"},
    "write /dev/shm": {"EROFS", "EACCES"},
    "read /root": {"EACCES"}, "read another process": {"ENOENT"}, "read a kernel setting": {"ENOENT"},
    "map writable code": {"EPERM"}, "make data code": {"EPERM"},
    "run a shell": {"EPERM"}, "run a program in memory": {"EPERM"},
    "user namespace": {"EPERM"}, "mount namespace": {"EPERM"}, "network namespace": {"EPERM"},
    "raw socket": {"EPERM"}, "packet socket": {"EAFNOSUPPORT"}, "netlink socket": {"EAFNOSUPPORT"},
    "mount": {"EPERM"}, "chroot": {"EPERM"}, "trace": {"EPERM"}, "bpf": {"EPERM"},
    "load a module": {"EPERM"}, "set the clock": {"EPERM"}, "real time": {"EPERM"},
    "set-user-ID file": {"EPERM"}, "another personality": {"EPERM"}, "become root": {"EPERM"},
}
INTERNET = {"internet socket", "send to loopback"}
# The sealed one knows no such directory and no such family.
SEALED = {"write /run/lock": {"ENOENT"}, "internet socket": {"EAFNOSUPPORT"},
          "send to loopback": {"EAFNOSUPPORT"},
          "raw socket": {"EAFNOSUPPORT"}}


class Sandbox(case.Case):
    def setUp(self):
        super().setUp()
        self.box.run("ip", "address", "add", f"{OTHER_ADDRESS}/24", "dev", "lo")
        self.addCleanup(self.box.run, "ip", "address", "del", f"{OTHER_ADDRESS}/24", "dev", "lo")

    def attempts(self):
        self.start()
        asked = self.call("probe.try_all", {"state_directory": STATE, "other_address": OTHER_ADDRESS})
        return {each["what"]: each["outcome"] for each in asked}

    def check(self, found, allowed, refused):
        found.pop("send to another address")  # A test of its own.
        self.assertEqual(set(found), allowed | set(refused))
        wrong = {what: outcome for what, outcome in found.items()
                 if outcome not in refused.get(what, {"ok"})}
        self.assertEqual(wrong, {})

    def test_the_unit_sends_to_nobody_but_this_machine(self):
        self.need_address_filters()
        self.run_probe()
        found = self.attempts()
        self.assertEqual((found["send to loopback"], found["send to another address"]), ("ok", "EPERM"))

    def test_the_unit_lets_nothing_through_that_the_daemon_does_not_need(self):
        self.run_probe()
        self.check(self.attempts(), ALLOWED | INTERNET, REFUSED)

    def test_the_sealed_unit_has_no_network_and_serves_through_its_socket(self):
        self.run_probe()
        self.open_tcp()
        self.drop_in("wharfd.service", "10-sealed", case.unit_file("10-sealed.conf"))
        self.check(self.attempts(), ALLOWED, {**REFUSED, **SEALED})
        self.ctl("ping", endpoint=case.TCP)

    def test_without_a_sandbox_the_same_attempts_succeed(self):
        """But for what only root may: the attempts are real ones."""
        self.run_probe()
        open_unit = "\n".join(
            line for line in case.unit_file("wharfd.service").splitlines()
            if line.split("=")[0] in ("[Unit]", "[Service]", "Type", "ExecStart", "StateDirectory", "User"))
        self.box.write("/run/systemd/system/wharfd.service", open_unit + "\n")
        found = self.attempts()
        for what in ("map writable code", "make data code", "read another process",
                     "send to another address", "another personality", "set-user-ID file",
                     "netlink socket", "read a kernel setting", "write /run/lock", "write /dev/shm"):
            self.assertEqual(found[what], "ok", what)
        # The daemon itself does this, whatever runs it.
        self.assertEqual(found["run a shell"], "EPERM")

    def test_wharfd_has_no_privileges_and_can_run_no_program(self):
        self.start()
        with open(f"/proc/{self.box.pid_here('wharfd.service')}/status", encoding="ascii") as file:
            status = dict(line.rstrip().split(":\t", 1) for line in file if ":\t" in line)
        self.assertEqual(int(status["CapEff"], 16) | int(status["CapBnd"], 16), 0)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        self.assertNotIn("0", status["Uid"].split())
        # Each directive adds a filter, and the last is the daemon's own.
        filters = int(status["Seccomp_filters"])
        self.run_probe()
        self.drop_in("wharfd.service", "60-true", "[Service]\nExecStart=\nType=exec\n"
                     "ExecStart=/usr/bin/sleep infinity\n")
        self.box.systemctl("restart", "wharfd.service")
        with open(f"/proc/{self.box.pid_here('wharfd.service')}/status", encoding="ascii") as file:
            self.assertIn(f"Seccomp_filters:\t{filters - 1}\n", file.readlines())

    def test_the_sealed_daemon_keeps_its_store_and_its_log(self):
        self.drop_in("wharfd.service", "10-sealed", case.unit_file("10-sealed.conf"))
        self.start()
        self.ctl("put", "sealed", '"kept"')
        self.box.systemctl("restart", "wharfd.service")
        self.assertIn("kept", self.ctl("get", "sealed").stdout)
        self.box.run("test", "-e", f"{STATE}/wharf.db")
        self.assertIn("is serving 1 endpoint", self.box.journal("wharfd.service"))
        self.assertEqual(self.box.systemctl("reload", "wharfd.service").returncode, 0)
        self.ctl("reload")

    def test_a_credential_is_a_configuration_that_nobody_else_may_read(self):
        """In the sealed unit, whose root is empty, as in the open one."""
        self.box.write("/etc/wharf/rules.cred", "[limits]\nsessions_max = 4321\n")
        self.box.run("chmod", "0600", "/etc/wharf/rules.cred")  # root's: not even the daemon's user
        self.drop_in("wharfd.service", "40-credential",
                     "[Service]\nLoadCredential=wharfd.conf:/etc/wharf/rules.cred\n")
        for sealed in (False, True):
            if sealed:
                self.drop_in("wharfd.service", "10-sealed", case.unit_file("10-sealed.conf"))
            self.box.systemctl("restart", "wharfd.socket", "wharfd.service")
            self.assertIn("\t4321", self.ctl("limits").stdout, f"sealed: {sealed}")
            stolen = self.box.run("runuser", "-u", "nobody", "--", "cat",
                                  "/run/credentials/wharfd.service/wharfd.conf", check=False)
            self.assertIn("Permission denied", stolen.stderr)


if __name__ == "__main__":
    case.main()
