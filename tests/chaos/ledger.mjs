// ledger.mjs - what Redis accepted, written down before it can be lost: the wire of every history (epoch), one after another.
import { until } from '../scenario/stage.mjs';

const PAGE = 2000;

export class Ledger {
  /** redis: a connection of its own. Behind somebody else's XADD, a question would wait for as long as that is held up. */
  constructor(redis) { Object.assign(this, { redis, posts: [], epoch: null, after: '-', losses: [] }); }

  async begin() { this.epoch = await until(() => this.redis.get('{newswire}:epoch'), 'a first history'); }

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
      const { action, uri, version, channels, was, also } = JSON.parse(fields[fields.indexOf('meta') + 1]);
      this.posts.push({ epoch: this.epoch, id, action, uri, version, also: also === '1',
        channels: channels.split(' ').filter(Boolean), was: (was ?? '').split(' ').filter(Boolean) });
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
