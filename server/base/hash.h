/* hash.h - uthash, which would end the process where memory is short; here it says so.
 *
 * What it does  Include this instead of <uthash.h>. After HASH_ADD_…(head, element), HASH_IS_IN(element) says whether it was added;
 *               if not, memory was short and the hash is as it was before.
 */
#ifndef NEWSWIRE_BASE_HASH_H
#define NEWSWIRE_BASE_HASH_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define HASH_IS_IN(element) ((element)->hh.tbl != NULL)

#endif
