#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *duet_errno_name(int number) { return strerrorname_np(number); }

int duet_setns(int descriptor, int kind) { return setns(descriptor, kind); }

int duet_unshare(int flags) { return unshare(flags); }

pid_t duet_gettid(void) { return (pid_t)syscall(SYS_gettid); }

int duet_pidfd_open(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int duet_pidfd_send_signal(int descriptor, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, descriptor, signal, NULL, 0);
}

int duet_spawn_close_from(void *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

int duet_spawn_change_directory(void *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}

int duet_rename_exclusive(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

void duet_set_thread_name(const char *name) { pthread_setname_np(pthread_self(), name); }

int duet_spawn_set_flags(void *attributes, int flags, int new_session) {
    return posix_spawnattr_setflags(attributes, (short)(flags | (new_session ? POSIX_SPAWN_SETSID : 0)));
}

int duet_pipe(int *reading, int *writing) {
    int ends[2] = {-1, -1};
    int result = pipe2(ends, O_CLOEXEC);
    *reading = ends[0];
    *writing = ends[1];
    return result;
}

ssize_t duet_read_link(const char *path, void *buffer, size_t size) { return readlink(path, buffer, size); }

int duet_bind(int descriptor, const void *address, size_t size) {
    return bind(descriptor, address, (socklen_t)size);
}

int duet_getsockname(int descriptor, void *address, unsigned int *size) {
    return getsockname(descriptor, address, size);
}

int duet_bpf(int command, union bpf_attr *attribute, unsigned int size) {
    return (int)syscall(SYS_bpf, command, attribute, size);
}
