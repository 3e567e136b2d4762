// ledger.mjs - what Redis accepted, written down before it can be lost: the wire of every history (epoch), one after another.
//
// Ledger           of one Redis: read before something is done to it
// BranchingLedger  of a master with replicas. Each of them may have been the master, so each is listened to all the time: what any ever announced is
//                  known, with its history. What the last master has is the wire; the rest stood on a branch that was lost.
import { until } from '../scenario/stage.mjs';

const PAGE = 2000;

function postOf(epoch, id, meta) {
  const { action, uri, version, channels, was, also } = JSON.parse(meta);
  return { epoch, id, action, uri, version, also: also === '1', channels: channels.split(' ').filter(Boolean), was: (was ?? '').split(' ').filter(Boolean) };
}

export class Ledger {
  /** redis: a connection of its own. Behind somebody else's XADD, a question would wait for as long as that is held up. */
  constructor(redis) { Object.assign(this, { redis, posts: [], epoch: null, after: '-', losses: [], branches: [] }); }

  async begin() { this.epoch = await until(() => this.redis.get('{newswire}:epoch'), 'a first history'); }

  /** Nothing more comes. */
  end() { return this.read(); }

  /** All that has come since the last time. */
  async read() {
    for (;;) {
      const entries = await this.redis.xrange('{newswire}:wire', this.after, '+', 'COUNT', PAGE);
      this.add(entries);
      if (entries.length < PAGE) return;
    }
  }

  add(entries) {
    for (const [id, fields] of entries) {
      this.posts.push(postOf(this.epoch, id, fields[fields.indexOf('meta') + 1]));
      this.after = `(${id}`;
    }
  }

  /** Everything is read, and in the same moment gone. */
  async flush() {
    await this.read();
    const [[, entries]] = await this.redis.multi().xrange('{newswire}:wire', this.after, '+').flushall().exec();
    this.add(entries);
    await this.lost();
  }

  /** Redis lost something that was read before: another history has begun, or will. Its ids may be those of what was lost. */
  async lost() {
    this.losses.push(Date.now());
    const old = this.epoch;
    const known = new Set(this.posts.map(({ id, uri }) => `${id} ${uri}`));
    this.epoch = await until(async () => {
      const epoch = await this.redis.get('{newswire}:epoch').catch(() => null);
      return epoch !== old && epoch;
    }, 'a new history after a loss', 30000);
    this.after = '-';
    const entries = await this.redis.xrange('{newswire}:wire', '-', '+');
    this.add(entries.filter(([id, fields]) => !known.has(`${id} ${JSON.parse(fields[fields.indexOf('meta') + 1]).uri}`)));
    if (entries.length > 0) this.after = `(${entries.at(-1)[0]}`;
  }
}

const nameOf = ({ id, uri, version, action }) => `${id} ${uri} ${version} ${action}`;

export class BranchingLedger {
  /** where(): a connection of its own to the master of this moment; ears: one to each Redis, for nothing but this. */
  constructor(where, ears) {
    Object.assign(this, { where, posts: [], epoch: null, losses: [], branches: [], heard: new Map() });
    for (const ear of ears) ear.on('message', (channel, text) => this.hear(text));
    this.listening = Promise.all(ears.map((ear) => ear.subscribe('newswire:out')));
  }

  async begin() {
    await this.listening;
    await until(() => this.where().get('{newswire}:epoch'), 'a first history');
  }

  /* `1 epoch id prev`, meta, and the text. A replica hears it from its master. */
  hear(text) {
    const [head, meta] = text.split('\n', 2);
    const [form, epoch, id] = head.split(' ');
    if (form !== '1' || !meta || id === '0-0') return; // a canary is no post
    const post = postOf(epoch, id, meta);
    this.heard.set(`${epoch} ${nameOf(post)}`, post);
  }

  async read() { /* nothing can be lost unheard */ }

  async flush() {
    const [[, entries]] = await this.where().multi().xrange('{newswire}:wire', '-', '+').flushall().exec();
    this.losses.push(Date.now());
    this.add(entries);
  }

  async end() {
    this.add(await this.where().xrange('{newswire}:wire', '-', '+'));
    this.epoch = await this.where().get('{newswire}:epoch');
    const there = new Set(this.posts.map((post) => `${post.epoch} ${nameOf(post)}`));
    this.branches = [...this.heard].filter(([name]) => !there.has(name)).map(([, post]) => post);
  }

  /* The history of what nobody heard announced is that of the post before. */
  add(entries) {
    const histories = new Map([...this.heard.values()].map((post) => [nameOf(post), post.epoch]));
    let epoch = null;
    for (const [id, fields] of entries) {
      const post = postOf(epoch, id, fields[fields.indexOf('meta') + 1]);
      epoch = post.epoch = histories.get(nameOf(post)) ?? epoch;
      this.posts.push(post);
    }
  }
}
