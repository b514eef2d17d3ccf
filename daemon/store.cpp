// The store's queues and threads: group commit on one writer, snapshots on a few readers.
#include <wharf/store.hpp>

#include "log_events.hpp"
#include "store_engine.hpp"
#include "store_feed.hpp"
#include "store_sqlite.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace wharf {
namespace {

using completion = boost::asio::async_result<boost::asio::use_awaitable_t<>,
                                             void(std::exception_ptr)>::handler_type;

// Resumes the coroutine on its own executor. It may be gone: then the handler is destroyed.
void complete(completion&& done, std::exception_ptr failure)
{
    auto executor = boost::asio::get_associated_executor(done);
    // The coroutine may end, and its io_context with it, while post() still wakes a thread of it.
    const auto work = boost::asio::make_work_guard(executor);
    boost::asio::post(executor, [done = std::move(done), failure = std::move(failure)]() mutable {
        std::move(done)(std::move(failure));
    });
}

constexpr std::chrono::milliseconds retry_hint{100};

// A bounded queue between the sessions' threads and the store's.
template <class Job>
class job_queue {
public:
    explicit job_queue(std::size_t capacity) : capacity_(capacity) {}

    enum class result { taken, full, closed };
    result push(Job&& job)
    {
        {
            const std::lock_guard lock(mutex_);
            if (closed_)
                return result::closed;
            if (jobs_.size() >= capacity_)
                return result::full;
            jobs_.push_back(std::move(job));
        }
        changed_.notify_one();
        return result::taken;
    }
    // Waits for jobs and takes up to `max`; none left and closed: false.
    bool pop(std::vector<Job>& to, std::size_t max)
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
        for (; !jobs_.empty() && to.size() < max; jobs_.pop_front())
            to.push_back(std::move(jobs_.front()));
        return !to.empty();
    }
    void close()
    {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        changed_.notify_all();
    }
    std::size_t size() const
    {
        const std::lock_guard lock(mutex_);
        return jobs_.size();
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> jobs_;
    const std::size_t capacity_;
    bool closed_ = false;
};

} // namespace

class store::core {
public:
    struct write_job {
        work<transaction> f;
        completion done;
        std::exception_ptr failure;
    };
    struct read_job {
        work<const snapshot> f;
        completion done;
    };

    core(std::unique_ptr<store_engine> engine, const store_options& options)
        : options_(options),
          writes_(options.write_queue_max),
          reads_(options.read_queue_max),
          engine_(std::move(engine)),
          writer_(engine_->open_writer())
    {
        for (std::uint32_t i = 0; i < std::max(options.readers, 1u); ++i)
            readers_.push_back(engine_->open_reader());
        begin_feed();
        try {
            threads_.emplace_back([this] { write_loop(); });
            for (auto& reader : readers_)
                threads_.emplace_back([this, &reader] { read_loop(*reader); });
        }
        catch (...) {
            close();
            throw;
        }
    }
    ~core() { close(); }

    /// Damage that is found here fails those who watch only: what can be read is served.
    void begin_feed()
    {
        try {
            feed_.emplace(options_, readers_.front()->begin().revision());
        }
        catch (const error& why) {
            feed_.emplace(options_, why);
        }
        readers_.front()->end();
    }

    void close()
    {
        writes_.close();
        reads_.close();
        for (std::thread& thread : threads_)
            thread.join();
        threads_.clear();
        readers_.clear();
        writer_.reset();
        const std::lock_guard lock(engine_mutex_);
        engine_.reset();
    }

    void push(write_job&& job) { push_to(writes_, std::move(job), options_.write_queue_max); }
    void push(read_job&& job) { push_to(reads_, std::move(job), options_.read_queue_max); }

    change_feed& feed() noexcept { return *feed_; }
    const store_options& options() const noexcept { return options_; }

    counts statistics() const
    {
        counts c;
        c.transactions = transactions_;
        c.commits = commits_;
        c.reads = reads_done_;
        c.refused = refused_;
        c.failed = failed_;
        c.waiting = writes_.size() + reads_.size();
        c.checkpoints = checkpoints_;
        return c;
    }

    std::vector<std::pair<std::string, std::string>> describe() const
    {
        const std::lock_guard lock(engine_mutex_);
        if (!engine_)
            return {{"state", "closed"}};
        auto facts = engine_->describe();
        const auto add = [&](const char* name, std::uint64_t number) {
            facts.emplace_back(name, std::to_string(number));
        };
        add("database_bytes_max", options_.database_bytes_max);
        add("write_queue_max", options_.write_queue_max);
        add("read_queue_max", options_.read_queue_max);
        add("watch_backlog_max", options_.watch_backlog_max);
        add("watch_heartbeat_ms", static_cast<std::uint64_t>(options_.watch_heartbeat.count()));
        add("watches_max", options_.watches_max);
        add("watches", feed_->watches());
        facts.emplace_back("state", refuses_changes_ ? "refuses changes until a restart" : "open");
        return facts;
    }

private:
    template <class Job>
    void push_to(job_queue<Job>& queue, Job&& job, std::uint32_t capacity)
    {
        using result = typename job_queue<Job>::result;
        const result r = queue.push(std::move(job));
        if (r == result::taken)
            return;
        if (r == result::closed) {
            complete(std::move(job.done), std::make_exception_ptr(error(
                                              errc::store_failed, "the store has been closed")));
            return;
        }
        ++refused_;
        complete(std::move(job.done),
                 std::make_exception_ptr(error(
                     errc::overloaded,
                     "the store's queue of " + std::to_string(capacity) + " is full", retry_hint)));
    }

    void write_loop()
    {
        std::vector<write_job> group;
        while (writes_.pop(group, std::max(options_.group_max, 1u))) {
            run_group(group);
            for (write_job& job : group)
                complete(std::move(job.done), std::move(job.failure));
            group.clear();
            tidy();
        }
    }

    // Every job of the group ends with its failure set, or durable.
    void run_group(std::vector<write_job>& group)
    {
        std::exception_ptr failure = broken_;
        if (!failure)
            failure = try_group(group);
        std::uint64_t done = 0;
        for (write_job& job : group) {
            if (failure && !job.failure)
                job.failure = failure;
            done += job.failure ? 0 : 1;
        }
        transactions_ += done;
        if (failure)
            failed_ += group.size();
        else
            ++commits_;
    }

    std::exception_ptr try_group(std::vector<write_job>& group)
    {
        changed_.clear();
        try {
            writer_->begin();
            for (write_job& job : group)
                run_one(job);
            writer_->commit();
            // On disk, and not acknowledged yet: who is told of its own change finds it here.
            feed_->publish(std::exchange(changed_, {}));
            if (last_failure_ != errc{})
                log::write(log::level::notice, log::store_recovered, "transactions commit again");
            last_failure_ = errc{};
            return nullptr;
        }
        catch (const error& e) {
            writer_->rollback();
            note(e);
            return std::current_exception();
        }
        catch (...) {
            writer_->rollback();
            return std::current_exception();
        }
    }

    void run_one(write_job& job)
    {
        noted_transaction view(writer_->begin_one());
        try {
            job.f.run(job.f.context, view);
            writer_->keep_one();
            if (auto changes = view.take())
                changed_.push_back(std::move(changes));
        }
        catch (...) {
            job.failure = std::current_exception();
            // The group is lost with it: whoever did nothing wrong learns this one's reason.
            if (!writer_->undo_one())
                throw;
        }
    }

    // After a failed sync nobody knows what the disk holds, and a damaged database gets worse by
    // writing: only a restart, which reads the files anew, may trust them again.
    void note(const error& e)
    {
        // A disk that stays full is one record, not one per call.
        if (e.code() != last_failure_)
            log::write(log::level::error, log::store_failed, "a group of transactions was undone",
                       {{"WHARF_ERRC", std::string(to_name(e.code()))}, {"REASON", e.text()}});
        last_failure_ = e.code();
        if (e.code() != errc::store_failed && e.code() != errc::store_corrupt)
            return;
        broken_ = std::make_exception_ptr(
            error(e.code(), e.text() + "; changes are refused until the daemon is restarted"));
        refuses_changes_ = true;
    }

    void tidy()
    {
        try {
            if (writer_->tidy())
                ++checkpoints_;
        }
        catch (const error& e) {
            log::write(log::level::warning, log::store_not_folded,
                       "the log was not folded into the database",
                       {{"WHARF_ERRC", std::string(to_name(e.code()))}, {"REASON", e.text()}});
        }
    }

    void read_loop(store_reader& reader)
    {
        std::vector<read_job> jobs;
        while (reads_.pop(jobs, 1)) {
            read_job& job = jobs.front();
            std::exception_ptr failure;
            try {
                job.f.run(job.f.context, reader.begin());
            }
            catch (...) {
                failure = std::current_exception();
            }
            reader.end();
            ++reads_done_;
            complete(std::move(job.done), std::move(failure));
            jobs.clear();
        }
    }

    const store_options options_;
    job_queue<write_job> writes_;
    job_queue<read_job> reads_;
    mutable std::mutex engine_mutex_; // describe() against close()
    std::unique_ptr<store_engine> engine_;
    std::unique_ptr<store_writer> writer_;
    std::vector<std::unique_ptr<store_reader>> readers_;
    std::optional<change_feed> feed_;
    std::vector<std::thread> threads_;
    std::vector<change_feed::changes_ptr> changed_; // by the group; of the writer thread
    std::exception_ptr broken_;                     // of the writer thread, as the next
    errc last_failure_{};                           // why the last group was undone
    std::atomic<bool> refuses_changes_ = false;
    std::atomic<std::uint64_t> transactions_ = 0, commits_ = 0, reads_done_ = 0, refused_ = 0,
                               failed_ = 0, checkpoints_ = 0;
};

store::store(const store_options& options) : store(open_sqlite(options), options) {}

store::store(std::unique_ptr<store_engine> engine, const store_options& options)
    : core_(std::make_unique<core>(std::move(engine), options))
{}

store::~store() = default;

boost::asio::awaitable<void> store::transact(work<transaction> f)
{
    auto start = [this, f](completion&& done) {
        core_->push(core::write_job{f, std::move(done), nullptr});
    };
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                       void(std::exception_ptr)>(start, boost::asio::use_awaitable);
}

boost::asio::awaitable<void> store::read(work<const snapshot> f)
{
    auto start = [this, f](completion&& done) { core_->push(core::read_job{f, std::move(done)}); };
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                       void(std::exception_ptr)>(start, boost::asio::use_awaitable);
}

void store::close()
{
    core_->close();
}

const store_options& store::options() const noexcept
{
    return core_->options();
}

void store::end_watches() noexcept
{
    core_->feed().end();
}

change_feed& store::feed() noexcept
{
    return core_->feed();
}

store::counts store::statistics() const
{
    return core_->statistics();
}

std::vector<std::pair<std::string, std::string>> store::describe() const
{
    return core_->describe();
}

} // namespace wharf
