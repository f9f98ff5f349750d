// A cage for one program: a directory lies where another one is seen, everything else can only be read, there is no network,
// no socket, no other process. Only async-signal-safe calls: the process that forked has threads.
#define _GNU_SOURCE
#include "patch_cage.h"
#include "patch_native.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// glibc's sys/mount.h and linux/mount.h cannot both be included.
extern int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);

enum { FLAG_NOSUID = 2, FLAG_NODEV = 4, FLAG_NOEXEC = 8, FLAG_RDONLY = 1, FLAG_REC = 16384, FLAG_PRIVATE = 1 << 18 };

static int write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t count = write(fd, text, strlen(text));
    int why = errno;
    close(fd);
    errno = why;
    return count < 0 ? -1 : 0;
}

// "1000 1000 1": the same number on both sides.
static void same_number(char *text, unsigned number) {
    char digits[16];
    int count = 0;
    do digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    char *to = text;
    for (int side = 0; side < 2; side++) {
        for (int at = count; at > 0; at--) *to++ = digits[at - 1];
        *to++ = ' ';
    }
    *to++ = '1';
    *to = 0;
}

static int become_own_namespace(void) {
    int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID;
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (uid == 0) return unshare(flags);
    // Who may not be traced may not say who he is there either; no descriptor of the process that forked is left here.
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) return -1;
    if (unshare(flags | CLONE_NEWUSER) < 0) return -1;
    char map[40];
    if (write_file("/proc/self/setgroups", "deny") < 0) return -1;
    same_number(map, uid);
    if (write_file("/proc/self/uid_map", map) < 0) return -1;
    same_number(map, gid);
    return write_file("/proc/self/gid_map", map);
}

static int clone_tree(const char *path) {
    return (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
}

static int attach(int tree, const char *path) {
    int result = (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
    int why = errno;
    close(tree);
    errno = why;
    return result;
}

// What can only be read can hold device files all the same, which can be written.
static int restrict_mount(int tree, const char *path, unsigned flags, uint64_t attributes_set) {
    struct mount_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.attr_set = attributes_set | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID;
    return (int)syscall(SYS_mount_setattr, tree, path, flags, &attributes, sizeof attributes);
}

static int make_parents(const char *path) {
    char place[4096];
    size_t length = strlen(path);
    if (length >= sizeof place) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(place, path, length + 1);
    for (size_t at = 1; at <= length; at++) {
        if (place[at] != '/' && place[at] != 0) continue;
        char end = place[at];
        place[at] = 0;
        if (mkdir(place, 0755) < 0 && errno != EEXIST) {
            // It may be there in what can only be read.
            struct stat found;
            if (stat(place, &found) < 0) return -1;
        }
        place[at] = end;
    }
    return 0;
}

static int empty(const char *path, const char *mode) {
    struct stat found;
    // A link (/var/run, /var/tmp) leads to what is emptied by its own name.
    if (lstat(path, &found) < 0 || !S_ISDIR(found.st_mode)) return 0;
    return mount("tmpfs", path, "tmpfs", FLAG_NOSUID | FLAG_NODEV, mode);
}

static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"};
enum { DEVICE_COUNT = sizeof devices / sizeof *devices };

static int arrange_mounts(const struct patch_cage *cage) {
    // Nothing of this comes out.
    if (mount("none", "/", NULL, FLAG_REC | FLAG_PRIVATE, NULL) < 0) return -1;
    int own[DEVICE_COUNT];
    for (int index = 0; index < DEVICE_COUNT; index++) {
        own[index] = clone_tree(devices[index]);
        if (own[index] < 0) return -1;
    }
    int copy = clone_tree(cage->copy);
    if (copy < 0 || restrict_mount(copy, "", AT_EMPTY_PATH, 0) < 0) return -1;
    if (restrict_mount(AT_FDCWD, "/", AT_RECURSIVE, MOUNT_ATTR_RDONLY) < 0) return -1;
    if (empty("/tmp", "mode=1777") < 0 || empty("/var/tmp", "mode=1777") < 0 || empty("/run", "mode=755") < 0) return -1;
    if (empty("/dev", "mode=755") < 0 || mkdir("/dev/shm", 01777) < 0 || chmod("/dev/shm", 01777) < 0) return -1;
    for (int index = 0; index < DEVICE_COUNT; index++) {
        int made = open(devices[index], O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (made < 0) return -1;
        close(made);
        if (attach(own[index], devices[index]) < 0) return -1;
    }
    if (symlink("/proc/self/fd", "/dev/fd") < 0 || symlink("/proc/self/fd/0", "/dev/stdin") < 0 ||
        symlink("/proc/self/fd/1", "/dev/stdout") < 0 || symlink("/proc/self/fd/2", "/dev/stderr") < 0) return -1;
    if (make_parents(cage->place) < 0) return -1;
    return attach(copy, cage->place);
}

// Root keeps what concerns files that can be written at all, and users.
static int drop_capabilities(void) {
    if (geteuid() != 0) return 0;
    const unsigned kept = 1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE | 1U << CAP_FOWNER | 1U << CAP_FSETID | 1U << CAP_SETUID |
                          1U << CAP_SETGID | 1U << CAP_KILL;
    for (int number = 0; number < 64; number++) {
        if (number < 32 && (kept >> number & 1)) continue;
        if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0 && errno != EINVAL) return -1;
    }
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2] = {{.effective = kept, .permitted = kept, .inheritable = 0}, {0, 0, 0}};
    return (int)syscall(SYS_capset, &header, data);
}

// Sockets in files would lead to servers outside. What could be used to get round that is not there either.
static int forbid_sockets(void) {
    if (NATIVE_ARCHITECTURE == 0) {
        errno = ENOSYS;
        return -1;
    }
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        // x32
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open_by_handle_at, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
    struct sock_fprog filter = {.len = sizeof program / sizeof *program, .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}

static void end_as(int status) {
    if (WIFSIGNALED(status)) {
        signal(WTERMSIG(status), SIG_DFL);
        kill(getpid(), WTERMSIG(status));
        // The first process of its namespace is not ended by itself.
        _exit(128 + WTERMSIG(status));
    }
    _exit(WEXITSTATUS(status));
}

// Waits for one child among all that are left here, and ends as it does; with it, all others of the namespace end.
static void wait_for(pid_t child) {
    int status = 0;
    while (1) {
        pid_t ended = waitpid(-1, &status, 0);
        if (ended == child) end_as(status);
        if (ended < 0 && errno != EINTR) _exit(127);
    }
}

int patch_enter_cage(const struct patch_cage *cage, int report) {
    // With who started it, all of it ends.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != cage->starter) return -1;
    if (become_own_namespace() < 0 || arrange_mounts(cage) < 0) return -1;
    int alive[2];
    if (pipe2(alive, O_CLOEXEC) < 0) return -1;
    pid_t init = fork();
    if (init < 0) return -1;
    if (init > 0) {
        // It is open in the program until that runs.
        close(report);
        close(alive[0]);
        wait_for(init);
    }
    close(alive[1]);
    struct pollfd end = {.fd = alive[0], .events = 0};
    // The one outside may be gone before it can be said what is to happen then.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || poll(&end, 1, 0) != 0) return -1;
    unsigned long flags = FLAG_NOSUID | FLAG_NODEV | FLAG_NOEXEC | (geteuid() == 0 ? FLAG_RDONLY : 0);
    if (mount("proc", "/proc", "proc", flags, NULL) < 0) return -1;
    pid_t program = fork();
    if (program < 0) return -1;
    if (program > 0) {
        close(report);
        wait_for(program);
    }
    if (chdir(cage->place) < 0 || drop_capabilities() < 0) return -1;
    return forbid_sockets();
}
