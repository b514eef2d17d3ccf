// Takes the right to run programs from the process; the only file that includes seccomp.h.
#include <wharf/daemon.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace wharf {

namespace {

// A process may call by the tables of other machines than its own: another number means execve
// there.
#if defined(__x86_64__) && !defined(__ILP32__)
constexpr std::uint32_t own_machine = AUDIT_ARCH_X86_64;
constexpr std::uint32_t call_number_end = 0x40000000; // from here on: x32
#elif defined(__aarch64__)
constexpr std::uint32_t own_machine = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t call_number_end = 0xffffffff;
#else
constexpr std::uint32_t own_machine = 0;
#endif

} // namespace

bool forbid_programs() noexcept
{
    if constexpr (own_machine == 0) {
        return false;
    }
    else {
        constexpr auto load = [](std::size_t offset) {
            return sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)};
        };
        sock_filter program[] = {
            load(offsetof(seccomp_data, arch)),
            {BPF_JMP | BPF_JEQ | BPF_K, 0, 4, own_machine},
            load(offsetof(seccomp_data, nr)),
            {BPF_JMP | BPF_JGE | BPF_K, 2, 0, call_number_end},
            {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SYS_execve},
            {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_execveat},
            {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
            {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
        };
        const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
        // Not by seccomp(2), which could do it for all threads: systemd's @system-service lacks it.
        return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
    }
}

} // namespace wharf
