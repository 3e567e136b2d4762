/* item_channels.h - where an item goes: the channels its publisher named, and those that its
 * content says. */
#ifndef NEWSWIRE_NEWS_ITEM_CHANNELS_H
#define NEWSWIRE_NEWS_ITEM_CHANNELS_H

#include "news/ninjs.h"

/* How many of each an item may have; what is over is refused (plain ones) or left out (derived
 * ones). */
enum { ITEM_PLAIN_MAX = 64, ITEM_TOPICS_MAX = 64, ITEM_REGIONS_MAX = 32, ITEM_DESKS_MAX = 16 };

/* Appends the names in `plain` and in the item's `channels`, each with a space behind it; takes
 * that property out. */
void item_channels_take_plain(json_t *json, const struct channel_set *plain, struct ninjs *n,
			      struct buf *names);

/* Appends what the canonical item says, unless `names` say that it is a drill, which goes nowhere else. uri, class, lang and type of `item` are known already. */
void item_channels_derive(const struct item *item, const json_t *canonical, struct buf *names);

#endif
