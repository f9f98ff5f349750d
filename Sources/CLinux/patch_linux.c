#define _GNU_SOURCE
#include "patch_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int patch_open_beneath(int directory, const char *path, int flags, mode_t mode, int stay_on_mount) {
    struct open_how how = {
        .flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
        .mode = (flags & (O_CREAT | O_TMPFILE)) ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
                   (stay_on_mount ? RESOLVE_NO_XDEV : 0),
    };
    int fd;
    // EAGAIN: a rename elsewhere raced with the walk; openat2(2) says to try again.
    do fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
    while (fd < 0 && (errno == EAGAIN || errno == EINTR));
    return fd;
}

int patch_open(const char *path, int flags, mode_t mode) {
    int fd;
    do fd = open(path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int patch_exchange(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_EXCHANGE);
}

int patch_rename_new(int from_directory, const char *from, int to_directory, const char *to) {
    return renameat2(from_directory, from, to_directory, to, RENAME_NOREPLACE);
}

int patch_syncfs(int descriptor) { return syncfs(descriptor); }

int patch_allocate(int descriptor, int64_t length) { return fallocate(descriptor, 0, 0, length); }

int patch_nobody_writes(int descriptor) {
    if (fcntl(descriptor, F_SETLEASE, F_RDLCK) == 0) {
        fcntl(descriptor, F_SETLEASE, F_UNLCK);
        return 1;
    }
    return errno == EAGAIN || errno == EBUSY ? 0 : -1;
}
