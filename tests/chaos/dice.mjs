// dice.mjs - chance that comes out the same for the same seed, in the shapes that a run asks for.
import { seeded as numbers } from './seeded.mjs';

export function seeded(seed) {
  const random = numbers(seed);
  return {
    random,
    pick: (list) => list[Math.floor(random() * list.length)],
    between: (low, high) => low + Math.floor(random() * (high - low)),
    shuffle: (list) => list.map((one) => [random(), one]).sort((x, y) => x[0] - y[0]).map(([, one]) => one),
  };
}
export const sleep = (ms) => new Promise((go) => setTimeout(go, ms));
