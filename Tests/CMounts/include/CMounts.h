#ifndef PATCHD_TESTS_CMOUNTS_H
#define PATCHD_TESTS_CMOUNTS_H

/// Gives the calling thread, and what it starts, mounts of its own. 0, or -1 and errno.
int own_mounts(void);

#endif
