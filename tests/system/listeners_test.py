"""The daemon serves the listeners that systemd opens: TCP, unix and abstract, by their names."""
import case

# A second socket unit of the same service: its name tells it from the others.
OTHER_UNIT = """
[Socket]
Service=wharfd.service
FileDescriptorName=other
ListenStream=127.0.0.1:7050
ListenStream=@wharf-other
"""
CONFIGURATION = """
[[allow]]
listener = "wharf"
method = "unix"
subject = "uid:0"
role = "admin"

[[allow]]
listener = "other"
method = "anonymous"
subject = "127.0.0.0/8"
role = "user"

[[allow]]
listener = "other-2"
method = "unix"
subject = "uid:0"
role = "looker"

[[role]]
name = "looker"
commands = ["system.*"]
"""
ENDPOINTS = {"wharf": case.UNIX, "other": "127.0.0.1:7050", "other-2": "unix:@wharf-other"}


class Listeners(case.Case):
    # Row 17: descriptors that the service manager has opened are adopted, of every kind, by name.
    def test_passed_sockets_of_every_kind_are_served_by_their_names(self):
        self.box.write("/run/systemd/system/wharfd-other.socket", OTHER_UNIT)
        self.configure("allow", CONFIGURATION)
        self.box.systemctl("daemon-reload")
        self.box.systemctl("start", "wharfd-other.socket")
        self.addCleanup(self.box.systemctl, "stop", "wharfd-other.socket")
        self.start()
        for _ in range(2):
            served = dict(line.split("\t")[:2] for line in self.ctl("status").stdout.splitlines())
            for name, endpoint in ENDPOINTS.items():
                self.ctl("ping", endpoint=endpoint)
                self.assertEqual(served[f"endpoint.{name}"], endpoint)
            # The same descriptors once more, in another process.
            self.box.systemctl("restart", "wharfd.service")
        # Each listener's own rules hold: a looker may not store, a user of the other may.
        self.ctl("put", "a", "1", endpoint=ENDPOINTS["other"])
        refused = self.ctl("put", "a", "1", endpoint=ENDPOINTS["other-2"], check=False)
        self.assertIn("the caller may not do this", refused.stderr)

    def test_the_first_connection_starts_the_daemon(self):
        self.box.systemctl("start", "wharfd.socket")
        self.assertEqual(self.box.show("wharfd.service", "ActiveState"), "inactive")
        self.ctl("ping")
        self.assertEqual(self.box.show("wharfd.service", "ActiveState"), "active")

    def test_the_listener_outlives_a_stop_of_the_service(self):
        self.start()
        self.box.systemctl("stop", "wharfd.service")
        self.ctl("ping")

    def test_tcp_without_an_allow_line_is_refused_at_the_start(self):
        self.drop_in("wharfd.socket", "20-tcp", "[Socket]\nListenStream=127.0.0.1:7040\n")
        started = self.box.systemctl("start", "wharfd.service", check=False)
        self.assertNotEqual(started.returncode, 0)
        self.assertIn("[[allow]]", self.box.journal("wharfd.service"))

    def test_the_tcp_socket_takes_packets_of_the_networks_in_its_unit_only(self):
        self.need_address_filters()
        self.open_tcp()
        self.drop_in("wharfd.socket", "30-tcp",
                     "[Socket]\nListenStream=10.9.9.9:7040\nFreeBind=yes\n")
        self.configure("other", '[[allow]]\nmethod = "anonymous"\nsubject = "10.0.0.0/8"\nrole = "user"\n')
        self.box.run("ip", "address", "add", "10.9.9.9/24", "dev", "lo")
        self.addCleanup(self.box.run, "ip", "address", "del", "10.9.9.9/24", "dev", "lo")
        self.start()
        self.ctl("ping", endpoint=case.TCP)
        unheard = self.ctl("--timeout", "1", "ping", endpoint="10.9.9.9:7040", check=False)
        self.assertNotEqual(unheard.returncode, 0)
        self.drop_in("wharfd.socket", "30-tcp", "[Socket]\nListenStream=10.9.9.9:7040\nFreeBind=yes\n"
                     "IPAddressAllow=10.0.0.0/8\n")
        self.box.systemctl("stop", "wharfd.service", "wharfd.socket")
        self.start()
        self.ctl("ping", endpoint="10.9.9.9:7040")

    def test_several_instances_have_their_own_sockets_and_stores(self):
        for name in ("one", "two"):
            self.box.write(f"/etc/wharf/{name}.conf", "")
            self.box.systemctl("start", f"wharfd@{name}.socket", f"wharfd@{name}.service")
            self.addCleanup(self.box.systemctl, "stop", f"wharfd@{name}.socket", f"wharfd@{name}.service")
        for name in ("one", "two"):
            self.ctl("put", "name", f'"{name}"', endpoint=f"unix:/run/wharf/{name}.sock")
        for name in ("one", "two"):
            found = self.ctl("get", "name", endpoint=f"unix:/run/wharf/{name}.sock").stdout
            self.assertIn(name, found)
        self.box.systemctl("restart", "wharfd@one.service")
        self.ctl("ping", endpoint="unix:/run/wharf/one.sock")


if __name__ == "__main__":
    case.main()
