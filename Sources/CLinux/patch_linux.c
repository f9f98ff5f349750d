#define _GNU_SOURCE
#include "patch_linux.h"

#include "patch_cage.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int patch_open_beneath(int directory, const char *path, int flags, mode_t mode, int stay_on_mount) {
    struct open_how how = {
        .flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
        .mode = (flags & (O_CREAT | O_TMPFILE)) ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                   (stay_on_mount ? RESOLVE_NO_XDEV : 0),
    };
    int fd, tries = 0;
    // EAGAIN: a rename elsewhere raced with the walk, and openat2(2) says to try again; or somebody has a lease on the file,
    // which he may keep for as long as he likes (fcntl(2)).
    do fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < 16)));
    return fd;
}

int patch_open(const char *path, int flags, mode_t mode) {
    int fd;
    do fd = open(path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int patch_look(const char *path) { return open(path, O_PATH | O_CLOEXEC); }

int patch_exchange(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_EXCHANGE);
}

long patch_readable_bytes(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) == 0 ? count : 0;
}

int patch_memory_file(const char *name) {
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0 || fchmod(fd, 0600) == 0) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

int patch_rename_new(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE);
}

int patch_share_blocks(int descriptor, int other) { return ioctl(descriptor, FICLONE, other); }

int patch_syncfs(int descriptor) { return syncfs(descriptor); }

int patch_allocate(int descriptor, int64_t length) { return fallocate(descriptor, 0, 0, length); }

int patch_nobody_writes(int descriptor) {
    if (fcntl(descriptor, F_SETLEASE, F_RDLCK) == 0) {
        fcntl(descriptor, F_SETLEASE, F_UNLCK);
        return 1;
    }
    return errno == EAGAIN || errno == EBUSY ? 0 : -1;
}

int patch_is_immutable(int descriptor) {
    int flags = 0;
    return ioctl(descriptor, FS_IOC_GETFLAGS, &flags) == 0 && (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) != 0;
}

int patch_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int patch_pidfd_signal(int pidfd, int number) { return (int)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0); }

int patch_forbid_tracing(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }

int patch_mount(int directory, const char *path, uint64_t *id, int *is_root) {
    struct statx found;
    if (statx(directory, path, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_MNT_ID, &found) < 0) return -1;
    *id = found.stx_mnt_id;
    *is_root = (found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    return 0;
}

// Only async-signal-safe calls between fork and execve: the daemon has threads.
static void become(const struct patch_process *p, int report) {
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < 65; number++) signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int moved[3];
    // Above 2 first, so that no dup2 overwrites a source that is still needed.
    moved[0] = fcntl(p->input, F_DUPFD, 10);
    moved[1] = fcntl(p->output, F_DUPFD, 10);
    moved[2] = fcntl(p->error, F_DUPFD, 10);
    int report_high = fcntl(report, F_DUPFD_CLOEXEC, 10);
    if (setsid() < 0 || moved[0] < 0 || moved[1] < 0 || moved[2] < 0 || report_high < 0) goto failed;
    if (p->switch_user && (syscall(SYS_setgroups, p->group_count, p->groups) < 0 ||
                           syscall(SYS_setresgid, p->gid, p->gid, p->gid) < 0 ||
                           syscall(SYS_setresuid, p->uid, p->uid, p->uid) < 0)) goto failed;
    if (fchdir(p->directory) < 0) goto failed;
    for (int number = 0; number < 3; number++)
        if (dup2(moved[number], number) < 0) goto failed;
    if (dup2(report_high, 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC) < 0) goto failed;
    report_high = 3;
    syscall(SYS_close_range, 4, ~0U, 0);
    // Now that no descriptor leads out.
    if (p->cage && patch_enter_cage(p->cage, 3) < 0) goto failed;
    execve(p->path, p->arguments, p->environment);
failed:;
    int why = errno;
    (void)!write(report_high < 0 ? report : report_high, &why, sizeof why);
    _exit(127);
}

static void reap(pid_t child) {
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
}

// Waits until the child of a fork(2), whose result this is, has become its program: the pipe closes then. What it writes before
// is the errno of what kept it; it is gone then, or there was none at all, and errno says why.
static pid_t await_start(pid_t child, const int report[2]) {
    int why = errno;
    close(report[1]);
    ssize_t count = 1;
    if (child >= 0) {
        do count = read(report[0], &why, sizeof why);
        while (count < 0 && errno == EINTR);
    }
    close(report[0]);
    if (count == 0) return child;
    if (child >= 0) reap(child);
    errno = why;
    return -1;
}

pid_t patch_spawn(const struct patch_process *process, int *pidfd) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) return -1;
    pid_t child = fork();
    if (child == 0) become(process, report[1]);
    child = await_start(child, report);
    if (child < 0) return -1;
    *pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    if (*pidfd >= 0) return child;
    int why = errno;
    kill(child, SIGKILL);
    reap(child);
    errno = why;
    return -1;
}

pid_t patch_spawn_here(char *const *arguments, const char *directory, int kept) {
    int report[2];
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || pipe2(report, O_CLOEXEC) < 0) return -1;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        sigset_t none;
        sigemptyset(&none);
        // The parent may be gone before it can be said what is to happen then.
        if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent && (!directory || chdir(directory) == 0) &&
            fcntl(kept, F_SETFD, 0) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0)
            execvp(arguments[0], arguments);
        int why = errno;
        (void)!write(report[1], &why, sizeof why);
        _exit(127);
    }
    return await_start(child, report);
}

enum { PARCEL_MAX = 8 };

int patch_pack_descriptors(const int *descriptors, int count) {
    if (count < 1 || count > PARCEL_MAX) {
        errno = EINVAL;
        return -1;
    }
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    char byte = 1;
    struct iovec content = {.iov_base = &byte, .iov_len = 1};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * PARCEL_MAX)];
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {.msg_iov = &content,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
    memcpy(CMSG_DATA(rights), descriptors, sizeof(int) * (size_t)count);
    ssize_t sent = sendmsg(ends[0], &message, MSG_NOSIGNAL);
    int error = errno;
    close(ends[0]);
    if (sent == 1) return ends[1];
    close(ends[1]);
    errno = error;
    return -1;
}

int patch_unpack_descriptors(int socket, int *descriptors, int count) {
    char byte;
    struct iovec content = {.iov_base = &byte, .iov_len = 1};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * PARCEL_MAX)];
    } control;
    struct msghdr message = {
        .msg_iov = &content, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t received;
    do {
        received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (received < 0 && errno == EINTR);
    if (received < 0) return -1;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (received == 1 && rights != NULL && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS) {
        size_t found = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        if (found == (size_t)count) {
            memcpy(descriptors, CMSG_DATA(rights), sizeof(int) * found);
            return 0;
        }
        for (size_t index = 0; index < found; index++) {
            int one;
            memcpy(&one, CMSG_DATA(rights) + index * sizeof(int), sizeof one);
            close(one);
        }
    }
    errno = EBADMSG;
    return -1;
}
