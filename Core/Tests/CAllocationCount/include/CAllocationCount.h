// Counts the allocations of a thread: the tests' own malloc and its kin, around those of the C library.
#pragma once

/// The allocations that this thread has made so far.
unsigned long duet_allocation_count(void);
