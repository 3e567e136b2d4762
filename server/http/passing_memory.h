/* passing_memory.h - memory that libwebsockets needs only until a request is read, apart from the heap.
 *
 * What it does  A handshake takes 9 KiB for a moment. In the heap, the readers that come meanwhile would settle
 *               around it, and its hole would stay: a megabyte after a storm. Here it has slots of its own
 *               kind and size; those that are free are given back to the system once it is calm.
 * Bounds        PASSING_SLOTS of each size; beyond them (and of any other size) it is the heap's.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_HTTP_PASSING_MEMORY_H
#define NEWSWIRE_HTTP_PASSING_MEMORY_H

#include <stddef.h>

enum { PASSING_SLOTS = 512, PASSING_SMALLEST = 896 }; /* what a reader keeps is smaller */

/* From now on libwebsockets takes its memory by way of this. header_bytes: what it reads the head of a request into. */
void passing_memory_use(size_t header_bytes);
/* A second has passed. */
void passing_memory_second(void);

#endif
