// Inside this target: what stands between fork(2) and execve(2) of a caged child.
#ifndef PATCH_CAGE_INTERNAL_H
#define PATCH_CAGE_INTERNAL_H

#include "patch_linux.h"

// Returns 0 in a process that sees and reaches nothing but what the cage allows; the process that called waits for it and ends
// as it does. Returns -1 with errno where that cannot be had: nothing may be run then.
int patch_enter_cage(const struct patch_cage *cage, int report);

#endif
