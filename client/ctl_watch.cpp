// Follows the changes of stored objects, from one daemon to the next.
#include "ctl_watch.hpp"

#include "ctl_io.hpp"
#include "ctl_json.hpp"
#include "ctl_program.hpp"
#include "ctl_text.hpp"

#include <wharf/blocking_stream.hpp>
#include <wharf/json.hpp>
#include <wharf/objects.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <map>
#include <memory>
#include <optional>

namespace wharf::ctl {

namespace {

/// What the command line says.
struct watch_arguments {
    std::string prefix;
    std::optional<std::uint64_t> after;
    bool values = false;
    std::uint64_t limit = 0;
};

/// Schemas that are remembered; more are asked for again.
constexpr std::size_t schemas_max = 1000;

class watcher {
public:
    watcher(context& c, const watch_arguments& what) : context_(c), left_(what.limit)
    {
        ask_.prefix = what.prefix;
        ask_.after = what.after;
        ask_.value_bytes_max = what.values ? objects::watch_value_bytes_max : 0;
        has_limit_ = what.limit != 0;
        values_ = what.values;
    }

    int run()
    {
        for (;;) {
            try {
                follow();
                return 0;
            }
            catch (const error& e) {
                if (!has_begun_ || exit_code_of(e.code()) != exit_code::unreachable)
                    throw;
                say_interrupted(e);
            }
            // From here on it waits for a daemon, however long that takes.
            context_.options.wait_for_ready = true;
            if (!client_)
                client_.emplace(context_.endpoint, context_.options);
        }
    }

private:
    blocking_client& client() { return client_ ? *client_ : context_.client(); }

    void follow()
    {
        auto all = client().stream(ask_);
        while (std::optional<objects::changes> item = all.next()) {
            has_begun_ = true;
            was_told_ = false;
            // All lines of a transaction or none: after an interruption it comes once more.
            std::string lines;
            for (const objects::change& each : item->list) {
                lines += line_of(item->revision, each);
                if (has_limit_ && --left_ == 0) {
                    print(lines);
                    return;
                }
            }
            if (!lines.empty())
                print(lines);
            ask_.after = item->revision;
        }
    }

    /// Once for each interruption, however often connecting fails.
    void say_interrupted(const error& e)
    {
        if (!std::exchange(was_told_, true))
            std::fprintf(stderr, "wharfctl: %s; watching again after revision %ju\n",
                         e.code() == errc::going_away ? "the daemon stops"
                                                      : "the connection was lost",
                         std::uintmax_t{ask_.after.value_or(0)});
    }

    const schema& schema_for(std::uint64_t fingerprint)
    {
        if (schemas_.size() >= schemas_max)
            schemas_.clear();
        const auto found = schemas_.find(fingerprint);
        if (found != schemas_.end())
            return found->second;
        return schemas_.emplace(fingerprint, client().call(objects::find_schema{fingerprint}))
            .first->second;
    }

    /// JSON where the type is known; nothing where there is no value, or it cannot be shown so.
    std::optional<std::string> value_of(const objects::change& from)
    {
        if (!from.value || from.fingerprint == 0)
            return {};
        try {
            return json_line(to_json(schema_for(from.fingerprint), *from.value));
        }
        catch (const error& e) {
            if (exit_code_of(e.code()) == exit_code::unreachable)
                throw;
            return {};
        }
    }

    std::string line_of(std::uint64_t revision, const objects::change& each)
    {
        const bool is_put = each.kind == objects::change_kind::put;
        const std::optional<std::string> value = values_ ? value_of(each) : std::nullopt;
        const std::string type =
            each.fingerprint == 0 ? "" : objects::fingerprint_text(each.fingerprint);
        if (context_.as_json) {
            json_fields line;
            line.add("revision", revision).add("change", is_put ? "put" : "erase");
            line.add("key", each.key).add("size", each.size);
            type.empty() ? line.add_raw("type", "null") : line.add("type", type);
            if (values_)
                line.add_raw("value", value.value_or("null"));
            return line.line();
        }
        // Lines come one by one: columns cannot know what follows.
        const bool aligned = on_terminal();
        std::string heading;
        if (aligned && !std::exchange(has_heading_, true))
            heading =
                context_.out.bold("REVISION  CHANGE        SIZE  TYPE              KEY") + "\n";
        char start[80];
        std::snprintf(start, sizeof start,
                      aligned ? "%8ju  %-6s  %10ju  %-16s  " : "%ju\t%s\t%ju\t%s\t",
                      std::uintmax_t{revision}, is_put ? "put" : "erase", std::uintmax_t{each.size},
                      type.empty() ? "-" : type.c_str());
        return heading + start + escape(each.key) +
               (value ? (aligned ? "  " : "\t") + *value : "") + "\n";
    }

    context& context_;
    objects::watch ask_;
    std::optional<blocking_client> client_; ///< after an interruption
    std::map<std::uint64_t, schema> schemas_;
    std::uint64_t left_; ///< changes to print, where there is a limit
    bool has_limit_ = false, values_ = false;
    bool has_begun_ = false, was_told_ = false, has_heading_ = false;
};

} // namespace

void add_watch(CLI::App& app, program& to)
{
    auto* watch = app.add_subcommand("watch", "Print each change of objects, as it happens");
    const auto a = std::make_shared<watch_arguments>();
    watch->add_option("PREFIX", a->prefix, "Only keys that begin so");
    watch->add_option("-a,--after", a->after, "Begin after this revision, not now")
        ->option_text("REVISION");
    watch->add_flag("--values", a->values,
                    "Print values too, as JSON, where their types are known");
    watch->add_option("-n,--limit", a->limit, "End after so many changes; 0: never")
        ->option_text("COUNT");
    watch->callback([&to, a] { to.run = [a](context& c) { return watcher(c, *a).run(); }; });
}

} // namespace wharf::ctl
