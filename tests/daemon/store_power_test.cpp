// Power loss: what was not synced is dropped, and everything acknowledged must still be there.
#include "store_support.hpp"

#include <boost/test/unit_test.hpp>

#include <map>
#include <mutex>
#include <random>
#include <set>

#include <sqlite3.h>

using namespace store_test;

namespace {

/// Keeps a second directory with what each file of the first held when it was last synced: the
/// least that a disk holds after power was lost. Sits between SQLite and its own VFS.
class synced_files {
public:
    synced_files(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to))
    {
        const std::lock_guard lock(mutex);
        current = this;
        if (base == nullptr) {
            base = sqlite3_vfs_find(nullptr);
            shim = *base;
            shim.zName = "synced_files";
            shim.pNext = nullptr;
            shim.xOpen = &open;
            shim.xDelete = &remove;
        }
        sqlite3_vfs_register(&shim, 1);
    }
    ~synced_files()
    {
        const std::lock_guard lock(mutex);
        sqlite3_vfs_register(base, 1);
        current = nullptr;
    }
    synced_files(const synced_files&) = delete;
    synced_files& operator=(const synced_files&) = delete;

    /// The disk takes no more, whatever it says: the negative control.
    void lie() { lies_ = true; }

    void power_loss(const std::string& to) const
    {
        const std::lock_guard lock(mutex);
        std::filesystem::copy(to_, to);
    }

private:
    static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out)
    {
        const int code = base->xOpen(base, name, file, flags, out);
        const std::lock_guard lock(mutex);
        const bool ours = code == SQLITE_OK && name != nullptr && current != nullptr &&
                          std::string_view(name).starts_with(current->from_ + "/");
        if (!ours)
            return code;
        // The database, its journal and its log have tables of their own; only xSync is replaced.
        const auto [table, is_new] = methods.try_emplace(file->pMethods, *file->pMethods);
        if (is_new) {
            sync_of_base = table->second.xSync;
            table->second.xSync = &sync;
        }
        current->paths_[file] = name;
        current->never_synced_.insert(file);
        file->pMethods = &table->second;
        return code;
    }
    static int remove(sqlite3_vfs*, const char* name, int sync_directory)
    {
        const int code = base->xDelete(base, name, sync_directory);
        const std::lock_guard lock(mutex);
        if (code == SQLITE_OK && current != nullptr &&
            std::string_view(name).starts_with(current->from_ + "/"))
            current->deleted_.push_back(std::filesystem::path(name).filename());
        return code;
    }
    static int sync(sqlite3_file* file, int flags)
    {
        const int code = sync_of_base(file, flags);
        const std::lock_guard lock(mutex);
        if (code == SQLITE_OK && current != nullptr && !current->lies_) {
            const std::filesystem::path path = current->paths_.at(file);
            // SQLite syncs the directory with a new file: what was deleted before is gone then.
            if (current->never_synced_.erase(file) != 0) {
                for (const auto& name : current->deleted_)
                    std::filesystem::remove(current->to_ / name);
                current->deleted_.clear();
            }
            std::filesystem::copy_file(path, current->to_ / path.filename(),
                                       std::filesystem::copy_options::overwrite_existing);
        }
        return code;
    }

    static inline std::mutex mutex;
    static inline synced_files* current = nullptr;
    static inline sqlite3_vfs* base = nullptr;
    static inline sqlite3_vfs shim{};
    static inline std::map<const sqlite3_io_methods*, sqlite3_io_methods> methods;
    static inline int (*sync_of_base)(sqlite3_file*, int) = nullptr;

    const std::string from_;
    const std::filesystem::path to_;
    std::map<sqlite3_file*, std::string> paths_;
    std::set<sqlite3_file*> never_synced_;
    std::vector<std::filesystem::path> deleted_; // and the directory not synced since
    bool lies_ = false;
};

/// Writes, loses power at random moments, and counts acknowledged objects that are gone.
int objects_lost(bool disk_lies, int& losses_of_power)
{
    const scratch live, disk, after;
    std::mt19937 random(20260103);
    struct moment {
        std::string directory;
        std::vector<std::string> acknowledged;
    };
    std::vector<moment> moments;
    {
        synced_files files(live.path(), disk.path());
        auto options = options_for(live.path());
        options.wal_bytes = 64u << 10; // checkpoints are in the test too
        wharf::store s(options);
        put(s, "first", "value of first");
        if (disk_lies)
            files.lie();
        std::vector<std::string> acknowledged{"first"};
        auto lane = [&](int id) -> boost::asio::awaitable<void> {
            for (int i = 0; i < 40; ++i) {
                const std::string key = std::to_string(id) + "/" + std::to_string(i);
                const auto value = bytes("value of " + key);
                auto change = [&](wharf::transaction& t) { t.put(key, value); };
                co_await s.async_transact(change);
                acknowledged.push_back(key);
                if (random() % 16 != 0)
                    continue;
                const std::string to = after.file(std::to_string(moments.size()));
                moments.push_back({to, acknowledged});
                files.power_loss(to);
            }
        };
        boost::asio::io_context context;
        std::vector<std::future<void>> lanes;
        for (int id = 0; id < 6; ++id)
            lanes.push_back(boost::asio::co_spawn(context, lane(id), boost::asio::use_future));
        context.run();
        for (auto& done : lanes)
            done.get();
        BOOST_TEST(s.statistics().checkpoints > 0u);
    }
    int lost = 0;
    for (const moment& m : moments) {
        wharf::store s(options_for(m.directory));
        auto look = [&](const wharf::snapshot& view) {
            for (const std::string& key : m.acknowledged) {
                const auto found = view.get(key);
                lost += found && found->value == bytes("value of " + key) ? 0 : 1;
            }
        };
        wait_for(s.async_read(look));
    }
    losses_of_power = static_cast<int>(moments.size());
    return lost;
}

} // namespace

BOOST_AUTO_TEST_SUITE(store_power)

BOOST_AUTO_TEST_CASE(everything_acknowledged_survives_the_loss_of_what_was_not_synced)
{
    int losses_of_power = 0;
    BOOST_TEST(objects_lost(false, losses_of_power) == 0);
    BOOST_TEST(losses_of_power > 5);
}

BOOST_AUTO_TEST_CASE(a_disk_that_does_not_sync_is_found_out)
{
    int losses_of_power = 0;
    BOOST_TEST(objects_lost(true, losses_of_power) > 0);
}

BOOST_AUTO_TEST_SUITE_END()
