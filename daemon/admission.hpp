// Who may connect and what they may call: the ordered allow table, without sockets.
#pragma once

#include <wharf/options.hpp>
#include <wharf/service.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace wharf {

/// What admission asks of the system's accounts; a test gives its own.
struct accounts {
    std::function<std::optional<std::uint32_t>(const std::string& user)> uid_of;
    std::function<std::optional<std::uint32_t>(const std::string& group)> gid_of;
    /// Empty when the uid has no account.
    std::function<std::string(std::uint32_t uid)> name_of;
    /// The groups of the account: primary and supplementary.
    std::function<std::vector<std::uint32_t>(std::uint32_t uid, std::uint32_t gid)> groups_of;
    std::uint32_t own_uid = 0;
};

/// The accounts of this machine, through the name service switch.
accounts system_accounts();

/// The allow table and the roles, with all names resolved. Constant after construction.
/// Distinct objects: safe. Shared objects: safe.
class admission {
public:
    /// Throws error(errc::bad_argument) for a rule that names an unknown listener, method, user,
    /// group or role, or has a bad subject; the text says which rule and what was expected.
    admission(const server_options& options, accounts who);

    /// The first rule that fits decides; nothing when none does.
    std::optional<principal> admit(std::string_view listener, const peer_address& peer) const;

    /// May a peer of this listener ever be admitted?
    bool can_admit(std::string_view listener, bool is_unix) const;

    /// May the role call the command?
    bool may_call(std::string_view role, std::string_view command) const;

private:
    struct anyone {};
    struct own {};
    struct user {
        std::uint32_t uid;
    };
    struct group {
        std::uint32_t gid;
    };
    struct network {
        boost::asio::ip::address base;
        unsigned bits;
    };
    using subject = std::variant<anyone, own, user, group, network>;
    struct rule {
        std::string listener;
        bool by_credentials;
        subject who;
        std::string role;
    };

    subject read_subject(const allow_rule& line, const std::string& where) const;
    subject read_unix_subject(const std::string& text, const std::string& where) const;
    bool fits(const rule& line, const peer_address& peer) const;

    accounts accounts_;
    std::vector<rule> rules_;
    std::vector<role_options> roles_;
};

/// The name by which allow lines and logs know a listener.
std::string listener_name(const listener_options& listener);

/// Why a listener that nobody may use is refused, with the line to add.
std::string missing_allow_text(const listener_options& listener);

} // namespace wharf
