/* sabotage.h - nothing at all, but in a server that is built broken on purpose (NEWSWIRE_BREAK), to see that ./dev chaos notices.
 *
 * What it does  SABOTAGE(kind, every) is false; in the broken server it is true each `every`th time if the environment's
 *               NEWSWIRE_SABOTAGE is `kind`.
 * Threads       Loop thread only.
 */
#ifndef NEWSWIRE_BASE_SABOTAGE_H
#define NEWSWIRE_BASE_SABOTAGE_H

#include <stdbool.h>

#ifndef NEWSWIRE_BREAK
#define SABOTAGE(kind, every) false
#else
#include <stdlib.h>
#include <string.h>

static inline bool sabotage(const char *kind, unsigned every)
{
	static unsigned times;
	const char *wanted = getenv("NEWSWIRE_SABOTAGE");

	return wanted != NULL && strcmp(wanted, kind) == 0 && ++times % every == 0;
}
#define SABOTAGE(kind, every) sabotage(kind, every)
#endif

#endif
