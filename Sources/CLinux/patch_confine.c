// Confines this process to reading bytes of strangers: limits, no new privileges, landlock where the kernel has it, seccomp.
// For a process that has not started a second thread yet: landlock and seccomp are each thread's own.
#define _GNU_SOURCE
#include "patch_linux.h"
#include "patch_native.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// MARK: limits

static int limit(int resource, uint64_t value) {
    struct rlimit now;
    if (getrlimit(resource, &now) < 0) return -1;
    if (now.rlim_max != RLIM_INFINITY && now.rlim_max < value) value = now.rlim_max;
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value};
    return setrlimit(resource, &limit);
}

// MARK: landlock

// As in linux/landlock.h, of which an older one lacks some.
struct ruleset_attributes {
    uint64_t files, network, scoped;
};
struct path_attributes {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

enum {
    LANDLOCK_CREATE = 444,
    LANDLOCK_ADD = 445,
    LANDLOCK_RESTRICT = 446,
    GET_VERSION = 1,
    PATH_BENEATH = 1,
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIRECTORY = 1 << 3,
    REMOVE_DIRECTORY = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_DIRECTORY = 1 << 7,
    MAKE_FILE = 1 << 8,
    TRUNCATE = 1 << 14,
};

static int allow(int ruleset, int parent, uint64_t access, uint64_t handled) {
    struct path_attributes rule = {.allowed = access & handled, .parent = parent};
    return (int)syscall(LANDLOCK_ADD, ruleset, PATH_BENEATH, &rule, 0);
}

static int allow_path(int ruleset, const char *path, uint64_t access, uint64_t handled) {
    int parent = open(path, O_PATH | O_CLOEXEC);
    // What this host does not have needs no leave.
    if (parent < 0) return errno == ENOENT || errno == EACCES ? 0 : -1;
    int result = allow(ruleset, parent, access, handled);
    int why = errno;
    close(parent);
    errno = why;
    return result;
}

// 0 where the kernel has none.
static int landlock(const struct patch_confinement *c) {
    int version = (int)syscall(LANDLOCK_CREATE, NULL, 0, GET_VERSION);
    // EPERM: a service's or a container's own filter of system calls does not know it.
    if (version < 1) return errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM ? 0 : -1;
    struct ruleset_attributes attributes = {.files = (1 << 13) - 1};
    size_t size = sizeof attributes.files;
    if (version >= 2) attributes.files |= 1 << 13;  // to move between directories
    if (version >= 3) attributes.files |= TRUNCATE;
    if (version >= 4) {
        attributes.network = 3;  // to bind and to connect by TCP
        size += sizeof attributes.network;
    }
    if (version >= 5) attributes.files |= 1 << 15;  // ioctl(2) on devices
    if (version >= 6) {
        attributes.scoped = 3;  // abstract sockets and processes outside
        size += sizeof attributes.scoped;
    }
    int ruleset = (int)syscall(LANDLOCK_CREATE, &attributes, size, 0);
    if (ruleset < 0) return -1;
    const uint64_t handled = attributes.files;
    const uint64_t reading = READ_FILE | READ_DIRECTORY | (c->runs_programs ? EXECUTE : 0);
    const uint64_t writing =
        reading | WRITE_FILE | TRUNCATE | MAKE_FILE | MAKE_DIRECTORY | REMOVE_FILE | REMOVE_DIRECTORY;
    const char *const libraries[] = {"/usr", "/lib", "/lib64", "/opt/swift"};
    int result = 0;
    if (c->runs_programs) {
        result = allow_path(ruleset, "/", reading, handled);
    } else {
        for (size_t index = 0; result == 0 && index < sizeof libraries / sizeof *libraries; index++)
            result = allow_path(ruleset, libraries[index], reading, handled);
    }
    if (result == 0) result = allow_path(ruleset, "/dev/null", READ_FILE | WRITE_FILE, handled);
    for (size_t index = 0; result == 0 && index < c->readable_count; index++)
        result = allow(ruleset, c->readable[index], reading, handled);
    for (size_t index = 0; result == 0 && index < c->writable_count; index++)
        result = allow(ruleset, c->writable[index], writing, handled);
    if (result == 0) result = (int)syscall(LANDLOCK_RESTRICT, ruleset, 0);
    int why = errno;
    close(ruleset);
    errno = why;
    return result < 0 ? -1 : 1;
}

// MARK: seccomp

// All that a reader calls, and its runtime. Nothing of it makes a process, a socket or a mount, or touches another process.
static const int reader_calls[] = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_lseek, SYS_close,
    SYS_close_range, SYS_openat, SYS_openat2, SYS_newfstatat, SYS_fstat, SYS_statx, SYS_fstatfs, SYS_statfs, SYS_getdents64,
    SYS_mkdirat, SYS_unlinkat, SYS_renameat, SYS_renameat2, SYS_fchmod, SYS_fchmodat, SYS_ftruncate, SYS_fallocate,
    SYS_fsync, SYS_fdatasync, SYS_syncfs, SYS_sync_file_range, SYS_copy_file_range, SYS_sendfile, SYS_fadvise64, SYS_readahead,
    SYS_readlinkat, SYS_faccessat, SYS_faccessat2, SYS_utimensat, SYS_umask, SYS_getcwd, SYS_fcntl, SYS_flock, SYS_ioctl,
    SYS_dup, SYS_dup3, SYS_pipe2, SYS_eventfd2, SYS_memfd_create, SYS_fgetxattr, SYS_flistxattr, SYS_mmap, SYS_munmap,
    SYS_mremap, SYS_mprotect, SYS_madvise, SYS_msync, SYS_mincore, SYS_brk, SYS_futex, SYS_set_robust_list,
    SYS_get_robust_list, SYS_rseq, SYS_membarrier, SYS_set_tid_address, SYS_sched_yield, SYS_sched_getaffinity,
    SYS_sched_getparam, SYS_sched_getscheduler, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigsuspend,
    SYS_rt_sigtimedwait, SYS_rt_sigpending, SYS_sigaltstack, SYS_restart_syscall, SYS_exit, SYS_exit_group, SYS_getpid,
    SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getgroups, SYS_getpgid, SYS_getsid,
    SYS_getrusage, SYS_getrlimit, SYS_prlimit64, SYS_times, SYS_uname, SYS_sysinfo, SYS_getcpu, SYS_getrandom, SYS_prctl,
    SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday, SYS_ppoll, SYS_pselect6,
    SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime,
#ifdef SYS_open
    SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_mkdir, SYS_rmdir, SYS_unlink, SYS_rename, SYS_readlink, SYS_chmod, SYS_pipe,
    SYS_dup2, SYS_poll, SYS_select, SYS_epoll_wait, SYS_time, SYS_arch_prctl, SYS_pause, SYS_alarm, SYS_getdents,
#endif
};

// What no program that a reader starts needs. It is a service's filter that allows a list.
static const int program_refusals[] = {
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_kcmp, SYS_perf_event_open, SYS_bpf,
    SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_keyctl, SYS_add_key, SYS_request_key,
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_move_mount, SYS_open_tree, SYS_fsopen, SYS_fsmount, SYS_fsconfig,
    SYS_fspick, 442 /* mount_setattr */, SYS_unshare, SYS_setns, SYS_open_by_handle_at, SYS_init_module, SYS_finit_module,
    SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl, SYS_syslog,
    SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_sethostname, SYS_setdomainname, SYS_personality,
    SYS_fanotify_init, SYS_name_to_handle_at, SYS_mknodat,
};

#define NAMESPACES \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

enum { MOST = 400, REFUSE = SECCOMP_RET_ERRNO | EPERM, MISSING = SECCOMP_RET_ERRNO | ENOSYS };

struct filter {
    struct sock_filter code[MOST];
    unsigned short length;
};

static void add(struct filter *filter, struct sock_filter statement) {
    if (filter->length < MOST) filter->code[filter->length] = statement;
    filter->length++;
}

static void give(struct filter *filter, uint32_t answer) {
    add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer));
}

static void load(struct filter *filter, uint32_t offset) {
    add(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

// Gives an answer for one call.
static void answer(struct filter *filter, int call, uint32_t result) {
    add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1));
    give(filter, result);
}

// Answers one call by its first argument, of which the lower half is looked at: BPF_JEQ whether it is the value, BPF_JSET whether
// it has a bit of it.
static void answer_by_argument(struct filter *filter, int call, unsigned short test, uint32_t value, uint32_t yes, uint32_t no) {
    add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 4));
    load(filter, offsetof(struct seccomp_data, args[0]));
    add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | test | BPF_K, value, 0, 1));
    give(filter, yes);
    give(filter, no);
}

static void begin(struct filter *filter) {
    filter->length = 0;
    load(filter, offsetof(struct seccomp_data, arch));
    add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCHITECTURE, 1, 0));
    give(filter, SECCOMP_RET_KILL_PROCESS);
    load(filter, offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
    // x32
    add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));
    give(filter, REFUSE);
#endif
}

static int seccomp(const struct patch_confinement *c) {
    if (NATIVE_ARCHITECTURE == 0) return 0;
    struct filter filter;
    begin(&filter);
    if (c->runs_programs) {
        for (size_t index = 0; index < sizeof program_refusals / sizeof *program_refusals; index++)
            answer(&filter, program_refusals[index], REFUSE);
        // The user database may be a service's.
        answer_by_argument(&filter, SYS_socket, BPF_JEQ, AF_UNIX, SECCOMP_RET_ALLOW, REFUSE);
        // No namespaces. What clone3(2) is to do cannot be seen; the C library then takes clone(2).
        answer(&filter, SYS_clone3, MISSING);
        answer_by_argument(&filter, SYS_clone, BPF_JSET, NAMESPACES, REFUSE, SECCOMP_RET_ALLOW);
        give(&filter, SECCOMP_RET_ALLOW);
    } else {
        for (size_t index = 0; index < sizeof reader_calls / sizeof *reader_calls; index++)
            answer(&filter, reader_calls[index], SECCOMP_RET_ALLOW);
        // Threads, and no processes.
        answer(&filter, SYS_clone3, MISSING);
        answer_by_argument(&filter, SYS_clone, BPF_JSET, CLONE_THREAD, SECCOMP_RET_ALLOW, REFUSE);
        // To end by a signal of its own.
        answer_by_argument(&filter, SYS_kill, BPF_JEQ, (uint32_t)getpid(), SECCOMP_RET_ALLOW, REFUSE);
        answer_by_argument(&filter, SYS_tgkill, BPF_JEQ, (uint32_t)getpid(), SECCOMP_RET_ALLOW, REFUSE);
        give(&filter, REFUSE);
    }
    if (filter.length > MOST) {
        errno = E2BIG;
        return -1;
    }
    struct sock_fprog program = {.len = filter.length, .filter = filter.code};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

int patch_confine(const struct patch_confinement *c) {
    if (geteuid() == 0 || getuid() == 0) {
        errno = EPERM;
        return -1;
    }
    if (limit(RLIMIT_CORE, 0) < 0 || limit(RLIMIT_DATA, c->memory) < 0 || limit(RLIMIT_FSIZE, c->file) < 0 ||
        limit(RLIMIT_CPU, c->seconds) < 0) return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -1;
    int locked = landlock(c);
    if (locked < 0 || seccomp(c) < 0) return -1;
    return locked;
}
