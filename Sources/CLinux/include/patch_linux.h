// System calls that Swift's Glibc overlay does not show. Each returns -1 with errno set, as the kernel's call does.
#ifndef PATCH_LINUX_H
#define PATCH_LINUX_H

#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/types.h>
#include <sys/xattr.h>

// openat2(2) with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS and, when asked, RESOLVE_NO_XDEV.
// O_CLOEXEC is always added.
int patch_open_beneath(int directory, const char *path, int flags, mode_t mode, int stay_on_mount);

// open(2), variadic in C: O_CLOEXEC is always added.
int patch_open(const char *path, int flags, mode_t mode);

// open(2) with O_PATH.
int patch_look(const char *path);

// renameat2(2) with RENAME_EXCHANGE.
int patch_exchange(int from_directory, const char *from, int to_directory, const char *to);

// ioctl(2) with FIONREAD: how many bytes can be read now; 0 where that cannot be said.
long patch_readable_bytes(int descriptor);

// memfd_create(2), close-on-exec, readable for its owner only.
int patch_memory_file(const char *name);

// renameat2(2) with RENAME_NOREPLACE.
int patch_rename_new(int from_directory, const char *from, int to_directory, const char *to);

int patch_syncfs(int descriptor);

// ioctl(2) with FICLONE: the empty file gets the blocks of the other one.
int patch_share_blocks(int descriptor, int other);

// fallocate(2), mode 0: all blocks exist afterwards, so that ENOSPC and EDQUOT come now and not later.
int patch_allocate(int descriptor, int64_t length);

// fcntl(F_SETLEASE, F_RDLCK) and back: 1 when nobody has the file open for writing, 0 when somebody has,
// -1 when this file system has no leases.
int patch_nobody_writes(int descriptor);

// FS_IOC_GETFLAGS: 1 when the file is immutable or append-only (chattr(1)), 0 when not or when its file system has no
// such flags.
int patch_is_immutable(int descriptor);

// pidfd_open(2): refers to the process also when its number is another's. Close-on-exec.
int patch_pidfd_open(pid_t pid);

// pidfd_send_signal(2).
int patch_pidfd_signal(int pidfd, int number);

// prctl(PR_SET_DUMPABLE, 0): nobody but root may trace this process, read its memory or take its descriptors, although he is
// the same user. An execve(2) ends it.
int patch_forbid_tracing(void);

// statx(2): the id of the mount that a file lies on, and whether it is that mount's root. A link at the end of the path is
// not followed; an empty path stands for the descriptor itself.
int patch_mount(int directory, const char *path, uint64_t *id, int *is_root);

// A connected AF_UNIX socket from which the descriptors can be received, also when this process has ended.
int patch_pack_descriptors(const int *descriptors, int count);

// Receives exactly so many descriptors, close-on-exec; otherwise -1 (EBADMSG), and none is left open.
int patch_unpack_descriptors(int socket, int *descriptors, int count);

// Where a program runs that must not touch anything: a copy of a directory lies at that directory's place, everything else can
// only be read, /tmp, /run and /dev are its own, and there is no network, no socket and no other process. All that it starts
// ends with it.
struct patch_cage {
    const char *copy;   // absolute
    const char *place;  // absolute; also its working directory
    pid_t starter;      // who calls: when that ends, so does the program
};

// What a process is confined to that reads bytes of strangers, besides what it has open.
struct patch_confinement {
    const int *readable;  // descriptors of directories
    size_t readable_count;
    const int *writable;  // the same; files and directories may be made there
    size_t writable_count;
    int runs_programs;  // it may start programs, which may read all that its user may
    uint64_t memory;    // bytes
    uint64_t file;      // bytes that a file may have
    uint64_t seconds;   // of the processor's time
};

// Confines the calling process for good. Only for a process with one thread, and not for root (EPERM). 1 when the kernel has
// landlock, 0 when it has not.
int patch_confine(const struct patch_confinement *confinement);

// What a child process is started with.
struct patch_process {
    const char *path;
    char *const *arguments;    // ends with NULL
    char *const *environment;  // ends with NULL
    int directory;             // descriptor of its working directory
    int input, output, error;  // its descriptors 0, 1, 2; everything else is closed
    int switch_user;           // whether uid, gid and groups are to be taken on
    uint32_t uid, gid;
    const uint32_t *groups;
    size_t group_count;
    const struct patch_cage *cage;  // NULL for none
};

// Starts a child in a session and process group of its own, with default signal handling. Returns its pid and, through
// pidfd, a descriptor that becomes readable when it ends. Errors of the child's setup and of execve(2) are returned
// here; the child is gone then.
pid_t patch_spawn(const struct patch_process *process, int *pidfd);

// Starts a child in this process's place: same session, process group, terminal and descriptors, the latter with kept though
// it is closed at an execve(2) otherwise. arguments[0] is looked for as the shell does; directory may be NULL. No signal is
// blocked there, ignored ones stay so. It gets SIGTERM when the calling thread ends. Whatever it leaves behind becomes the
// calling process's child. Errors of execve(2) are returned here. Only for a process with one thread.
pid_t patch_spawn_here(char *const *arguments, const char *directory, int kept);

#endif
