// What a map is, in the section ".maps" of an object; the loader reads it from there.
#pragma once

struct duet_map {
    /// enum bpf_map_type
    unsigned int kind;
    unsigned int key_size;
    unsigned int value_size;
    unsigned int capacity;
    /// BPF_F_…
    unsigned int flags;
};
