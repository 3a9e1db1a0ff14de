// What BPF/nat64.c shares with those that load it: keys and values of its maps.
#pragma once

#include <linux/types.h>

/// An IPv6 address in network order.
struct duet_nat64_ipv6 {
    __u32 words[4];
};

/// An IPv4 network in network order.
struct duet_nat64_network {
    __u32 address;
    __u32 mask;
};

/// The networks that the programs may be told not to translate to.
enum { DUET_NAT64_DENIED_NETWORKS = 32 };

/// What has happened to packets.
struct duet_nat64_counter {
    __u64 packets;
    __u64 bytes;
};

/// The numbers of the counters.
enum {
    /// Translated, from a pod.
    DUET_NAT64_FROM_POD,
    /// Translated, to a pod.
    DUET_NAT64_TO_POD,
    /// Left to userspace, from a pod.
    DUET_NAT64_SLOW_FROM_POD,
    /// Given to userspace, to a pod.
    DUET_NAT64_SLOW_TO_POD,
    /// From an address that is no pod's.
    DUET_NAT64_UNKNOWN_POD,
    /// To a network that is not translated to.
    DUET_NAT64_DENIED,
    DUET_NAT64_COUNTERS,
};
