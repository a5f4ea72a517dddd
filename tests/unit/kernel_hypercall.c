/* kernel/hypercall.c on the host, where two of the names of its own are the C library's. */
#define exit exit_partition
#define log  log_text
#include "kernel/hypercall.c"
