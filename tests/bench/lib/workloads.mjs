// What is measured, and what must be reached.
//
// A workload says: how one candidate is measured; who takes part (`who`, or the floor and newswired, and with `peers`
// the others); how the floor is started for it; about how many seconds one measurement takes; which figures it gives,
// which of them stand at the head of the report; and its bars. A bar with `against` is a ratio within one round of
// newswired (or `of`) to that candidate; one `with` another counts only together with that.

import { audiences } from './workloads/audiences.mjs';
import { crowd, idle, storm } from './workloads/crowd.mjs';
import { deflate } from './workloads/deflate.mjs';
import { sse } from './workloads/doors.mjs';
import { burst, centrifuge, many, matrix, mixed, steady } from './workloads/fanout.mjs';
import { flash, wide } from './workloads/flash.mjs';
import { renewing } from './workloads/renewing.mjs';
import { scale } from './workloads/scale.mjs';
import { stuck } from './workloads/stuck.mjs';
import { subscribing } from './workloads/subscribing.mjs';

export const WORKLOADS = { flash, wide, steady, burst, crowd, storm, audiences, many, mixed, matrix, scale, deflate, idle, centrifuge, sse, subscribing, stuck, renewing };

// What `fanout` measures: newswired against the floor.
export const FANOUT = ['steady', 'burst', 'crowd'];

export function participants({ who, peers = false, without = [] }, settings) {
  if (settings.floorOnly) return ['floor'];
  const names = who ?? ['floor', 'newswired', ...(peers ? settings.peers : [])];
  return names.filter((name) => !without.includes(name));
}
