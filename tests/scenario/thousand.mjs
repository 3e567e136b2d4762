// thousand.mjs - the same thousand posts for every kind of reader, corrections and kills among them, and how to judge what one has read.
import assert from 'node:assert/strict';
import { item, until } from './stage.mjs';

const body = (n) => (n % 8 === 0 ? undefined : `The council voted ${n} to ${n % 7}. `.repeat(n % 8));

/** Posts in pieces, each for one request: stories, every fifth a correction, every twentieth a kill, of a story from an earlier
 * piece. No piece changes a story twice: so who has read all before it is spared none of it. */
export function* news(count = 1000, size = 50) {
  const alive = [];
  for (let n = 0; n < count;) {
    const piece = [], fresh = [];
    for (let k = 0; k < size; k++, n++) {
      const [old] = n % 5 === 4 ? alive.splice(alive.length / 2, 1) : [];
      const again = old && { uri: old.uri, version: String(Number(old.version) + 1) };
      if (old === undefined) fresh.push(piece[piece.push(item({ headline: `Story ${n}`, body: body(n) })) - 1]);
      else if (n % 20 === 19) piece.push(item({ ...again, pubStatus: 'canceled' }));
      else fresh.push(piece[piece.push(item({ ...again, headline: `Corrected ${n}`, body: body(n) })) - 1]);
    }
    alive.push(...fresh);
    yield piece;
  }
}

/** `control` reads along: so it keeps up, and sees every version. */
export async function publishAll(stage, control, count) {
  let published = 0;
  for (const piece of news(count)) {
    const { status, body } = await stage.post(piece, { channels: 'world' });
    assert.equal(status, 200, JSON.stringify(body).slice(0, 500));
    assert.deepEqual(body.results.filter((result) => result.status !== 'accepted'), []);
    await control.hasRead(published += piece.length);
  }
}

/** The same, while whoever reads through the relay (events.mjs) is cut off so many times, by an end or a reset, in the middle of a
 * message or between two. */
export async function publishWhileCut(stage, relay, control, { count = 1000, cuts }) {
  let over = false;
  const publishing = publishAll(stage, control, count).finally(() => { over = true; });
  for (let n = 0; n < cuts && !over; n++) {
    const before = relay.heads.length;
    relay.cutAfter(n * 97 % 4000, n % 2 === 0);
    await until(() => over || relay.heads.length > before, 'the reader to come back');
  }
  await publishing;
  for (let n = relay.heads.length; n < cuts + 1; n = relay.heads.length) {
    relay.cutAll();
    await until(() => relay.heads.length > n, 'the reader to come back');
  }
}

const uri = (post) => post.uri ?? post.item.uri;

/** In order, each once; and what was left out had been replaced: the last word about every story is there. wire: what a
 * reader who kept up has. */
export function judge(who, posts, wire) {
  const place = new Map(wire.map((post, n) => [post.cursor, n]));
  let before = -1;
  for (const { id, ...post } of posts) {
    if (id !== undefined) assert.equal(id, post.cursor, `${who}: the event's id is the cursor`);
    const n = place.get(post.cursor);
    assert.ok(n > before, `${who}: ${post.cursor} is post ${n} of the wire, and came after ${before}`);
    before = n;
    assert.deepEqual(post, wire[n], who);
  }
  const last = new Map(wire.map((post) => [uri(post), post.cursor]));
  const seen = new Set(posts.map((post) => post.cursor));
  for (const [story, cursor] of last) assert.ok(seen.has(cursor), `${who} was not told the last of ${story}`);
}
