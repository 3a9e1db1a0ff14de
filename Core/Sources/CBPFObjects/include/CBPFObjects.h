// The compiled objects of BPF/, and the layouts that programs and Swift share.
#pragma once

#include "connect_balance.h"
#include "duet_map.h"
#include "duet_nat64.h"

#include <stddef.h>

/// An object of BPF/, compiled by scripts/build-bpf.
struct duet_bpf_object {
    /// The name of the source, without ".c"; NULL after the last object.
    const char *_Nullable name;
    const unsigned char *_Nullable bytes;
    size_t count;
};

/// All objects; the one without a name ends them.
extern const struct duet_bpf_object *_Nonnull const duet_bpf_objects;
