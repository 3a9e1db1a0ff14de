#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

const char *duet_errno_name(int number) { return strerrorname_np(number); }

int duet_setns(int descriptor, int kind) { return setns(descriptor, kind); }

int duet_unshare(int flags) { return unshare(flags); }

const char *duet_program_name(void) { return program_invocation_name; }

int duet_link_request(int descriptor, unsigned long request, const char *name, void *answer) {
    struct ifreq parameters = {0};
    strncpy(parameters.ifr_name, name, IFNAMSIZ - 1);
    int result = ioctl(descriptor, request, &parameters);
    memcpy(answer, &parameters.ifr_addr, sizeof parameters.ifr_addr);
    return result;
}

const uint8_t duet_operational = IF_OPER_UP;

pid_t duet_gettid(void) { return (pid_t)syscall(SYS_gettid); }

int duet_sched_getaffinity(pid_t thread, size_t size, void *processors) { return sched_getaffinity(thread, size, processors); }

int duet_sched_setaffinity(pid_t thread, size_t size, const void *processors) {
    return sched_setaffinity(thread, size, processors);
}

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

int duet_tun_open(char *name) {
    int descriptor = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return -1;
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE};
    memcpy(request.ifr_name, name, IFNAMSIZ);
    if (ioctl(descriptor, TUNSETIFF, &request) != 0) {
        int reason = errno;
        close(descriptor);
        errno = reason;
        return -1;
    }
    memcpy(name, request.ifr_name, IFNAMSIZ);
    return descriptor;
}

int duet_tun_set_persistent(int descriptor, int is_on) { return ioctl(descriptor, TUNSETPERSIST, is_on); }

// Headers before Linux 6.2 do not have them.
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

int duet_tun_set_offload(int descriptor, int with_udp) {
    unsigned flags = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    if (with_udp) flags |= TUN_F_USO4 | TUN_F_USO6;
    return ioctl(descriptor, TUNSETOFFLOAD, flags);
}

// Not by readv() and writev(): these are places at which a thread may be cancelled, and pay for it with two locked
// instructions a call where there are several threads.
ssize_t duet_read_pair(int descriptor, void *header, size_t header_size, void *body, size_t body_size) {
    struct iovec parts[2] = {{header, header_size}, {body, body_size}};
    return syscall(SYS_readv, descriptor, parts, 2);
}

ssize_t duet_write_pair(
    int descriptor, const void *header, size_t header_size, const void *body, size_t body_size) {
    struct iovec parts[2] = {{(void *)header, header_size}, {(void *)body, body_size}};
    return syscall(SYS_writev, descriptor, parts, 2);
}

int duet_recvmmsg(int descriptor, struct duet_mmsghdr *messages, unsigned int count, int flags) {
    return recvmmsg(descriptor, (struct mmsghdr *)messages, count, flags, NULL);
}

int duet_sendmmsg(int descriptor, struct duet_mmsghdr *messages, unsigned int count, int flags) {
    return sendmmsg(descriptor, (struct mmsghdr *)messages, count, flags);
}

int duet_accept(int descriptor) { return accept4(descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

ssize_t duet_send_descriptor(int socket, const void *bytes, size_t size, int descriptor) {
    char control[CMSG_SPACE(sizeof descriptor)] __attribute__((aligned(8))) = {0};
    struct iovec vector = {(void *)bytes, size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptor);
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t duet_receive_descriptor(int socket, void *bytes, size_t size, int *descriptor) {
    char control[CMSG_SPACE(sizeof *descriptor)] __attribute__((aligned(8))) = {0};
    struct iovec vector = {bytes, size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    *descriptor = -1;
    struct cmsghdr *header = count >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header && header->cmsg_type == SCM_RIGHTS) memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
    return count;
}
