// The maps of BPF/connect_balance.c. Addresses of IPv4 stand as ::ffff:a.b.c.d, in network byte order, ports too.
#pragma once

#include <stdint.h>

/// What a client connects to; a node port has the address 0 of its family.
struct duet_frontend {
    uint32_t address[4];
    uint16_t port;
    uint8_t transport;
    uint8_t padding;
};

/// Where a connection ends.
struct duet_backend {
    uint32_t address[4];
    uint16_t port;
    uint16_t padding;
};

enum duet_action { DUET_BALANCE, DUET_REFUSE, DUET_DROP };

/// The way in: the cluster address, which the slots are kept under, or another.
enum duet_entry { DUET_CLUSTER, DUET_EXTERNAL, DUET_INSIDER, DUET_OUTSIDER };

/// What happens to calls of a frontend: the number of the pool's first slot, below which number one is drawn, and for how
/// many seconds a client keeps its endpoint.
struct duet_balance {
    uint32_t action;
    uint32_t entry;
    uint32_t pool;
    uint32_t range;
    uint32_t sticky_seconds;
};

/// One place in the random draw of a Service port.
struct duet_slot {
    struct duet_frontend anchor;
    uint32_t number;
};

/// An endpoint that may keep clients of a Service port with affinity.
struct duet_member {
    struct duet_frontend anchor;
    struct duet_backend backend;
};

struct duet_prefix {
    uint32_t length;
    uint32_t address[4];
};

struct duet_address {
    uint32_t words[4];
};

/// A client of a Service port with affinity: all of a network namespace.
struct duet_client {
    uint64_t network_namespace;
    struct duet_frontend anchor;
    uint32_t pool;
};

/// The endpoint of such a client, and when it was last called, in nanoseconds of the monotonic clock.
struct duet_kept {
    uint64_t used;
    struct duet_backend backend;
    uint32_t padding;
};

/// Datagrams of a socket to a frontend.
struct duet_flow {
    uint64_t socket;
    struct duet_frontend frontend;
    uint32_t padding;
};

/// Where they go, and whether the socket is connected: it then sends there without asking.
struct duet_flow_end {
    struct duet_backend backend;
    uint32_t is_connected;
};

/// Datagrams that a socket gets from an endpoint.
struct duet_answer {
    uint64_t socket;
    struct duet_backend backend;
    uint32_t padding;
};

/// What a connected socket called, and where it was led.
struct duet_peer {
    struct duet_frontend frontend;
    struct duet_backend backend;
};

/// How many sockets may be noted without room that is made for each.
enum { DUET_NOTES = 1 << 16 };

/// The note of a socket, by its cookie; 0 when there is none.
struct duet_note {
    uint64_t socket;
    struct duet_peer peer;
};
