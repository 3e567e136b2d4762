// checker.mjs - what was accepted against what each client saw. Pure: no server, no clock, so it is tested itself.
//
// wire      [{cursor, id, action, uri, version, channels: [], was: []}]   every accepted post, in order, as Redis kept it
// receipts  [{id, uri, version, at}]   what publishers were told is durable
// queued    [{uri, version}]           what was added to the inbox
// embargoes Map uri -> ms              nothing of it may be seen earlier
// clients   [{name, channels: [], from: id, sessions: [{at, resumed}], seen: [{cursor, action, uri, version, text, at, session}], gaps}]
//           at: wall ms; session: index into sessions; text: did it carry the item?

const TEXTLESS = new Set(['kill', 'hold', 'remove']);
const GRACE_MS = 1000; // from a kill's receipt until every worker has surely heard it

export function compareIds(a, b) {
  const [ams, aseq] = a.split('-').map(Number);
  const [bms, bseq] = b.split('-').map(Number);
  return ams - bms || aseq - bseq;
}

const idOf = (cursor) => cursor.slice(cursor.indexOf(':') + 1);
const meets = (a, b) => a.some((name) => b.includes(name));

/** How a post of the wire matches channels: 'full', 'remove' or null (design.md, "subscription"). */
export function matching(post, channels) {
  const now = meets(post.channels, channels);
  const before = meets(post.was, channels);
  if (post.action === 'kill' || post.action === 'hold') return now || before ? 'full' : null;
  if (post.also && before) return null;
  return now ? 'full' : before ? 'remove' : null;
}

/** Everything that is wrong, each as {kind, who, what}. kinds: lost, doubled, disordered, strange, killed, leaked, gap, undurable. */
export function check({ wire, receipts, queued = [], embargoes, clients }) {
  const wrong = [];
  const at = new Map(wire.map((post, i) => [post.id, i]));
  for (const receipt of receipts)
    if (receipt.id && !at.has(receipt.id))
      wrong.push({ kind: 'undurable', who: 'redis', what: `${receipt.uri} ${receipt.version}: receipt ${receipt.id} is not on the wire` });
  checkQueued();
  const killedAt = new Map();
  for (const r of receipts) if (r.action === 'kill') killedAt.set(r.uri, Math.min(r.at, killedAt.get(r.uri) ?? Infinity));
  for (const client of clients) checkClient(client);
  return wrong;

  /* Every entry of the inbox is published, once, and no version after a later one. */
  function checkQueued() {
    const places = new Map();
    wire.forEach((post, i) => places.set(`${post.uri} ${post.version}`, [...(places.get(`${post.uri} ${post.version}`) ?? []), i]));
    const last = new Map();
    for (const { uri, version } of queued) {
      const [place, ...more] = places.get(`${uri} ${version}`) ?? [];
      if (place === undefined) wrong.push({ kind: 'undurable', who: 'inbox', what: `${uri} ${version} was added and is not on the wire` });
      if (more.length > 0) wrong.push({ kind: 'doubled', who: 'inbox', what: `${uri} ${version} is on the wire ${more.length + 1} times` });
      if (place < last.get(uri)) wrong.push({ kind: 'disordered', who: 'inbox', what: `${uri} ${version} before an older one` });
      last.set(uri, place);
    }
  }

  function checkClient(client) {
    const bad = (kind, what) => wrong.push({ kind, who: client.name, what });
    if (client.gaps > 0) bad('gap', `${client.gaps} gaps, though nothing was lost`);
    const got = new Set();
    let last = client.from;
    const dead = new Set();
    for (const m of client.seen) {
      const id = idOf(m.cursor);
      if (!at.has(id)) bad('strange', `${m.cursor} is not on the wire`);
      if (got.has(id)) bad('doubled', `${m.uri} ${m.version} at ${id}`);
      else if (compareIds(id, last) <= 0) bad('disordered', `${id} after ${last}`);
      got.add(id);
      if (compareIds(id, last) > 0) last = id;
      if (m.action === 'kill') dead.add(m.uri);
      if (m.text && dead.has(m.uri)) bad('killed', `${m.uri} ${m.version} after its kill`);
      const session = client.sessions[m.session];
      if (m.text && killedAt.has(m.uri) && session.at > killedAt.get(m.uri) + GRACE_MS)
        bad('killed', `${m.uri} ${m.version} in a session that began after its kill`);
      if (m.text && embargoes.has(m.uri) && m.at < embargoes.get(m.uri)) bad('leaked', `${m.uri} ${embargoes.get(m.uri) - m.at} ms early`);
      const post = wire[at.get(id)];
      if (post && matching(post, client.channels) === null) bad('strange', `${m.uri} does not match its subscription`);
      if (post && !TEXTLESS.has(m.action) && matching(post, client.channels) === 'remove') bad('strange', `${m.uri} should be a remove`);
    }
    checkLost(client, got, bad);
  }

  /* A post that did not come is lost unless a later one of the same uri came: that is what catching up leaves out. */
  function checkLost(client, got, bad) {
    const laterCame = new Set();
    for (let i = wire.length - 1; i >= 0; i--) {
      const post = wire[i];
      if (compareIds(post.id, client.from) <= 0) break;
      if (matching(post, client.channels) === null) continue;
      if (got.has(post.id)) laterCame.add(post.uri);
      else if (!laterCame.has(post.uri)) bad('lost', `${post.action} of ${post.uri} ${post.version} at ${post.id}`);
    }
  }
}
