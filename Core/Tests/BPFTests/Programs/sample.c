// What the loader has to cope with: maps of several kinds, variables, constants, functions in .text that call each other,
// several programs in one section.
#include "duet.h"

#define NOINLINE static __attribute__((noinline))

struct prefix_key {
    __u32 length;
    __u32 address;
};

MAP(counters, BPF_MAP_TYPE_HASH, __u32, __u64, 8, 0);
MAP(recent, BPF_MAP_TYPE_LRU_HASH, __u32, __u32, 128, 0);
MAP(prefixes, BPF_MAP_TYPE_LPM_TRIE, struct prefix_key, __u32, 16, BPF_F_NO_PREALLOC);
MAP(per_cpu, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u32, 2, 0);

const volatile __u32 factor = 1;
const volatile __u32 table[4] = {1, 10, 100, 1000};
__u32 total;
__u32 calls = 5;

NOINLINE __u32 scaled(__u32 value) {
    total += value;
    return value * factor;
}

NOINLINE __u32 scaled_twice(__u32 value) { return scaled(value) + scaled(value + 1); }

/// Counts the packet's length, and returns what depends on a constant and on calls.
SECTION("tc/ingress") int measure(struct __sk_buff *packet) {
    __u32 length = packet->len;
    __u64 one = 1;
    __u64 *count = bpf_map_lookup_elem(&counters, &length);
    if (count) {
        __sync_fetch_and_add(count, 1);
    } else {
        bpf_map_update_elem(&counters, &length, &one, BPF_ANY);
    }
    __u32 index = 1;
    __u32 *mine = bpf_map_lookup_elem(&per_cpu, &index);
    if (mine) *mine += length;
    calls += 1;
    return scaled_twice(packet->mark);
}

/// Looks the mark up among the prefixes; the second program of its section.
SECTION("tc/ingress") int classify(struct __sk_buff *packet) {
    struct prefix_key key = {.length = 32, .address = packet->mark};
    __u32 *class = bpf_map_lookup_elem(&prefixes, &key);
    return class ? *class + table[packet->mark & 3] : scaled(0);
}

/// Lets nothing pass.
SECTION("tc/ingress") int drop(struct __sk_buff *packet) { return 2; }

/// Sends connections to port 1 elsewhere.
SECTION("cgroup/connect4") int redirect(struct bpf_sock_addr *address) {
    __u32 port = address->user_port;
    if (port == __builtin_bswap16(1)) address->user_port = __builtin_bswap16(7001);
    return 1;
}

/// Refuses connections to port 1.
SECTION("cgroup/connect4") int refuse(struct bpf_sock_addr *address) {
    return address->user_port != __builtin_bswap16(1);
}
