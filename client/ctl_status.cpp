// A daemon's own facts from a shell.
#include "ctl_status.hpp"

#include "ctl_io.hpp"
#include "ctl_json.hpp"
#include "ctl_metrics.hpp"
#include "ctl_program.hpp"
#include "ctl_rows.hpp"
#include "ctl_text.hpp"

#include <wharf/system.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>

namespace wharf::ctl {

namespace {

int ping(context& c)
{
    const std::uint64_t token = std::random_device{}();
    const auto before = std::chrono::steady_clock::now();
    const std::uint64_t answer = c.client().call(system::ping{token});
    const std::chrono::duration<double, std::milli> took =
        std::chrono::steady_clock::now() - before;
    if (answer != token)
        throw error(errc::bad_value, "the daemon answered another ping");
    if (c.as_json) {
        print(json_fields().add("endpoint", c.endpoint).add("took_ms", took.count()).line());
        return 0;
    }
    char text[64];
    std::snprintf(text, sizeof text, " answered in %.3f ms\n", took.count());
    print(escape(c.endpoint) + text);
    return 0;
}

template <class Facts>
std::string json_of(const Facts& facts)
{
    json_fields made;
    for (const auto& each : facts)
        made.add(each.name, each.value);
    return made.text();
}

std::string json_of(const system::status_reply& status)
{
    json_fields endpoints;
    for (const auto& each : status.endpoints)
        endpoints.add(each.name, each.endpoint);
    return json_fields()
        .add("software", status.software)
        .add("pid", status.pid)
        .add("uptime_ms", status.uptime_ms)
        .add_raw("endpoints", endpoints.text())
        .add_raw("counters", json_of(status.counters))
        .add_raw("limits", json_of(status.limits))
        .add_raw("levels", json_of(status.levels))
        .add_raw("store", json_of(status.store))
        .line();
}

std::string tabbed(const system::status_reply& status)
{
    std::vector<std::vector<std::string>> rows{{"NAME", "VALUE"}};
    const auto add = [&](const std::string& name, const std::string& value) {
        rows.push_back({escape(name), escape(value)});
    };
    add("software", status.software);
    add("pid", std::to_string(status.pid));
    add("uptime_ms", std::to_string(status.uptime_ms));
    for (const auto& each : status.endpoints)
        add("endpoint." + each.name, each.endpoint);
    for (const auto& each : status.counters)
        add(each.name, std::to_string(each.value));
    for (const auto& each : status.limits)
        add("limit." + each.name, std::to_string(each.value));
    for (const auto& each : status.store)
        add("store." + each.name, each.value);
    return table(rows, false);
}

using pairs = std::vector<std::pair<std::string, std::string>>;

std::string paragraph(const style& look, std::string_view title, const pairs& facts,
                      std::size_t width)
{
    if (facts.empty())
        return {};
    std::string text = "\n" + look.bold(title) + "\n";
    for (const auto& [name, value] : facts) {
        const std::string shown = escape(name);
        text += "  " + shown + std::string(width - std::min(width, shown.size()), ' ') + "  " +
                escape(value) + "\n";
    }
    return text;
}

/// For people: limits have a subcommand of their own.
std::string page(const system::status_reply& status, const style& look)
{
    pairs endpoints, counters, store;
    bool is_draining = false;
    for (const auto& each : status.endpoints)
        endpoints.emplace_back(each.name, each.endpoint);
    for (const auto& each : status.counters) {
        if (each.name == "draining")
            is_draining = each.value != 0;
        else
            counters.emplace_back(each.name, std::to_string(each.value));
    }
    for (const auto& each : status.store)
        store.emplace_back(each.name, each.value);
    std::size_t width = 0;
    for (const pairs* each : {&endpoints, &counters, &store})
        for (const auto& [name, value] : *each)
            width = std::max(width, escape(name).size());
    return look.bold(escape(status.software)) + ", pid " + std::to_string(status.pid) + ", up " +
           short_time(static_cast<double>(status.uptime_ms) / 1000) +
           (is_draining ? ", " + look.yellow("draining") : "") + "\n" +
           paragraph(look, "Endpoints", endpoints, width) +
           paragraph(look, "Counters", counters, width) + paragraph(look, "Store", store, width) +
           "\n" + look.dim("wharfctl limits has the limits, wharfctl top what goes on.") + "\n";
}

int status(context& c)
{
    const system::status_reply found = c.client().call(system::status{});
    print(c.as_json ? json_of(found) : on_terminal() ? page(found, c.out) : tabbed(found));
    return 0;
}

int list(context& c)
{
    std::string text;
    for (const std::string& name : c.client().call(system::list{}))
        text += c.as_json ? json_fields().add("command", name).line() : escape(name) + '\n';
    print(text);
    return 0;
}

/// Every limit, and how much of it is taken where the daemon says so.
int limits(context& c)
{
    constexpr column columns[] = {{"LIMIT", "limit"}, {"TAKEN", "taken"}, {"VALUE", "value"}};
    const system::status_reply found = c.client().call(system::status{});
    std::vector<std::vector<cell>> rows;
    for (const auto& each : found.limits) {
        const auto level = std::find_if(found.levels.begin(), found.levels.end(),
                                        [&](const auto& l) { return l.name == each.name; });
        cell taken;
        if (level != found.levels.end())
            taken = level->value;
        rows.push_back({each.name, taken, each.value});
    }
    print_rows(c, columns, rows);
    return 0;
}

/// The connections, at most `limit` of them (0: all).
int sessions(context& c, std::uint64_t limit)
{
    constexpr column columns[] = {{"ID", "id"},
                                  {"PEER", "peer"},
                                  {"NAME", "name"},
                                  {"ROLE", "role"},
                                  {"SINCE", "since"},
                                  {"CALLS", "calls"},
                                  {"IN_FLIGHT", "in_flight"},
                                  {"PEER_CALLS", "peer_calls"},
                                  {"STREAMS", "streams"},
                                  {"RECEIVED", "received_bytes"},
                                  {"SENT", "sent_bytes"}};
    std::uint64_t shown = 0;
    system::sessions ask{0, system::sessions_page_max};
    for (bool more = true; more && (limit == 0 || shown < limit);) {
        if (limit != 0)
            ask.limit = static_cast<std::uint32_t>(
                std::min<std::uint64_t>(limit - shown, system::sessions_page_max));
        const system::sessions_reply page = c.client().call(ask);
        std::vector<std::vector<cell>> rows;
        for (const system::session_fact& s : page.sessions)
            rows.push_back({s.id, s.peer, s.name, s.role, utc_time(s.since_ms), s.calls,
                            s.in_flight, s.peer_calls, s.streams, s.bytes_in, s.bytes_out});
        print_rows(c, columns, rows);
        shown += page.sessions.size();
        more = page.sessions.size() == ask.limit;
        if (!page.sessions.empty())
            ask.after = page.sessions.back().id;
        if (!more && page.unanswered != 0)
            std::fprintf(
                stderr, "wharfctl: %ju sessions are on threads of the daemon that did not answer\n",
                std::uintmax_t{page.unanswered});
    }
    return 0;
}

/// As they come: text for Prometheus.
int metrics(context& c)
{
    const std::string text = c.client().call(system::metrics{});
    if (!c.as_json) {
        print(on_terminal() ? escape_lines(text) : text);
        return 0;
    }
    std::string lines;
    for (const metric& each : parse_metrics(text)) {
        json_fields labels;
        for (const auto& [name, value] : each.labels)
            labels.add(name, value);
        lines += json_fields()
                     .add("name", each.name)
                     .add_raw("labels", labels.text())
                     .add("value", each.value)
                     .line();
    }
    print(lines);
    return 0;
}

} // namespace

void add_status(CLI::App& app, program& to)
{
    const auto add = [&](const char* name, const char* help, int (*run)(context&)) {
        app.add_subcommand(name, help)->callback([&to, run] { to.run = run; });
    };
    add("ping", "Is the daemon there, and how fast does it answer?", ping);
    add("status", "What the daemon says of itself", status);
    add("list", "The commands that you may call", list);
    add("limits", "Every limit of the daemon, and how much of it is taken", limits);
    auto* who = app.add_subcommand("sessions", "Who is connected, and what each does");
    const auto limit = std::make_shared<std::uint64_t>(0);
    who->add_option("-n,--limit", *limit, "At most so many; 0: all")->option_text("COUNT");
    who->callback([&to, limit] { to.run = [limit](context& c) { return sessions(c, *limit); }; });
    add("metrics", "What the daemon counts, as text for Prometheus", metrics);
}

} // namespace wharf::ctl
