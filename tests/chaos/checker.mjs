// checker.mjs - what was accepted against what each client saw. Pure: no server, no clock, so it is tested itself.
//
// wire      [{epoch, id, action, uri, version, channels: [], was: [], also}]   every accepted post, history after history, each in order
// branches  the same, of what a master had that was replaced, and the one after it has not. Whoever saw some of it is told of a gap; and who was
//           told that it is `replicated` still has it on the wire
// receipts  [{id, uri, version, action, status, durability, since, at}]   what publishers were told is durable; since: when the try that was answered began
// queued    [{uri, version, since}]    what was added to the inbox; since: wall ms, before it was tried
// embargoes Map uri -> ms              nothing of it may be seen earlier
// losses    [ms]                       when Redis lost what it had, on purpose: what had not come out by then is excused
// deaf      [{from, to}]               when some worker could not hear Redis: a kill in there counts from its end
// clients   [{name, channels, class, type, stretches, sessions: [{at}], seen: [{cursor, action, uri, version, text, at, session}]}]
//           stretches: [{epoch, from, to, told}], unbroken pieces of what it followed: from behind one place up to another;
//           told: it began with the first hello or with a `gap`
//           at: wall ms; session: index into sessions; text: did it carry the item?

const TEXTLESS = new Set(['kill', 'hold', 'remove']);
const GRACE_MS = 1000; // from a kill's receipt until every worker has surely heard it
const WAIT_MS = 20000; // what was taken and is due has come out by then, whatever happened

/** What can be wrong, and how it is said. */
export const VERDICTS = {
  lost: 'lost', doubled: 'doubled', disordered: 'out of order', killed: 'killed text seen', leaked: 'embargo leaked', silent: 'silent gap',
  gap: 'gap for nothing', undurable: 'accepted but not durable', strange: 'strange',
};

export function compareIds(a, b) {
  const [ams, aseq] = a.split('-').map(Number);
  const [bms, bseq] = b.split('-').map(Number);
  return ams - bms || aseq - bseq;
}

export const epochOf = (cursor) => cursor.slice(0, cursor.indexOf(':'));
export const idOf = (cursor) => cursor.slice(cursor.indexOf(':') + 1);

function takes(pattern, name) {
  if (!pattern.endsWith('*')) return pattern === name;
  const start = pattern.slice(0, -1);
  return name.startsWith(start) && start.includes(':') === name.includes(':');
}

/** Does a subscription want what goes to these channels? (design.md, "subscription") */
function wants(subscription, channels) {
  const narrowed = (list, kind) => list === undefined || list.some((value) => channels.includes(`${kind}:${value}`));
  return subscription.channels.some((pattern) => channels.some((name) => takes(pattern, name)))
    && narrowed(subscription.class, 'class') && narrowed(subscription.type, 'type');
}

/** How a post of the wire matches a subscription: 'full', 'remove' or null. */
export function matching(post, subscription) {
  const now = wants(subscription, post.channels);
  const before = wants(subscription, post.was);
  if (post.action === 'kill' || post.action === 'hold') return now || before ? 'full' : null;
  if (post.also) return now && !before ? 'full' : null;
  return now ? 'full' : before ? 'remove' : null;
}

/** Everything that is wrong, each as {kind, who, what}. part: only what is about 'publishers', or about 'clients'; without it both. */
export function check({ wire, branches = [], receipts, queued = [], embargoes, losses = [], deaf = [], clients }, part) {
  const wrong = [];
  const place = new Map(wire.map((post, i) => [`${post.epoch}:${post.id}`, i]));
  const byId = new Map(wire.map((post) => [`${post.id} ${post.uri}`, post])); // ids alone come again after a loss
  const branched = new Map(branches.map((post) => [`${post.epoch}:${post.id} ${post.uri}`, post]));
  const branchedPlaces = new Set(branches.map((post) => `${post.epoch}:${post.id}`));
  const forks = forksOf(); // epoch -> id
  if (part !== 'clients') checkPublishers();
  const killedAt = new Map(); // `epoch uri` -> by when every worker knew
  for (const { action, id, uri, at } of receipts) {
    const post = byId.get(`${id} ${uri}`);
    if (action !== 'kill' || !post) continue;
    const name = `${post.epoch} ${uri}`;
    killedAt.set(name, Math.min(heardBy(at), killedAt.get(name) ?? Infinity));
  }
  const cache = new Map();
  if (part !== 'publishers') for (const client of clients) checkClient(client);
  return wrong;

  /* Where the branches of a history begin: the last place of the wire before all of them. */
  function forksOf() {
    const first = new Map();
    for (const { epoch, id } of branches) if (!first.has(epoch) || compareIds(id, first.get(epoch)) < 0) first.set(epoch, id);
    return first;
  }

  function heardBy(at) {
    let time = at + GRACE_MS;
    for (const { from, to } of [...deaf].sort((a, b) => a.from - b.from))
      if (time >= from && at <= to) time = Math.max(time, to + GRACE_MS);
    return time;
  }

  function checkPublishers() {
    const uris = new Set(wire.map((post) => post.uri));
    const lostSince = (at, due = at) => losses.some((loss) => loss >= at && loss <= due + WAIT_MS);
    const mayBeLost = new Set(branches.map(({ id, uri }) => `${id} ${uri}`));
    for (const { id, uri, version, status, durability = 'replicated', at, since = at } of receipts) {
      if (durability !== 'replicated' && mayBeLost.has(`${id} ${uri}`)) continue;
      if (id && !byId.has(`${id} ${uri}`)) wrong.push({ kind: 'undurable', who: 'redis', what: `${uri} ${version}: receipt ${id} is not on the wire` });
      if (status === 'held' && !uris.has(uri) && !lostSince(since, embargoes.get(uri))) wrong.push({ kind: 'undurable', who: 'redis', what: `${uri} was held and never came out` });
    }
    checkQueued(lostSince);
  }

  /* Every entry of the inbox is published, once in a history, and no version after a later one. */
  function checkQueued(lostSince) {
    const bad = (kind, what) => wrong.push({ kind, who: 'inbox', what });
    const places = new Map();
    wire.forEach((post, i) => {
      const name = `${post.uri} ${post.version}`;
      places.set(name, [...(places.get(name) ?? []), i]);
    });
    const last = new Map();
    for (const { uri, version, since } of queued) {
      const all = places.get(`${uri} ${version}`) ?? [];
      if (all.length === 0 && !lostSince(since)) bad('undurable', `${uri} ${version} was added and is not on the wire`);
      for (const epoch of new Set(all.map((i) => wire[i].epoch))) {
        const here = all.filter((i) => wire[i].epoch === epoch);
        if (here.length > 1) bad('doubled', `${uri} ${version} is on the wire ${here.length} times`);
        if (here[0] < last.get(`${epoch} ${uri}`)) bad('disordered', `${uri} ${version} before an older one`);
        last.set(`${epoch} ${uri}`, here[0]);
      }
    }
  }

  /* How each post of the wire matches this subscription: asked once for all who have the same. */
  function matches(client) {
    const name = JSON.stringify([client.channels, client.class, client.type]);
    if (!cache.has(name)) cache.set(name, wire.map((post) => matching(post, client)));
    return cache.get(name);
  }

  function checkClient(client) {
    const bad = (kind, what) => wrong.push({ kind, who: client.name, what });
    const strayed = strayedOf(client);
    checkStretches(client, strayed, bad);
    const match = matches(client);
    const got = new Set();
    const dead = new Set();
    let epoch = null;
    let last = null;
    for (const m of client.seen) {
      const id = idOf(m.cursor);
      const here = epochOf(m.cursor);
      if (here !== epoch) {
        epoch = here;
        last = client.stretches.find((stretch) => stretch.epoch === here)?.from ?? '0-0';
        dead.clear(); // what Redis lost includes its kills
      }
      const stray = strayOf(m);
      const at = stray ? undefined : place.get(m.cursor);
      if (at === undefined && !stray) bad('strange', `${m.cursor} is not on the wire`);
      if (stray && matching(stray, client) === null) bad('strange', `${m.uri} does not match its subscription`);
      if (got.has(m.cursor)) bad('doubled', `${m.uri} ${m.version} at ${id}`);
      else if (compareIds(id, last) <= 0) bad('disordered', `${id} after ${last}`);
      got.add(m.cursor);
      if (compareIds(id, last) > 0) last = id;
      if (m.action === 'kill') dead.add(m.uri);
      if (m.text) checkText(client, m, epoch, dead, bad);
      if (at !== undefined && match[at] === null) bad('strange', `${m.uri} does not match its subscription`);
      if (match[at] === 'remove' && !TEXTLESS.has(m.action)) bad('strange', `${m.uri} should be a remove`);
    }
    checkLost(client, match, got, strayed, bad);
  }

  /* The post of a lost branch that this was; undefined: it is on the wire, or nowhere. */
  function strayOf(m) {
    const at = place.get(m.cursor);
    return at !== undefined && wire[at].uri === m.uri ? undefined : branched.get(`${m.cursor} ${m.uri}`);
  }

  /* Which of its stretches were on a branch that was lost: it saw a post of it, or its place was one of it. */
  function strayedOf(client) {
    const seen = new Set();
    if (branches.length > 0) for (const m of client.seen) if (strayOf(m)) seen.add(m.cursor);
    const isIn = ({ epoch, from, to }, cursor) => epochOf(cursor) === epoch && compareIds(idOf(cursor), from) > 0 && compareIds(idOf(cursor), to) <= 0;
    return client.stretches.map((stretch) => {
      const end = `${stretch.epoch}:${stretch.to}`;
      return (branchedPlaces.has(end) && !place.has(end)) || [...seen].some((cursor) => isIn(stretch, cursor));
    });
  }

  function checkText(client, m, epoch, dead, bad) {
    if (dead.has(m.uri)) bad('killed', `${m.uri} ${m.version} after its kill`);
    else if (client.sessions[m.session].at > killedAt.get(`${epoch} ${m.uri}`)) bad('killed', `${m.uri} ${m.version} in a session that began after its kill`);
    if (m.at < embargoes.get(m.uri)) bad('leaked', `${m.uri} ${embargoes.get(m.uri) - m.at} ms early`);
  }

  /* Where history broke the client was told; where it did not, there was nothing to tell. */
  function checkStretches(client, strayed, bad) {
    client.stretches.forEach(({ epoch, told }, i) => {
      const before = client.stretches[i - 1];
      if (!told) bad('silent', `from ${before ? `${before.epoch}:${before.to}` : 'nowhere'} to ${epoch} without a word`);
      else if (before?.epoch === epoch) bad('gap', `told of a gap at ${epoch}:${before.to}, though nothing was lost`);
    });
    const end = client.stretches.at(-1)?.epoch;
    if (strayed.at(-1)) bad('silent', `at ${end}:${client.stretches.at(-1).to}, on a branch that was lost, and was never told`);
    else if (wire.length > 0 && end !== undefined && end !== wire.at(-1).epoch) bad('silent', `still in ${end}, which is over`);
  }

  /* A post that did not come is lost unless a later one of the same uri came: that is what catching up leaves out. Behind the place where a
     stretch was broken nothing is asked for: that the client was told is what checkStretches() sees to. Nor is what was left out for a later one
     that stands there: it was on its way when the client was told to fetch the feed again. */
  function checkLost(client, match, got, strayed, bad) {
    const laterCame = new Set(), last = new Map();
    for (let i = wire.length - 1; i >= 0; i--) {
      const post = wire[i];
      if (match[i] === null) continue;
      const name = `${post.epoch} ${post.uri}`;
      if (got.has(`${post.epoch}:${post.id}`)) laterCame.add(name);
      else if (!laterCame.has(name) && isOwed(client, strayed, post) && !isBroken(client, post, last.get(name))) bad('lost', `${post.action} of ${post.uri} ${post.version} at ${post.epoch}:${post.id}`);
      if (!last.has(name)) last.set(name, post.id);
    }
  }

  /* Did the stretch of this post end, with a gap, before `later` came? */
  function isBroken(client, post, later) {
    return later !== undefined && client.stretches.some(({ epoch, from, to }, i) => epoch === post.epoch && i < client.stretches.length - 1
      && compareIds(post.id, from) > 0 && compareIds(post.id, to) <= 0 && compareIds(later, to) > 0);
  }

  /* Of the wire, who strayed is owed what came before the branch. */
  function isOwed(client, strayed, post) {
    return client.stretches.some(({ epoch, from, to }, i) => epoch === post.epoch && compareIds(post.id, from) > 0
      && (i === client.stretches.length - 1 || compareIds(post.id, to) <= 0) && !(strayed[i] && compareIds(post.id, forks.get(epoch)) > 0));
  }
}
