/* Loaded before the C library: while the file that REFUSE_WRITES names exists, the state's files take no writes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int refused(int descriptor)
{
    const char *switch_file = getenv("REFUSE_WRITES");
    char link[64], path[PATH_MAX];
    if (!switch_file || access(switch_file, F_OK) != 0)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return strstr(path, "state.sqlite") != NULL;
}

#define REFUSE(type, name, parameters, arguments)                         \
    type name parameters                                                  \
    {                                                                     \
        static type (*next) parameters;                                   \
        if (!next)                                                        \
            next = (type(*) parameters)dlsym(RTLD_NEXT, #name);           \
        if (refused(descriptor)) {                                        \
            errno = EROFS;                                                \
            return -1;                                                    \
        }                                                                 \
        return next arguments;                                            \
    }

REFUSE(ssize_t, write, (int descriptor, const void *bytes, size_t count), (descriptor, bytes, count))
REFUSE(ssize_t, pwrite, (int descriptor, const void *bytes, size_t count, off_t place), (descriptor, bytes, count, place))
REFUSE(ssize_t, pwrite64, (int descriptor, const void *bytes, size_t count, off64_t place), (descriptor, bytes, count, place))
REFUSE(int, ftruncate, (int descriptor, off_t length), (descriptor, length))
REFUSE(int, ftruncate64, (int descriptor, off64_t length), (descriptor, length))
REFUSE(int, fsync, (int descriptor), (descriptor))
REFUSE(int, fdatasync, (int descriptor), (descriptor))
