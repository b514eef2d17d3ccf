// Writes to a store until it is killed, and says on stdout what was acknowledged.
//   store_writer DIRECTORY ROUND [--acknowledge-early]
#include "store_writer.hpp"

#include "store_engine.hpp"
#include "store_sqlite.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

using namespace crash;

// The negative control: acknowledges every group, and really commits every fourth.
class early_writer final : public wharf::store_writer {
public:
    explicit early_writer(std::unique_ptr<wharf::store_writer> inner) : inner_(std::move(inner)) {}
    void begin() override
    {
        if (groups_ % 4 == 0)
            inner_->begin();
    }
    wharf::transaction& begin_one() override { return inner_->begin_one(); }
    void keep_one() override { inner_->keep_one(); }
    bool undo_one() override { return inner_->undo_one(); }
    void commit() override
    {
        if (++groups_ % 4 == 0)
            inner_->commit();
    }
    void rollback() noexcept override { inner_->rollback(); }
    bool tidy() override { return false; }

private:
    std::unique_ptr<wharf::store_writer> inner_;
    int groups_ = 0;
};

class early_engine final : public wharf::store_engine {
public:
    explicit early_engine(std::unique_ptr<wharf::store_engine> inner) : inner_(std::move(inner)) {}
    std::unique_ptr<wharf::store_writer> open_writer() override
    {
        return std::make_unique<early_writer>(inner_->open_writer());
    }
    std::unique_ptr<wharf::store_reader> open_reader() override { return inner_->open_reader(); }
    std::vector<std::pair<std::string, std::string>> describe() const override { return {}; }

private:
    std::unique_ptr<wharf::store_engine> inner_;
};

boost::asio::awaitable<void> write_lane(wharf::store& to, step s)
{
    for (s.number = 1;; ++s.number) {
        const auto value = value_of(s);
        const auto mark = std::to_string(s.number);
        auto change = [&](wharf::transaction& t) {
            t.put(first_key(s), value);
            t.put(mark_key(s), std::as_bytes(std::span(mark.data(), mark.size())));
            t.put(second_key(s), value);
        };
        co_await to.async_transact(change);
        std::printf("%d %d\n", s.lane, s.number);
        std::fflush(stdout);
    }
}

} // namespace

int main(int argc, char** argv)
try {
    if (argc < 3)
        return 2;
    wharf::store_options options;
    options.directory = argv[1];
    options.wal_bytes = 256u << 10; // kills hit checkpoints too
    auto engine = wharf::open_sqlite(options);
    if (argc > 3 && std::string_view(argv[3]) == "--acknowledge-early")
        engine = std::make_unique<early_engine>(std::move(engine));
    wharf::store store(std::move(engine), options);
    boost::asio::io_context context;
    auto done = [](std::exception_ptr failure) {
        if (failure)
            std::rethrow_exception(failure);
    };
    for (int lane = 0; lane < 8; ++lane)
        boost::asio::co_spawn(context, write_lane(store, {std::atoi(argv[2]), lane, 0}), done);
    context.run();
    return 0;
}
catch (const std::exception& e) {
    std::fprintf(stderr, "store_writer: %s\n", e.what());
    return 1;
}
