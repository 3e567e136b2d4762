// desk.mjs - a newsroom that is busy for hours: stories, corrections, kills, embargoes, on all ways in, and what is refused.
import { item } from '../scenario/stage.mjs';

const CHANNELS = ['world', 'sport', 'business', 'science', 'culture', 'weather'];
const STORIES = 200; // that may still be corrected or killed
const pick = (list, random) => list[Math.floor(random() * list.length)];

export class Desk {
  constructor(stage, random) {
    Object.assign(this, { stage, random, stories: [], sent: new Map(), counts: { posts: 0, refused: 0 } });
  }

  /** One more thing that a newsroom does. */
  async work() {
    const dice = this.random();
    if (dice < 0.05) return this.mistake();
    if (dice < 0.25 && this.stories.length > 0) return this.change();
    const story = item({ body: 'x'.repeat(Math.floor(this.random() * 3000)), urgency: this.random() < 0.05 ? 1 : 5 });
    const channel = pick(CHANNELS, this.random);
    if (dice < 0.35) return this.stage.publish(story, channel);
    if (dice < 0.45) return this.stage.redis.xadd('{newswire}:inbox', '*', 'channel', channel, 'item', JSON.stringify(story));
    if (dice < 0.48) return this.post({ ...story, embargoedUntil: new Date(Date.now() + 2000).toISOString() }, channel);
    this.stories.push({ ...story, channel });
    if (this.stories.length > STORIES) this.stories.shift();
    this.sent.set(story.uri, performance.now());
    return this.post(story, channel);
  }

  async post({ channel: _, ...story }, channel) {
    const { status } = await this.stage.post(story, { channels: channel });
    this.counts[status < 300 ? 'posts' : 'refused'] += 1;
  }

  change() {
    const story = pick(this.stories, this.random);
    story.version = String(Number(story.version) + 1);
    if (this.random() > 0.2) return this.post(story, story.channel);
    this.stories.splice(this.stories.indexOf(story), 1);
    return this.post({ uri: story.uri, version: story.version, pubStatus: 'canceled' }, story.channel);
  }

  /** What people get wrong: each has an answer, and nothing stays behind. */
  mistake() {
    const wrong = pick([
      () => this.stage.post('{"uri": ', { channels: 'world' }), () => this.stage.post(item(), { key: 'nobody', channels: 'world' }),
      () => this.stage.http('/v1/feed?channels=NO%20NAME'), () => this.stage.http('/v1/items/urn:nothing'), () => this.stage.http('/nowhere'),
    ], this.random);
    this.counts.refused += 1;
    return wrong();
  }
}
