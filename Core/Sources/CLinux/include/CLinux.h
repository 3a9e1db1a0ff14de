// Kernel interfaces that Swift's Glibc module does not show: headers, and thin calls for what is a macro,
// variadic, or hidden behind _GNU_SOURCE. No logic.
#pragma once

// The C library's definitions come first: the kernel's headers then leave theirs out (linux/libc-compat.h).
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/epoll.h>
#include <sys/types.h>

#include <linux/bpf.h>
#include <linux/fib_rules.h>
#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/ip.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netlink.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/sock_diag.h>
#include <linux/tc_act/tc_mirred.h>
#include <linux/veth.h>
#include <linux/virtio_net.h>
#include <linux/wireguard.h>

// Headers before Linux 6.17 do not have it.
#ifndef BPF_F_TEST_SKB_CHECKSUM_COMPLETE
#define BPF_F_TEST_SKB_CHECKSUM_COMPLETE (1U << 2)
#endif


/// The symbolic name of an error number ("ENOENT"), or NULL when the C library knows none.
const char *duet_errno_name(int number);
/// setns(2).
int duet_setns(int descriptor, int kind);
/// unshare(2).
int duet_unshare(int flags);
/// program_invocation_name(3).
const char *duet_program_name(void);
/// ioctl(2) of a link's name (less than IFNAMSIZ bytes), such as SIOCGIFFLAGS; what it tells is left in `answer`, 16 bytes.
int duet_link_request(int descriptor, unsigned long request, const char *name, void *answer);
/// IF_OPER_UP of linux/if.h, which does not go with the C library's net/if.h.
extern const uint8_t duet_operational;
/// gettid(2).
pid_t duet_gettid(void);
/// sched_getaffinity(2); bits in `size` bytes.
int duet_sched_getaffinity(pid_t thread, size_t size, void *processors);
/// sched_setaffinity(2); bits in `size` bytes.
int duet_sched_setaffinity(pid_t thread, size_t size, const void *processors);
/// pidfd_open(2).
int duet_pidfd_open(pid_t process);
/// pidfd_send_signal(2).
int duet_pidfd_send_signal(int descriptor, int signal);
/// posix_spawn_file_actions_addclosefrom_np(3).
int duet_spawn_close_from(void *actions, int first);
/// posix_spawn_file_actions_addchdir_np(3).
int duet_spawn_change_directory(void *actions, const char *path);
/// renameat2(2) with RENAME_NOREPLACE.
int duet_rename_exclusive(const char *from, const char *to);
/// pthread_setname_np(3) of the calling thread; at most 15 bytes.
void duet_set_thread_name(const char *name);
/// posix_spawnattr_setflags(3), with POSIX_SPAWN_SETSID added on request.
int duet_spawn_set_flags(void *attributes, int flags, int new_session);
/// pipe2(2) with O_CLOEXEC.
int duet_pipe(int *reading, int *writing);
/// readlink(2) into plain bytes.
ssize_t duet_read_link(const char *path, void *buffer, size_t size);
/// bind(2) to an address given as plain bytes.
int duet_bind(int descriptor, const void *address, size_t size);
/// getsockname(2) into plain bytes.
int duet_getsockname(int descriptor, void *address, unsigned int *size);
/// bpf(2).
int duet_bpf(int command, union bpf_attr *attribute, unsigned int size);
/// Opens a queue of the TUN device of a name (IFNAMSIZ bytes, changed to the name that it got), with virtio headers.
int duet_tun_open(char *name);
/// TUNSETPERSIST: whether the device stays when nobody has a queue of it.
int duet_tun_set_persistent(int descriptor, int is_on);
/// TUNSETOFFLOAD: segmentation and checksums of both families, and UDP segmentation where `with_udp` says so.
int duet_tun_set_offload(int descriptor, int with_udp);
/// readv(2) of a header and what follows it.
ssize_t duet_read_pair(int descriptor, void *header, size_t header_size, void *body, size_t body_size);
/// writev(2) of a header and what follows it.
ssize_t duet_write_pair(
    int descriptor, const void *header, size_t header_size, const void *body, size_t body_size);
/// struct mmsghdr of recvmmsg(2).
struct duet_mmsghdr {
    struct msghdr header;
    unsigned int length;
};
/// recvmmsg(2) without a time-out.
int duet_recvmmsg(int descriptor, struct duet_mmsghdr *messages, unsigned int count, int flags);
/// sendmmsg(2).
int duet_sendmmsg(int descriptor, struct duet_mmsghdr *messages, unsigned int count, int flags);
/// accept4(2) without the peer's address.
int duet_accept(int descriptor);
/// sendmsg(2) of bytes and one descriptor (SCM_RIGHTS).
ssize_t duet_send_descriptor(int socket, const void *bytes, size_t size, int descriptor);
/// recvmsg(2) of bytes and at most one descriptor, which is closed on exec; -1 where none came.
ssize_t duet_receive_descriptor(int socket, void *bytes, size_t size, int *descriptor);
