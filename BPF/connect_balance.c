// Leads calls of Services to endpoints while they are made: connect(2), and sendmsg(2) of datagrams, get the endpoint's
// address in place of the Service's, and recvmsg(2) and getpeername(2) the reverse.
//
// Whatever cannot be answered here as nftables answers it is left as it is: the packets meet nftables on their way.
#include "connect_balance.h"
#include "duet.h"

#include <linux/in.h>

#define HASH(name, key, value, size) MAP(name, BPF_MAP_TYPE_HASH, key, value, size, BPF_F_NO_PREALLOC)

HASH(balances, struct duet_frontend, struct duet_balance, 1 << 18);
/// The frontend on the cluster address whose slots another frontend shares.
HASH(aliases, struct duet_frontend, struct duet_frontend, 1 << 18);
/// Frontends that admit some sources only: the source is not known before the call is made.
HASH(guarded, struct duet_frontend, __u32, 1 << 16);
HASH(slots, struct duet_slot, struct duet_backend, 1 << 20);
HASH(members, struct duet_member, __u32, 1 << 18);
HASH(node_addresses, struct duet_address, __u32, 1 << 14);
MAP(node_port_ranges, BPF_MAP_TYPE_LPM_TRIE, struct duet_prefix, __u32, 1 << 10, BPF_F_NO_PREALLOC);
MAP(clients, BPF_MAP_TYPE_LRU_HASH, struct duet_client, struct duet_kept, 1 << 16, 0);
MAP(flows, BPF_MAP_TYPE_LRU_HASH, struct duet_flow, struct duet_flow_end, 1 << 16, 0);
MAP(origins, BPF_MAP_TYPE_LRU_HASH, struct duet_answer, struct duet_frontend, 1 << 16, 0);
/// What connected sockets called. A socket has one place here, by its cookie, until it is released; where another that lives
/// has the same place, the kernel makes room with the socket itself, which takes several times as long.
MAP(notes, BPF_MAP_TYPE_ARRAY, __u32, struct duet_note, DUET_NOTES, 0);
MAP(peers, BPF_MAP_TYPE_SK_STORAGE, __u32, struct duet_peer, 0, BPF_F_NO_PREALLOC);

/// The network namespace of the node itself.
const volatile __u64 node_namespace = 0;
/// Whether calls from there, and calls from other namespaces, are led.
const volatile __u32 serves_node = 0;
const volatile __u32 serves_pods = 0;
const volatile __u32 answers_on_loopback = 0;
const volatile __u32 masquerades_all = 0;
/// Whether connected datagram sockets are led: only if they can be ended when their endpoint goes.
const volatile __u32 connects_datagrams = 0;

#define NANOSECONDS 1000000000ull
/// How often a number is drawn that may hit no slot, as in nftables (BalanceRules).
#define ATTEMPTS 6
/// A step that few calls take, apart from the way of the others, which so is short and straight.
#define APART static __attribute__((noinline))

INLINE struct duet_frontend frontend4(struct bpf_sock_addr *call) {
    return (struct duet_frontend){
        .address = {0, 0, __builtin_bswap32(0xffff), call->user_ip4},
        .port = (__u16)call->user_port,
        .transport = (__u8)call->protocol,
    };
}

INLINE struct duet_frontend frontend6(struct bpf_sock_addr *call) {
    return (struct duet_frontend){
        .address = {call->user_ip6[0], call->user_ip6[1], call->user_ip6[2], call->user_ip6[3]},
        .port = (__u16)call->user_port,
        .transport = (__u8)call->protocol,
    };
}

INLINE void set4(struct bpf_sock_addr *call, const __u32 *address, __u16 port) {
    call->user_ip4 = address[3];
    call->user_port = port;
}

INLINE void set6(struct bpf_sock_addr *call, const __u32 *address, __u16 port) {
    call->user_ip6[0] = address[0];
    call->user_ip6[1] = address[1];
    call->user_ip6[2] = address[2];
    call->user_ip6[3] = address[3];
    call->user_port = port;
}

INLINE struct duet_backend as_backend(const struct duet_frontend *end) {
    return (struct duet_backend){
        .address = {end->address[0], end->address[1], end->address[2], end->address[3]},
        .port = end->port,
    };
}

INLINE int is_same(const struct duet_backend *one, const struct duet_backend *other) {
    return one->address[0] == other->address[0] && one->address[1] == other->address[1] &&
           one->address[2] == other->address[2] && one->address[3] == other->address[3] && one->port == other->port;
}

INLINE int is_ipv4(const __u32 *address) {
    return !address[0] && !address[1] && address[2] == __builtin_bswap32(0xffff);
}

INLINE int is_loopback(const __u32 *address) {
    if (is_ipv4(address)) return (address[3] & 0xff) == 127;
    return !address[0] && !address[1] && !address[2] && address[3] == __builtin_bswap32(1);
}

/// The node port that a call to an address of the node may be meant for: it has the address 0 of its family.
INLINE struct duet_frontend node_port(const struct duet_frontend *called) {
    return (struct duet_frontend){
        .address = {0, 0, is_ipv4(called->address) ? __builtin_bswap32(0xffff) : 0, 0},
        .port = called->port,
        .transport = called->transport,
    };
}

/// Whether a call comes from the network namespace of the node.
INLINE int is_of_node(struct bpf_sock_addr *call) {
    return bpf_get_netns_cookie(call) == node_namespace;
}

/// Whether a program leads calls from where this one comes from. A call may meet several programs, in its cgroup and in those
/// above: each leaves alone what is another's, and what another has noted.
INLINE int is_ours(struct bpf_sock_addr *call) {
    return serves_node == serves_pods ? serves_node : is_of_node(call) ? serves_node : serves_pods;
}

/// Whether an address is one of the node's that node ports answer on, as seen by the caller.
INLINE int answers_node_ports(struct bpf_sock_addr *call, const __u32 *address) {
    struct duet_prefix key = {.length = 128, .address = {address[0], address[1], address[2], address[3]}};
    if (is_loopback(address)) {
        if (!answers_on_loopback || !is_of_node(call)) return 0;
    } else if (!bpf_map_lookup_elem(&node_addresses, &key.address)) {
        return 0;
    }
    return bpf_map_lookup_elem(&node_port_ranges, &key) != 0;
}

/// What happens to a call of a node port, which it makes of what is called; 0 if it is none.
APART struct duet_balance *as_node_port(
    struct bpf_sock_addr *call, const struct duet_frontend *called, struct duet_frontend *port) {
    if (!answers_node_ports(call, called->address)) return 0;
    *port = node_port(called);
    return bpf_map_lookup_elem(&balances, port);
}

/// Finds the frontend whose slots another one shares; 0 when calls of that are not led.
APART int find_anchor(const struct duet_frontend *called, struct duet_frontend *found) {
    struct duet_frontend *anchor = bpf_map_lookup_elem(&aliases, called);
    if (!anchor || bpf_map_lookup_elem(&guarded, called)) return 0;
    *found = *anchor;
    return 1;
}

/// A number below a range.
INLINE __u32 random_below(__u64 range) {
    return (__u32)(range * bpf_get_prandom_u32() >> 32);
}

/// Draws once more after a number that hit no slot; 0 when there is none.
APART struct duet_backend *redraw(struct duet_slot *slot, __u32 pool, __u32 range) {
    struct duet_backend *backend = 0;
    for (int attempt = 1; attempt <= ATTEMPTS && !backend; attempt++) {
        // At last below where there is a slot for each number.
        slot->number = pool + random_below(attempt < ATTEMPTS ? range : range / 2 + 1);
        backend = bpf_map_lookup_elem(&slots, slot);
    }
    if (backend) return backend;
    // A call in the middle of a change may find slots gone; the first is the last to go.
    slot->number = pool;
    return bpf_map_lookup_elem(&slots, slot);
}

/// Draws one of so many slots from a number on; 0 when none of them is there.
INLINE int draw(const struct duet_frontend *anchor, __u32 pool, __u32 range, struct duet_backend *chosen) {
    struct duet_slot slot = {.anchor = *anchor, .number = pool + random_below(range)};
    struct duet_backend *backend = bpf_map_lookup_elem(&slots, &slot);
    if (!backend) backend = redraw(&slot, pool, range);
    if (!backend) return 0;
    *chosen = *backend;
    return 1;
}

/// The endpoint that a client has been led to before, if it still may be.
INLINE int keep(const struct duet_client *client, __u64 now, __u64 sticky, struct duet_backend *chosen) {
    struct duet_kept *kept = bpf_map_lookup_elem(&clients, client);
    if (!kept || now - kept->used >= sticky) return 0;
    struct duet_member member = {.anchor = client->anchor, .backend = kept->backend};
    if (!bpf_map_lookup_elem(&members, &member)) return 0;
    kept->used = now;
    *chosen = member.backend;
    return 1;
}

/// Draws one for a client that is to keep it, unless it has one.
APART int draw_once(
    struct bpf_sock_addr *call, const struct duet_frontend *anchor, const struct duet_balance *balance,
    struct duet_backend *chosen) {
    __u64 sticky = balance->sticky_seconds * NANOSECONDS, now = bpf_ktime_get_ns();
    struct duet_client client = {
        .network_namespace = bpf_get_netns_cookie(call), .anchor = *anchor, .pool = balance->pool};
    if (keep(&client, now, sticky, chosen)) return 1;
    if (!draw(anchor, client.pool, balance->range, chosen)) return 0;
    struct duet_kept kept = {.used = now, .backend = *chosen};
    bpf_map_update_elem(&clients, &client, &kept, BPF_ANY);
    return 1;
}

/// Draws an endpoint for a call; 0 when the call is to be left as it is.
INLINE int choose(struct bpf_sock_addr *call, const struct duet_frontend *called, struct duet_backend *chosen) {
    struct duet_frontend port, anchor;
    struct duet_balance *balance = bpf_map_lookup_elem(&balances, called);
    if (!balance || balance->action == DUET_REFUSE) {
        balance = as_node_port(call, called, &port);
        called = &port;
    }
    if (!balance || balance->action != DUET_BALANCE || !balance->range) return 0;
    if (balance->entry != DUET_CLUSTER) {
        if (!find_anchor(called, &anchor)) return 0;
        called = &anchor;
    } else if (masquerades_all && !is_of_node(call)) {
        return 0;
    }
    if (balance->sticky_seconds) return draw_once(call, called, balance, chosen);
    return draw(called, balance->pool, balance->range, chosen);
}

/// The place of a socket's note.
INLINE struct duet_note *place_of(__u64 socket) {
    __u32 index = (__u32)socket % DUET_NOTES;
    return bpf_map_lookup_elem(&notes, &index);
}

/// What is noted of a connected socket; 0 if nothing is.
INLINE struct duet_peer *noted(struct bpf_sock *socket, __u64 cookie) {
    struct duet_note *place = place_of(cookie);
    return place && place->socket == cookie ? &place->peer : bpf_sk_storage_get(&peers, socket, 0, 0);
}

/// Where to note what a socket calls, in its place if `holder` leaves it; 0 if there is no room.
INLINE struct duet_peer *note(struct duet_note *place, __u64 holder, __u64 cookie, struct bpf_sock *socket) {
    if (!holder) holder = __sync_val_compare_and_swap(&place->socket, 0, cookie);
    if (!holder || holder == cookie) return &place->peer;
    return bpf_sk_storage_get(&peers, socket, 0, BPF_SK_STORAGE_GET_F_CREATE);
}

/// Draws an endpoint for a connection, and notes it with the socket; 0 when the call is to be left as it is.
INLINE int connect(struct bpf_sock_addr *call, const struct duet_frontend *called, struct duet_backend *chosen) {
    int is_datagram = called->transport == IPPROTO_UDP;
    if (called->transport != IPPROTO_TCP && !is_datagram) return 0;
    struct bpf_sock *socket = call->sk;
    if (!socket) return 0;
    __u64 cookie = bpf_get_socket_cookie(call);
    struct duet_note *place = place_of(cookie);
    if (!place) return 0;
    // Asked for early: it is seldom in a cache, and comes while the endpoint is drawn.
    __u64 holder = *(volatile __u64 *)&place->socket;
    if ((is_datagram && !connects_datagrams) || !choose(call, called, chosen)) {
        // What an earlier connection of the socket left must not be taken for this one's.
        if (holder == cookie) place->socket = 0;
        if (bpf_sk_storage_get(&peers, socket, 0, 0)) bpf_sk_storage_delete(&peers, socket);
        return 0;
    }
    struct duet_peer *peer = note(place, holder, cookie, socket);
    if (!peer) return 0;
    peer->frontend = *called;
    peer->backend = *chosen;
    if (is_datagram) {
        struct duet_flow flow = {.socket = cookie, .frontend = *called};
        struct duet_flow_end end = {.backend = *chosen, .is_connected = 1};
        if (bpf_map_update_elem(&flows, &flow, &end, BPF_ANY)) return 0;
    }
    return 1;
}

/// The endpoint of a datagram: the one that the socket's earlier ones to the same frontend had, or a new one.
INLINE int send(struct bpf_sock_addr *call, const struct duet_frontend *called, struct duet_backend *chosen) {
    if (called->transport != IPPROTO_UDP) return 0;
    __u64 socket = bpf_get_socket_cookie(call);
    struct duet_flow flow = {.socket = socket, .frontend = *called};
    struct duet_flow_end *known = bpf_map_lookup_elem(&flows, &flow);
    struct duet_answer answer = {.socket = socket};
    if (known) {
        *chosen = known->backend;
    } else {
        if (!choose(call, called, chosen)) {
            // The answers to this one come from whom it is sent to.
            answer.backend = as_backend(called);
            if (bpf_map_lookup_elem(&origins, &answer)) bpf_map_delete_elem(&origins, &answer);
            return 0;
        }
        struct duet_flow_end end = {.backend = *chosen};
        if (bpf_map_update_elem(&flows, &flow, &end, BPF_ANY)) return 0;
    }
    answer.backend = *chosen;
    if (!bpf_map_lookup_elem(&origins, &answer) && bpf_map_update_elem(&origins, &answer, called, BPF_ANY)) return 0;
    return 1;
}

/// What a socket called that is connected to, or hears from, an endpoint; 0 when it is what it says.
INLINE int called_as(
    struct bpf_sock_addr *call, const struct duet_frontend *met, struct duet_frontend *called) {
    struct duet_backend backend = as_backend(met);
    struct bpf_sock *socket = call->sk;
    __u64 cookie = bpf_get_socket_cookie(call);
    struct duet_peer *peer = socket ? noted(socket, cookie) : 0;
    if (peer && is_same(&peer->backend, &backend)) {
        *called = peer->frontend;
        return 1;
    }
    if (met->transport != IPPROTO_UDP) return 0;
    struct duet_answer answer = {.socket = cookie, .backend = backend};
    struct duet_frontend *origin = bpf_map_lookup_elem(&origins, &answer);
    if (!origin) return 0;
    *called = *origin;
    return 1;
}

/// A program for each hook and family; all of them let the call go on.
#define OUTWARD(hook, family, step)                                                                                   \
    SECTION("cgroup/" #hook #family) int duet_##hook##family(struct bpf_sock_addr *call) {                            \
        struct duet_frontend called = frontend##family(call);                                                         \
        struct duet_backend chosen = {};                                                                              \
        if (!is_ours(call)) return 1;                                                                                 \
        if (step(call, &called, &chosen)) set##family(call, chosen.address, chosen.port);                             \
        return 1;                                                                                                     \
    }

#define INWARD(hook, family)                                                                                          \
    SECTION("cgroup/" #hook #family) int duet_##hook##family(struct bpf_sock_addr *call) {                            \
        struct duet_frontend met = frontend##family(call);                                                            \
        struct duet_frontend called = {};                                                                             \
        if (!is_ours(call)) return 1;                                                                                 \
        if (called_as(call, &met, &called)) set##family(call, called.address, called.port);                           \
        return 1;                                                                                                     \
    }

OUTWARD(connect, 4, connect)
OUTWARD(connect, 6, connect)
OUTWARD(sendmsg, 4, send)
OUTWARD(sendmsg, 6, send)
INWARD(recvmsg, 4)
INWARD(recvmsg, 6)
INWARD(getpeername, 4)
INWARD(getpeername, 6)

SECTION("cgroup/sock_release") int duet_sock_release(struct bpf_sock *socket) {
    __u64 cookie = bpf_get_socket_cookie(socket);
    struct duet_note *place = place_of(cookie);
    if (place && place->socket == cookie) place->socket = 0;
    return 1;
}
