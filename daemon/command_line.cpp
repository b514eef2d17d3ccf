// Reads the command line by CLI11; the only file of the daemon that includes it.
#include "command_line.hpp"

#include "log_format.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace wharf {

namespace {

constexpr const char* description =
    "Answers archive commands on the endpoints of its configuration, until SIGTERM.\n";

void add_setting(CLI::App& app, config::overrides& to, const std::string& option,
                 const std::string& key, const std::string& type, const std::string& help)
{
    app.add_option_function<std::string>(
           option,
           [&to, option, key](const std::string& text) {
               to.options.push_back({option, key, text});
           },
           help)
        ->type_name(type);
}

} // namespace

command_line read_command_line(int argc, const char* const* argv, const std::string& name,
                               const std::string& version)
{
    command_line out;
    config::overrides& to = out.settings;
    to.default_file = "/etc/wharf/" + name + ".conf";
    bool check = false, print_config = false;

    CLI::App app(description, name);
    app.set_version_flag("--version", name + " " + version, "Print the version");
    app.add_option("--config", to.file,
                   "Read FILE, then FILE.d/*.conf (default " + to.default_file + ")")
        ->type_name("FILE");
    app.add_option("--listen", to.listen, "Listen here instead of at every [[listen]]; repeatable")
        ->type_name("ENDPOINT")
        ->expected(1)
        ->take_all();
    add_setting(app, to, "--state", "state_directory", "DIR", "Keep the store in DIR");
    add_setting(app, to, "--log-level", "log.level", "LEVEL",
                "critical, error, warning, notice, info or debug; info,session=debug");
    add_setting(app, to, "--threads", "server.threads", "N", "Workers; 0: one per core");
    app.add_option("--set", to.settings, "Set any key, such as limits.sessions_max=100; repeatable")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->take_all();
    auto* checking = app.add_flag("--check", check, "Check the configuration, then exit");
    app.add_flag("--print-config", print_config,
                 "Print what is in force and where it came from, then exit")
        ->excludes(checking);
    app.add_flag("--print-endpoints", out.print_endpoints,
                 "Once it listens, print where, one endpoint a line");
    try {
        app.parse(argc, argv);
    }
    catch (const CLI::CallForHelp&) {
        throw early_exit{app.help(), 0};
    }
    catch (const CLI::CallForVersion&) {
        throw early_exit{name + " " + version + "\n", 0};
    }
    catch (const CLI::ParseError& e) {
        throw early_exit{name + ": " + log::escape(e.what()) + "; try \"" + name + " --help\"\n",
                         2};
    }
    // A shell's user means the directory that they are in.
    for (config::overrides::option& o : to.options) {
        std::error_code failed;
        if (o.key == "state_directory" && !o.value.empty())
            o.value = std::filesystem::absolute(o.value, failed).string();
    }
    if (const char* directories = std::getenv("STATE_DIRECTORY")) {
        const std::string all = directories;
        to.state_directory = all.substr(0, all.find(':'));
    }
    // systemd's directory has what the unit asks for; most units ask for nothing.
    if (const char* credentials = std::getenv("CREDENTIALS_DIRECTORY")) {
        std::error_code failed;
        const std::string file = credentials + std::string("/wharfd.conf");
        if (std::filesystem::exists(file, failed) || failed)
            to.credential = file;
    }
    if (check)
        out.what = command_line::action::check;
    if (print_config)
        out.what = command_line::action::print_config;
    return out;
}

} // namespace wharf
