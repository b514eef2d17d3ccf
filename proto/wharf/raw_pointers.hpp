// Whether raw pointers to a class may travel, and who owns what they point to.
#pragma once

namespace wharf {

/// What a raw pointer to a class means to the archive.
enum class raw_pointers {
    /// It does not compile. The default: bytes from a peer cannot know who deletes.
    refused,
    /// It owns what it points to, and nothing else points there. A loaded object is the archive's
    /// until its own body is complete, then the pointer's: the class that holds the pointer deletes
    /// it. A second pointer to the same object, and a cycle, are refused by store and load.
    unique,
    /// Any number of them, cycles included, point to an object that somebody else owns, a list of
    /// all nodes for example: the class that holds the pointer promises that its destructor deletes
    /// nothing. Loaded objects are the program's once the value that `>>` names is complete; where
    /// that fails, the archive deletes them, and the pointers loaded so far must not be followed.
    /// Pointers of one `>>` never meet objects of another.
    aliased,
};

/// Specialise for a class T, where its pointers T* (and const T*) travel:
///     template <>
///     inline constexpr auto wharf::raw_pointers_of<node> = wharf::raw_pointers::unique;
/// The policy goes by the pointer's static type; what a loaded pointer held before is not deleted.
template <class T>
inline constexpr raw_pointers raw_pointers_of = raw_pointers::refused;

} // namespace wharf
