// Translates between a pod's IPv6 address and the private IPv4 address that stands for it on the node (RFC 7915), in place,
// on the host's end of the pod's link: right behind `from_pod` and right before `to_pod` the kernel sees plain IPv4, and
// its connection tracking and masquerading own the sessions.
//
// What is not whole and plain (fragments, extension headers, options, ICMP errors, UDP without a checksum) is left to the
// translator in userspace: from the pod by the kernel's route for the prefix, to the pod by redirection to its device.
#include "duet.h"
#include "duet_nat64.h"

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>

static long (*const bpf_skb_change_proto)(struct __sk_buff *packet, __be16 protocol, __u64 flags) =
    (void *)BPF_FUNC_skb_change_proto;
static long (*const bpf_skb_pull_data)(struct __sk_buff *packet, __u32 length) = (void *)BPF_FUNC_skb_pull_data;
static long (*const bpf_skb_load_bytes)(const struct __sk_buff *packet, __u32 offset, void *to, __u32 length) =
    (void *)BPF_FUNC_skb_load_bytes;
static long (*const bpf_l4_csum_replace)(struct __sk_buff *packet, __u32 offset, __u64 from, __u64 to, __u64 flags) =
    (void *)BPF_FUNC_l4_csum_replace;
static long (*const bpf_skb_store_bytes)(
    struct __sk_buff *packet, __u32 offset, const void *from, __u32 length, __u64 flags) =
    (void *)BPF_FUNC_skb_store_bytes;
static long (*const bpf_csum_update)(struct __sk_buff *packet, __wsum change) = (void *)BPF_FUNC_csum_update;
static long (*const bpf_redirect)(__u32 link, __u64 flags) = (void *)BPF_FUNC_redirect;

MAP(pods_by_ipv6, BPF_MAP_TYPE_HASH, struct duet_nat64_ipv6, __be32, 65536, BPF_F_NO_PREALLOC);
MAP(pods_by_ipv4, BPF_MAP_TYPE_HASH, __be32, struct duet_nat64_ipv6, 65536, BPF_F_NO_PREALLOC);
MAP(nat64_counters, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct duet_nat64_counter, DUET_NAT64_COUNTERS, 0);

/// The first 96 bits of the translation prefix.
const volatile struct duet_nat64_ipv6 prefix;
/// The networks that are not translated to; one without a mask ends them.
const volatile struct duet_nat64_network denied[DUET_NAT64_DENIED_NETWORKS];
/// The longest IPv6 packet that is made of an IPv4 packet which may be fragmented: longer ones are left to userspace, which
/// does that (RFC 7915 §4.1); 0 for any.
const volatile __u32 lowest_mtu;
/// Whether traffic class and type of service become zero instead of each other.
const volatile __u32 clears_traffic_class;
/// The device of the translator in userspace; 0 without one, and what it would get is dropped.
const volatile __u32 slow_link;

/// The beginning of an ICMP message of either family; the kernel's own headers need a C library.
struct icmp_header {
    __u8 type;
    __u8 code;
    __be16 checksum;
};

enum { ICMPV4_ECHO_REPLY = 0, ICMPV4_ECHO_REQUEST = 8, ICMPV6_ECHO_REQUEST = 128, ICMPV6_ECHO_REPLY = 129 };

#define ICMP_CHECKSUM 2
#define TCP_CHECKSUM 16
#define TCP_HEADER_LENGTH 12
#define UDP_CHECKSUM 6
#define DONT_FRAGMENT 0x4000
#define FRAGMENT_BITS 0x3fff
/// An IPv6 packet that is longer becomes one of IPv4 that may not be fragmented (RFC 7915 §5.1).
#define LONGEST_FRAGMENTABLE 1260

INLINE void count(__u32 index, __u32 length) {
    struct duet_nat64_counter *counter = bpf_map_lookup_elem(&nat64_counters, &index);
    if (!counter) return;
    counter->packets += 1;
    counter->bytes += length;
}

/// The sum of 32-bit words.
INLINE __u64 sum(const void *words, __u32 size) {
    __u64 sum = 0;
    for (__u32 index = 0; index < size / sizeof(__u32); index++) sum += ((const __u32 *)words)[index];
    return sum;
}

/// What takes words out of a sum again: the sum of their complements.
INLINE __u64 complement(const void *words, __u32 size) { return size / sizeof(__u32) * 0xffffffffull - sum(words, size); }

/// A sum in 32 bits, as the kernel's helpers take it.
INLINE __u32 folded(__u64 sum) {
    sum = (sum & 0xffffffff) + (sum >> 32);
    return (__u32)(sum + (sum >> 32));
}

/// The Internet checksum of what a sum is of.
INLINE __u16 checksum(__u64 sum) {
    __u32 half = folded(sum);
    half = (half & 0xffff) + (half >> 16);
    return (__u16)~(half + (half >> 16));
}

/// The bytes from the Ethernet header up to the end of `length` bytes of the network layer, or NULL.
INLINE void *network_header(struct __sk_buff *packet, __u32 length) {
    if ((void *)(long)packet->data + ETH_HLEN + length > (void *)(long)packet->data_end &&
        bpf_skb_pull_data(packet, ETH_HLEN + length) != 0)
        return 0;
    void *start = (void *)(long)packet->data;
    if (start + ETH_HLEN + length > (void *)(long)packet->data_end) return 0;
    return start + ETH_HLEN;
}

/// Changes the transport's checksum by `change`; a sum that a device makes holds the pseudo-header alone.
INLINE void change_checksum(struct __sk_buff *packet, __u32 transport, __u8 protocol, __s64 change) {
    if (protocol == IPPROTO_TCP)
        bpf_l4_csum_replace(packet, transport + TCP_CHECKSUM, 0, change, BPF_F_PSEUDO_HDR);
    else
        bpf_l4_csum_replace(packet, transport + UDP_CHECKSUM, 0, change, BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0);
}

/// Changes the sum of the whole packet, where a device has made one (CHECKSUM_COMPLETE), by what was stored without it.
INLINE void change_whole_sum(struct __sk_buff *packet, __u64 change) { bpf_csum_update(packet, folded(change)); }

/// The bytes of a packet's transport header; those of TCP's options count.
INLINE __u32 header_length(const struct __sk_buff *packet, __u32 transport, __u8 protocol) {
    if (protocol != IPPROTO_TCP) return sizeof(struct udphdr);
    __u8 length = 0;
    bpf_skb_load_bytes(packet, transport + TCP_HEADER_LENGTH, &length, sizeof(length));
    return (length >> 4) * 4;
}

/// The bytes of transport and payload of a packet, or of each one that it stands for.
INLINE __u32 each_length(const struct __sk_buff *packet, __u32 transport, __u8 protocol, __u32 payload) {
    return packet->gso_size ? packet->gso_size + header_length(packet, transport, protocol) : payload;
}

/// The pseudo-header of ICMPv6, which ICMPv4 does not have.
struct pseudo_header {
    struct duet_nat64_ipv6 source;
    struct duet_nat64_ipv6 destination;
    __be32 length;
    __be32 protocol;
};

INLINE int is_in_prefix(const struct in6_addr *address) {
    return address->in6_u.u6_addr32[0] == prefix.words[0] && address->in6_u.u6_addr32[1] == prefix.words[1] &&
           address->in6_u.u6_addr32[2] == prefix.words[2];
}

INLINE int is_denied(__be32 address) {
    for (__u32 index = 0; index < DUET_NAT64_DENIED_NETWORKS; index++) {
        if (!denied[index].mask) return 0;
        if ((address & denied[index].mask) == denied[index].address) return 1;
    }
    return 0;
}

/// The end of the Ethernet header and the header behind it, which are stored at once.
struct ipv4_headers {
    __u16 unused;
    __be16 kind;
    struct iphdr network;
};

struct ipv6_headers {
    __u16 unused;
    __be16 kind;
    struct ipv6hdr network;
};

/// Stores them. `change_whole_sum` then tells what that did to a sum of the whole packet: the helper would count the kind
/// in, which is part of the Ethernet header.
#define STORE_HEADERS(packet, headers)                                                                                \
    bpf_skb_store_bytes(                                                                                              \
        packet, __builtin_offsetof(struct ethhdr, h_proto), &(headers).kind, sizeof(headers) - sizeof(__u16), 0)

/// Ingress of the host's end: what the pod sends.
SECTION("tc/ingress") int from_pod(struct __sk_buff *packet) {
    if (packet->protocol != __builtin_bswap16(ETH_P_IPV6)) return TC_ACT_OK;
    // The shortest transport that is looked at has eight bytes.
    struct ipv6hdr *old = network_header(packet, sizeof(struct ipv6hdr) + 8);
    if (!old || old->version != 6 || !is_in_prefix(&old->daddr)) return TC_ACT_OK;
    struct pseudo_header pseudo = {.protocol = __builtin_bswap32(IPPROTO_ICMPV6)};
    __builtin_memcpy(&pseudo.source, &old->saddr, sizeof(pseudo.source));
    __builtin_memcpy(&pseudo.destination, &old->daddr, sizeof(pseudo.destination));
    __u32 length = packet->len;
    __be32 *source = bpf_map_lookup_elem(&pods_by_ipv6, &pseudo.source);
    if (!source) {
        count(DUET_NAT64_UNKNOWN_POD, length);
        return TC_ACT_OK;
    }
    __be32 remote = old->daddr.in6_u.u6_addr32[3];
    if (is_denied(remote)) {
        count(DUET_NAT64_DENIED, length);
        return TC_ACT_OK;
    }
    __u16 payload = __builtin_bswap16(old->payload_len);
    __u8 protocol = old->nexthdr;
    struct icmp_header *icmp = (void *)(old + 1);
    __u8 type = icmp->type;
    __be16 first = *(__be16 *)icmp;
    // The bytes behind the payload that Ethernet padded with, and jumbograms, are nobody's fast path.
    int is_plain = length == ETH_HLEN + sizeof(struct ipv6hdr) + payload && payload <= 0xffff - sizeof(struct iphdr);
    if (protocol == IPPROTO_ICMPV6)
        is_plain = is_plain && (type == ICMPV6_ECHO_REQUEST || type == ICMPV6_ECHO_REPLY) && icmp->code == 0;
    else
        is_plain = is_plain && (protocol == IPPROTO_TCP ? payload >= sizeof(struct tcphdr) : protocol == IPPROTO_UDP);
    if (!is_plain) {
        count(DUET_NAT64_SLOW_FROM_POD, length);
        return TC_ACT_OK;
    }
    struct iphdr new = {
        .version = 4, .ihl = 5, .tot_len = __builtin_bswap16(sizeof(struct iphdr) + payload), .ttl = old->hop_limit,
        .protocol = protocol == IPPROTO_ICMPV6 ? IPPROTO_ICMP : protocol, .saddr = *source, .daddr = remote};
    new.tos = clears_traffic_class ? 0 : (old->priority << 4) | (old->flow_lbl[0] >> 4);
    if (sizeof(new) + each_length(packet, ETH_HLEN + sizeof(struct ipv6hdr), protocol, payload) > LONGEST_FRAGMENTABLE)
        new.frag_off = __builtin_bswap16(DONT_FRAGMENT);
    else
        new.id = (__be16)bpf_get_prandom_u32();
    new.check = checksum(sum(&new, sizeof(new)));
    if (bpf_skb_change_proto(packet, __builtin_bswap16(ETH_P_IP), 0) != 0) {
        count(DUET_NAT64_SLOW_FROM_POD, length);
        return TC_ACT_OK;
    }
    struct ipv4_headers headers = {.kind = __builtin_bswap16(ETH_P_IP), .network = new};
    STORE_HEADERS(packet, headers);
    // The kernel has taken the first half of the old header out of it; the new header's sum is zero by its checksum.
    __u64 whole = complement(&pseudo.source.words[3], sizeof(__u32)) + complement(&pseudo.destination, sizeof(pseudo.destination));
    __u32 transport = ETH_HLEN + sizeof(new);
    if (protocol == IPPROTO_ICMPV6) {
        pseudo.length = __builtin_bswap32(payload);
        __be16 news = __builtin_bswap16((type == ICMPV6_ECHO_REQUEST ? ICMPV4_ECHO_REQUEST : ICMPV4_ECHO_REPLY) << 8);
        bpf_skb_store_bytes(packet, transport, &news, sizeof(news), 0);
        __u64 change = complement(&pseudo, sizeof(pseudo)) + (__u16)~first + news;
        bpf_l4_csum_replace(packet, transport + ICMP_CHECKSUM, 0, folded(change), 0);
        // Beyond what makes up for the new type, the checksum changes by the pseudo-header that it has no longer.
        whole += sum(&pseudo, sizeof(pseudo));
    } else {
        __u64 change = complement(&pseudo, 2 * sizeof(struct duet_nat64_ipv6)) + new.saddr + new.daddr;
        change_checksum(packet, transport, protocol, folded(change));
    }
    change_whole_sum(packet, whole);
    count(DUET_NAT64_FROM_POD, length);
    return TC_ACT_OK;
}

INLINE int slow_to_pod(__u32 length) {
    count(DUET_NAT64_SLOW_TO_POD, length);
    return slow_link ? (int)bpf_redirect(slow_link, 0) : TC_ACT_SHOT;
}

/// Egress of the host's end: what the pod is to get.
SECTION("tc/egress") int to_pod(struct __sk_buff *packet) {
    if (packet->protocol != __builtin_bswap16(ETH_P_IP)) return TC_ACT_OK;
    struct iphdr *old = network_header(packet, sizeof(struct iphdr));
    if (!old || old->version != 4) return TC_ACT_OK;
    __be32 addresses[2] = {old->saddr, old->daddr};
    struct duet_nat64_ipv6 *pod = bpf_map_lookup_elem(&pods_by_ipv4, &addresses[1]);
    if (!pod) return TC_ACT_OK;
    __u32 length = packet->len;
    // What is not sent to is not heard of either; userspace knows exceptions, and tells why.
    if (is_denied(addresses[0])) return slow_to_pod(length);
    // What the last fragment of a datagram carries may be shorter than any transport.
    old = network_header(packet, sizeof(struct iphdr) + 8);
    if (!old) return slow_to_pod(length);
    __u16 total = __builtin_bswap16(old->tot_len);
    __u8 protocol = old->protocol;
    __u8 ttl = old->ttl, tos = clears_traffic_class ? 0 : old->tos;
    int may_be_cut = lowest_mtu && !(old->frag_off & __builtin_bswap16(DONT_FRAGMENT));
    struct icmp_header *icmp = (void *)(old + 1);
    __u8 type = icmp->type;
    __be16 first = *(__be16 *)icmp;
    int is_plain = old->ihl == 5 && !(old->frag_off & __builtin_bswap16(FRAGMENT_BITS)) &&
                   total >= sizeof(struct iphdr) + 8 && length == (__u32)ETH_HLEN + total;
    if (protocol == IPPROTO_ICMP)
        is_plain = is_plain && (type == ICMPV4_ECHO_REQUEST || type == ICMPV4_ECHO_REPLY) && icmp->code == 0;
    else if (protocol == IPPROTO_UDP)
        is_plain = is_plain && ((struct udphdr *)icmp)->check != 0;
    else
        is_plain = is_plain && protocol == IPPROTO_TCP && total >= sizeof(struct iphdr) + sizeof(struct tcphdr);
    if (!is_plain) return slow_to_pod(length);
    __u16 payload = total - sizeof(struct iphdr);
    if (may_be_cut &&
        sizeof(struct ipv6hdr) + each_length(packet, ETH_HLEN + sizeof(struct iphdr), protocol, payload) > lowest_mtu)
        return slow_to_pod(length);
    struct pseudo_header pseudo = {.protocol = __builtin_bswap32(IPPROTO_ICMPV6)};
    pseudo.source.words[0] = prefix.words[0];
    pseudo.source.words[1] = prefix.words[1];
    pseudo.source.words[2] = prefix.words[2];
    pseudo.source.words[3] = addresses[0];
    pseudo.destination = *pod;
    struct ipv6hdr new = {
        .version = 6, .priority = tos >> 4, .payload_len = __builtin_bswap16(payload),
        .nexthdr = protocol == IPPROTO_ICMP ? IPPROTO_ICMPV6 : protocol, .hop_limit = ttl};
    new.flow_lbl[0] = tos << 4;
    __builtin_memcpy(&new.saddr, &pseudo.source, sizeof(pseudo.source));
    __builtin_memcpy(&new.daddr, &pseudo.destination, sizeof(pseudo.destination));
    if (bpf_skb_change_proto(packet, __builtin_bswap16(ETH_P_IPV6), 0) != 0) return slow_to_pod(length);
    struct ipv6_headers headers = {.kind = __builtin_bswap16(ETH_P_IPV6), .network = new};
    STORE_HEADERS(packet, headers);
    // The old header's sum was zero by its checksum.
    __u64 whole = sum(&new, sizeof(new));
    __u32 transport = ETH_HLEN + sizeof(new);
    if (protocol == IPPROTO_ICMP) {
        pseudo.length = __builtin_bswap32(payload);
        __be16 news = __builtin_bswap16((type == ICMPV4_ECHO_REQUEST ? ICMPV6_ECHO_REQUEST : ICMPV6_ECHO_REPLY) << 8);
        bpf_skb_store_bytes(packet, transport, &news, sizeof(news), 0);
        __u64 change = sum(&pseudo, sizeof(pseudo)) + (__u16)~first + news;
        bpf_l4_csum_replace(packet, transport + ICMP_CHECKSUM, 0, folded(change), 0);
        whole += complement(&pseudo, sizeof(pseudo));
    } else {
        __u64 change = complement(addresses, sizeof(addresses)) + sum(&pseudo, 2 * sizeof(struct duet_nat64_ipv6));
        change_checksum(packet, transport, protocol, folded(change));
    }
    change_whole_sum(packet, whole);
    count(DUET_NAT64_TO_POD, length);
    return TC_ACT_OK;
}
