/* iri.h - internationalised addresses (RFC 3987): telling whether a text is one, and making one of
 * whatever newsrooms use as a uri. */
#ifndef NEWSWIRE_NEWS_IRI_H
#define NEWSWIRE_NEWS_IRI_H

#include <stdbool.h>
#include "base/buf.h"

/* Is the text (UTF-8) an IRI with a scheme? Stricter than the RFC about brackets: none. */
bool iri_is_valid(const char *text);
/* One that a browser may load: http or https, with a host? */
bool iri_is_web(const char *text);

/* Appends the text with everything but letters, digits and `-._~` percent-encoded. */
void iri_add_escaped(struct buf *out, const char *text);
/* Appends the text where it is an IRI, else `urn:newswire:item:` and the text escaped. */
void iri_add(struct buf *out, const char *text);

#endif
