/* encoding.h - what a client's Accept-Encoding takes (RFC 9110, 12.5.3).
 *
 * What it does  Looks for gzip (or x-gzip, its old name, or `*`) with a weight that is not 0, and not below that of `identity`
 *               where this is named too. A part of the list that cannot be read counts for nothing.
 * Threads       Any; no state.
 */
#ifndef NEWSWIRE_HTTP_ENCODING_H
#define NEWSWIRE_HTTP_ENCODING_H

#include <stdbool.h>

bool encoding_takes_gzip(const char *header);

#endif
