// The crowd's peers: what each kind writes, and the one loop that lets all of them act.
#include "crowd.hpp"

#include "commands.hpp"
#include "hostile_bytes.hpp"
#include "sockets.hpp"

#include <algorithm>
#include <cerrno>
#include <random>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stress {

namespace {

/// Each peer acts once in this time: a dribbling one writes a byte, ...
constexpr std::chrono::milliseconds turn_time(50);
/// ... and a hostile one this much.
constexpr std::size_t hostile_bytes_per_turn = 16u << 10;
constexpr std::size_t other_bytes_per_turn = 4u << 10;
/// A peer that was closed stays away for so many turns.
constexpr int turns_away = 4;

enum class way {
    stalled,
    stalled_stream,
    dribbling,
    // Hostile from here on.
    garbage,
    garbage_later,
    half_header,
    half_frame,
    huge_length,
    pings,
    cancels,
    windows,
    empty_uploads,
    uploads_without_credit,
    declarations,
    unfinished_messages,
    calls_unread,
    calls_unknown,
    replies_unasked,
    reset_at_once,
    end
};
constexpr int first_hostile = static_cast<int>(way::garbage);
constexpr int hostile_ways = static_cast<int>(way::end) - first_hostile;

} // namespace

/// One connection after the other.
class crowd::peer {
public:
    peer(wharf::endpoint where, way how, unsigned seed)
        : where_(std::move(where)), how_(how), random_(seed)
    {}

    /// Connects, or writes its share. Returns the bytes written.
    std::size_t act(crowd& all)
    {
        if (away_ != 0)
            return --away_, 0;
        if (!socket_ && !connect(all))
            return 0;
        if (how_ != way::stalled && how_ != way::stalled_stream && how_ != way::pings &&
            how_ != way::calls_unread)
            read(all);
        const std::size_t n = socket_ ? write(all) : 0;
        if (n != 0 && how_ == way::reset_at_once && turn_ > 1) {
            reset_on_close(socket_.get());
            leave();
        }
        return n;
    }
    bool was_active() const { return was_active_; }

private:
    bool connect(crowd& all)
    {
        socket_ = connect_now(where_);
        if (!socket_)
            return away_ = turns_away, false;
        ++all.connected_;
        out_.clear();
        at_ = 0;
        turn_ = 0;
        next_id_ = 1;
        return true;
    }

    void leave()
    {
        socket_.reset();
        away_ = turns_away;
    }

    void read(crowd& all)
    {
        static char nowhere[64 << 10];
        const ssize_t n = ::recv(socket_.get(), nowhere, sizeof nowhere, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            ++all.closed_, leave();
    }

    std::size_t write(crowd& all)
    {
        std::size_t left = how_ == way::dribbling                    ? 1
                           : static_cast<int>(how_) >= first_hostile ? hostile_bytes_per_turn
                                                                     : other_bytes_per_turn;
        std::size_t written = 0;
        while (left != 0) {
            if (at_ == out_.size()) {
                out_ = next();
                at_ = 0;
                if (out_.empty())
                    break;
            }
            const ssize_t n =
                ::send(socket_.get(), out_.data() + at_, std::min(left, out_.size() - at_),
                       MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n < 0) {
                if (errno != EAGAIN)
                    ++all.closed_, leave();
                break;
            }
            was_active_ = true;
            at_ += static_cast<std::size_t>(n);
            left -= static_cast<std::size_t>(n);
            written += static_cast<std::size_t>(n);
        }
        return written;
    }

    /// What it says next; nothing: it says no more.
    std::string next()
    {
        using namespace bytes;
        const std::uint64_t turn = turn_++;
        if (how_ == way::garbage)
            return noise(512);
        if (turn == 0)
            return greeting();
        switch (how_) {
        case way::stalled:
            return turn == 1 ? declaration(0, fill::name) + calls(250, message_of(fill{64u << 10}))
                             : std::string();
        case way::stalled_stream:
            return turn == 1 ? declaration(0, download::name) +
                                   calls(4, message_of(download{1u << 30, 16u << 10}))
                             : std::string();
        case way::dribbling:
            return (turn == 1 ? declaration(0, ask::name) : std::string()) +
                   calls(1, message_of(ask{7, "dribble"}));
        case way::garbage_later: return noise(512);
        case way::half_header: return turn == 1 ? std::string(9, '\0') : std::string();
        case way::half_frame: return turn == 1 ? header(100, ping) + "half" : std::string();
        case way::huge_length: return header(0xffffffff, call, 0, 0, next_id_++) + noise(64);
        case way::pings: return repeated(100, [&] { return frame(ping, u64(next_id_++)); });
        case way::cancels:
            return (turn == 1 ? declaration(0, fill::name) : std::string()) + repeated(20, [&] {
                       const std::uint64_t id = next_id_++;
                       return frame(call, message_of(fill{60000}), 0, 0, id) +
                              frame(cancel, {}, 0, 0, id) + frame(cancel, {}, 0, 0, id);
                   });
        case way::windows: return repeated(100, [&] { return frame(window, u32(1)); });
        case way::empty_uploads:
            return begin_upload(turn) + repeated(100, [&] { return frame(upload, {}, 0, 0, 1); });
        case way::uploads_without_credit:
            return begin_upload(turn) + frame(upload, std::string(32000, '\1'), 0, 0, 1);
        case way::declarations:
            return repeated(100, [&] {
                const auto n = static_cast<std::uint16_t>(next_id_++ - 1);
                return declaration(n, "some.name" + std::to_string(n));
            });
        case way::unfinished_messages:
            return (turn == 1 ? declaration(0, fill::name) : std::string()) +
                   frame(call, std::string(16000, '\0'), more, 0, next_id_++);
        case way::calls_unread:
            return (turn == 1 ? declaration(0, hold::name) : std::string()) +
                   calls(50, message_of(hold{}));
        case way::calls_unknown:
            return (turn == 1 ? declaration(0, "no.such") : std::string()) + calls(50, "?");
        case way::replies_unasked: return frame(reply, "?", 0, 0, next_id_++);
        case way::reset_at_once: return turn == 1 ? header(16, call) : std::string();
        default: return {};
        }
    }

    std::string calls(int count, const std::string& message)
    {
        return repeated(count,
                        [&] { return bytes::frame(bytes::call, message, 0, 0, next_id_++); });
    }
    std::string begin_upload(std::uint64_t turn)
    {
        return turn == 1
                   ? bytes::declaration(0, upload_all::name) + calls(1, message_of(upload_all{}))
                   : std::string();
    }
    template <class F>
    static std::string repeated(int count, F one)
    {
        std::string out;
        for (int i = 0; i != count; ++i)
            out += one();
        return out;
    }
    std::string noise(std::size_t size)
    {
        std::string out(size, '\0');
        for (char& c : out)
            c = static_cast<char>(random_());
        return out;
    }

    const wharf::endpoint where_;
    const way how_;
    std::minstd_rand random_;
    socket_fd socket_;
    std::string out_;
    std::size_t at_ = 0;
    std::uint64_t turn_ = 0, next_id_ = 1;
    int away_ = 0;
    bool was_active_ = false;
};

crowd::crowd(std::vector<wharf::endpoint> where, crowd_size size)
    : waker_(::eventfd(0, EFD_CLOEXEC))
{
    const auto add = [&](way how) {
        const auto n = static_cast<unsigned>(peers_.size());
        peers_.push_back(
            std::make_unique<peer>(where[n / hostile_ways % where.size()], how, n + 1));
    };
    for (int i = 0; i != size.stalled; ++i)
        add(i % 4 == 3 ? way::stalled_stream : way::stalled);
    for (int i = 0; i != size.dribbling; ++i)
        add(way::dribbling);
    for (int i = 0; i != size.hostile; ++i)
        add(static_cast<way>(first_hostile + i % hostile_ways));
    thread_ = std::thread([this] { run(); });
}

crowd::~crowd()
{
    ::eventfd_write(waker_, 1);
    thread_.join();
    ::close(waker_);
}

/// Peers act in turns that fill turn_time evenly; between two slices the loop waits for its end.
void crowd::run()
{
    constexpr std::size_t slices = 10;
    auto next = clock::now();
    bool told = false;
    for (std::size_t slice = 0;; slice = (slice + 1) % slices) {
        for (std::size_t i = slice; i < peers_.size(); i += slices)
            written_ += peers_[i]->act(*this);
        if (slice + 1 == slices && !told) {
            told = std::all_of(peers_.begin(), peers_.end(),
                               [](const auto& each) { return each->was_active(); });
            const std::lock_guard lock(mutex_);
            is_complete_ = told;
            changed_.notify_all();
        }
        next = std::max<clock::time_point>(
            next + std::chrono::duration_cast<clock::duration>(turn_time) / int(slices),
            clock::now());
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - clock::now());
        pollfd stop{waker_, POLLIN, 0};
        if (::poll(&stop, 1, static_cast<int>(left.count())) != 0)
            return;
    }
}

bool crowd::is_complete(std::chrono::milliseconds within) const
{
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, within, [this] { return is_complete_; });
}

crowd::counts crowd::so_far() const
{
    return {connected_, closed_, written_};
}

} // namespace stress
