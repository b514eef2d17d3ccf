// What the log tells of: each event has a number for the journal, and wharf.catalog says what to do
// about it.
#pragma once

#include "log.hpp"

namespace wharf::log {

inline constexpr event serving{"c86547bd3a1a4a628b27d94651a10c74", channel::daemon};
inline constexpr event stopping{"343f3dee2b1d453e8d6492d41d2edc29", channel::daemon};
inline constexpr event stopped{"0b97e9c4c8c643d8937027b510ad1c14", channel::daemon};
inline constexpr event stopped_at_once{"1426bcbf8fe74b5da28f0ee3f3a24c9e", channel::daemon};
inline constexpr event drain_asked{"15bf007fad674823a5ef0e207a8adc9d", channel::daemon};
inline constexpr event drain_timeout{"d2a9ec8cdae843e1857a01074d2934e4", channel::daemon};
inline constexpr event reloaded{"bb7cea3c052147b08f8b340b4b469a69", channel::daemon};
inline constexpr event reload_refused{"8853f780a54247f8ad65cff55c1a4edc", channel::daemon};
inline constexpr event level_changed{"f532cd55daf048039fc17540e0f27bf7", channel::daemon};
inline constexpr event configuration_note{"7f78cb69fb1c43779b19fd717c1026f0", channel::daemon};
inline constexpr event version_problem{"3cb74e3a6e584c479edb314a9b5c358c", channel::daemon};
inline constexpr event records_dropped{"fbbb12455f814f1980d9bbfaec1dd6c8", channel::daemon};
inline constexpr event worker_failed{"a177961d07384c52a2845cf8cf485762", channel::daemon};
inline constexpr event no_blocking_thread{"9225a89278f74f55bfa9cfb8154a6f98", channel::daemon};

inline constexpr event listening{"85e35c4667834b21a58dedbe181bb0a7", channel::listener};
inline constexpr event listener_trouble{"17a825a0b1244366883ee2a565ec51a4", channel::listener};
inline constexpr event listener_stopped{"fee52f0a3ca949a6b51200d330f385e8", channel::listener};
inline constexpr event connection_dropped{"4582c62b1bf747a98818c6e026d88a9c", channel::listener};

inline constexpr event peer_refused{"c1d5a873f2a7474da7441b5a61970608", channel::session};
inline constexpr event session_begins{"854384ddad0343c8bcd9bd0b8234620b", channel::session};
inline constexpr event session_ends{"7a988d90ae1d4ce58fe0a34e25dbbbf6", channel::session};
inline constexpr event session_failed{"b40f0228c21048fba00e9e5e641632fe", channel::session};
inline constexpr event hook_refused{"62d9d291eb7b4cfa8a7fa8a1730b89fb", channel::session};
inline constexpr event close_hook_failed{"1961b9351dbb4379a845b037d5214ca6", channel::session};

inline constexpr event handler_failed{"8f61893843e94a318326d1c72bdfa371", channel::call};

inline constexpr event store_unchecked{"2980d3e4074f4bce802c1c6d700c23ba", channel::store};
inline constexpr event store_damaged{"7ab7cad557fb4607b29a28b6fb059a05", channel::store};
inline constexpr event store_upgraded{"daeb033eee2b4643b18f8017850a417c", channel::store};
inline constexpr event store_failed{"40ac76d9a829419ea3eeb8dcf5b54366", channel::store};
inline constexpr event store_recovered{"365273fefc504006b114802e37aad04f", channel::store};
inline constexpr event store_not_folded{"b75900c966f6412db871e60ba9a36013", channel::store};

} // namespace wharf::log
