// Publishers for the scenarios: keys.json as people would write it, and signatures as Superdesk makes them.
import { createHash, createHmac } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './stage.mjs';

export const sha256 = (key) => createHash('sha256').update(key).digest('hex');
export const superdeskSignature = (secret, body) => `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`;

/** One publisher; its key is `<name>-key-0123456789abcdef`. */
export const publisher = (name, may, more = {}) => ({ name, sha256: sha256(keyOf(name)), channels: ['*'], may, ...more });
export const keyOf = (name) => `${name}-key-0123456789abcdef`;

/** Puts a file of keys in place at once. what: text, or {keys, raw}. */
export async function putKeys(dir, what) {
  const path = join(dir, 'keys.json');
  await writeFile(`${path}.draft`, typeof what === 'string' ? what : JSON.stringify(what), { mode: 0o600 });
  await rename(`${path}.draft`, path);
}

/** The same for a running server, and waits until all its workers have read it. */
export async function changeKeys(stage, what, event = 'keys_read') {
  const lines = () => stage.log.split('\n').filter((line) => line.includes(`event=${event}`)).length;
  const before = lines();
  await putKeys(stage.dir, what);
  await until(() => lines() >= before + Number(stage.options.workers), `${event} by every worker`);
}
