#include "CBPFObjects.h"

static const struct duet_bpf_object objects[] = {
    {NULL, NULL, 0},
};

const struct duet_bpf_object *const duet_bpf_objects = objects;
