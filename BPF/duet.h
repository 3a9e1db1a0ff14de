// What every program here begins with: sections, maps, and the kernel's helpers by name.
#pragma once

#include "duet_map.h"

#include <linux/bpf.h>
#include <linux/types.h>

/// Puts a function or variable into a section; the section of a program names where it runs.
#define SECTION(name) __attribute__((section(name), used))

/// Defines a map.
#define MAP(name, map_kind, key, value, size, map_flags)                                                              \
    struct duet_map name SECTION(".maps") = {                                                                         \
        .kind = map_kind, .key_size = sizeof(key), .value_size = sizeof(value), .capacity = size, .flags = map_flags}

#define INLINE static inline __attribute__((always_inline))

/// The kernel keeps some helpers, none of which is needed here, for programs under the GPL.
char LICENSE[] SECTION("license") = "Apache-2.0";

static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value, __u64 flags) =
    (void *)BPF_FUNC_map_update_elem;
static long (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)BPF_FUNC_map_delete_elem;
static __u32 (*const bpf_get_prandom_u32)(void) = (void *)BPF_FUNC_get_prandom_u32;
static __u64 (*const bpf_ktime_get_ns)(void) = (void *)BPF_FUNC_ktime_get_ns;
static __u64 (*const bpf_get_socket_cookie)(void *context) = (void *)BPF_FUNC_get_socket_cookie;
static __u64 (*const bpf_get_netns_cookie)(void *context) = (void *)BPF_FUNC_get_netns_cookie;
static void *(*const bpf_sk_storage_get)(void *map, void *socket, void *value, __u64 flags) =
    (void *)BPF_FUNC_sk_storage_get;
static long (*const bpf_sk_storage_delete)(void *map, void *socket) = (void *)BPF_FUNC_sk_storage_delete;
