/* publish.h - how an answer to a posted item is judged; apart from the network, so that tests can ask. */
#ifndef NEWSWIRE_LIB_PUBLISH_H
#define NEWSWIRE_LIB_PUBLISH_H

#include <newswire/client.h>

/* What became of the item. Success needs the status and the receipt to agree. */
enum newswire_status publish_judge(const struct newswire_answer *answer);

#endif
