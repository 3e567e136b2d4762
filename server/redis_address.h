/* redis_address.h - the text that says where Redis is.
 *
 *     redis://[user:password@]host[:port][/db]      user may be empty; user and password
 * percent-encoded unix:PATH[?db=N]
 *
 * Threads       Any.
 */
#ifndef NEWSWIRE_REDIS_ADDRESS_H
#define NEWSWIRE_REDIS_ADDRESS_H

#include <stddef.h>
#include "base/base.h"

/* Returns 0, or -1 with what is wrong in `why`; nothing of the address is repeated there. */
MUST_USE int redis_address_check(const char *address, char *why, size_t size);

/* Copies the address with its password replaced by `***`, cut to fit. */
void redis_address_hide(const char *address, char *out, size_t size);

#endif
