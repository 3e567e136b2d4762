/* sha1.h - SHA-1 (FIPS 180-4), by which Redis names scripts. Not for anything that must be secret or safe. */
#ifndef NEWSWIRE_WIRE_SHA1_H
#define NEWSWIRE_WIRE_SHA1_H

#include <stddef.h>

/* 40 hex digits in lower case and a NUL. */
void sha1_hex(const void *bytes, size_t len, char out[41]);

#endif
