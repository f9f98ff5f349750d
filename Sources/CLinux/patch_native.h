// Which system calls a filter reads, by the machine that this is built for.
#ifndef PATCH_NATIVE_H
#define PATCH_NATIVE_H

#include <linux/audit.h>

#if defined(__x86_64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define NATIVE_ARCHITECTURE 0
#endif

#endif
