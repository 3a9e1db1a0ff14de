#include "CBPFObjects.h"

// The compiler knows #embed in every language mode, and says so.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char connect_balance[] = {
#embed "objects/connect_balance.o"
};

static const unsigned char nat64[] = {
#embed "objects/nat64.o"
};

static const struct duet_bpf_object objects[] = {
    {"connect_balance", connect_balance, sizeof(connect_balance)},
    {"nat64", nat64, sizeof(nat64)},
    {NULL, NULL, 0},
};

const struct duet_bpf_object *const duet_bpf_objects = objects;
