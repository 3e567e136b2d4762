// tool.mjs - a newsroom's tool on its lasting line (/v1/publish), for scenarios.
//
//   const tool = await Tool.open(stage);                       with the node's key in the handshake
//   const answer = await tool.publish(item, ['world']);        {type: 'accepted', http: 201, status: 'accepted', …}
import { Reader, until } from './stage.mjs';

export class Tool extends Reader {
  /** Has been said hello to. key: null for none; options: those of ws. */
  static async open(stage, { key = stage.key, ...options } = {}) {
    const tool = Tool.connect(stage, { key, ...options });
    await tool.type('hello');
    return tool;
  }
  /** Has only begun to connect. */
  static connect(stage, { key = stage.key, headers = {}, ...options } = {}) {
    const tool = new Tool(`${stage.url.replace(/^http/, 'ws')}/v1/publish`, {
      headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers }, ...options });
    tool.serial = 0;
    stage.readers.push(tool);
    return tool;
  }
  /** Sends a message with a new ref, and returns that ref. what: an object, or the JSON of an item as text in {item}. */
  hand(message) {
    const ref = ++this.serial;
    const { item, ...rest } = message;
    const text = item === undefined ? '' : `,"item":${typeof item === 'string' ? item : JSON.stringify(item)}`;
    this.send(`${JSON.stringify({ type: 'publish', ref, ...rest }).slice(0, -1)}${text}}`);
    return ref;
  }
  answer(ref) { return this.saw((m) => m.ref === ref, `the answer to ${ref}`); }
  /** Publishes one item and waits for its answer. */
  publish(item, channels, more = {}) {
    return this.answer(this.hand({ item, ...(channels === undefined ? {} : { channels }), ...more }));
  }
  get answers() { return this.messages.filter((m) => m.type === 'accepted' || m.type === 'refused'); }
  async hasAnswers(n) {
    await until(() => this.answers.length >= n || this.closed, `${n} answers (have ${this.answers.length})`);
    return this.answers;
  }
}
