#define _GNU_SOURCE
#include "CMounts.h"
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>

int own_mounts(void) {
    // A thread that shares its working directory with others cannot leave their mounts (unshare(2)).
    if (unshare(CLONE_FS | CLONE_NEWNS) != 0) return -1;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}
