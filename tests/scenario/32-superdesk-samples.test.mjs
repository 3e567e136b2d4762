// The eight samples, by Redis PUBLISH, by the inbox, by HTTP and by a tool's line: what readers get for each, field by field.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Stage, sample, until } from './stage.mjs';
import { Tool } from './tool.mjs';

/** The ways in. send() takes the item in and says what the receipt of HTTP said; those of Redis have none. */
const ways = {
  'Redis PUBLISH': (stage) => async (what, channel) => { await stage.publish(what, channel); return null; },
  'the inbox': (stage) => async (what, channel) => {
    await stage.redis.xadd('{newswire}:inbox', '*', 'channel', channel, 'item', typeof what === 'string' ? what : JSON.stringify(what));
    return null;
  },
  'a line': (stage) => async (what, channel) => {
    stage.tool ??= await Tool.open(stage);
    const { http, ...body } = await stage.tool.publish(what, [channel]);
    return { status: http, body };
  },
  'HTTP POST': (stage) => async (what, channel) => stage.post(what, { channels: channel }),
};
const expectReceipt = (receipt, status, word) => {
  if (receipt === null) return;
  assert.deepEqual([receipt.status, receipt.body.status], [status, word]);
};
const inAnHour = () => new Date(Date.now() + 3600_000).toISOString().replace(/\.\d+Z$/, 'Z');

/** A sample as it must come out: whole and unchanged but for what is never sent. */
function asSent(number) {
  const { edNote, ...rest } = sample(number);
  return rest;
}

for (const [way, through] of Object.entries(ways)) {
  test(`${way}: the canonical samples come out as they went in, less the note to editors`, async (t) => {
    const stage = await Stage.open(t);
    const send = through(stage);
    const reader = await stage.reader({ channels: ['world'] });
    for (const number of [1, 2, 3, 7]) expectReceipt(await send(sample(number), 'world'), 201, 'accepted');
    const [story, video, flash, quote] = await reader.hasRead(4);

    for (const [post, number] of [[story, 1], [video, 2], [flash, 3], [quote, 7]])
      assert.deepEqual({ pubStatus: 'usable', ...post.item }, { pubStatus: 'usable', ...asSent(number) }, `sample ${number}`);
    assert.deepEqual([story, video, flash, quote].map((post) => [post.action, post.class]),
      [['publish', 'regular'], ['publish', 'regular'], ['publish', 'flash'], ['publish', 'regular']]);
    const derived = (post) => post.channels.filter((name) => name.includes(':') && !name.startsWith('story:')).sort();
    assert.deepEqual(derived(story), ['class:regular', 'feed:all', 'lang:en', 'topic:20000337', 'type:text']);
    assert.deepEqual(derived(video), ['class:regular', 'feed:all', 'lang:en', 'type:video']);
    assert.deepEqual(derived(flash), ['class:flash', 'feed:all', 'lang:en', 'type:text']);
    assert.deepEqual(derived(quote), ['class:regular', 'feed:all', 'lang:en', 'type:text']);
    for (const post of reader.posts) {
      assert.ok(post.channels.includes('world'));
      assert.deepEqual(post.channels, [...post.channels].sort(), 'sorted');
    }
    assert.equal(quote.item.headlines, undefined, 'nobody invents a headline');
    const feed = await stage.feed('?channels=world');
    assert.deepEqual(feed.items, reader.posts.map(({ cursor, ...post }) => post).reverse(), 'the feed shows the same posts');
  });

  test(`${way}: 04 corrects 01, in its place, and says what was wrong`, async (t) => {
    const stage = await Stage.open(t);
    const send = through(stage);
    const reader = await stage.reader({ channels: ['world'] });
    await send(sample(1), 'world');
    await reader.hasRead(1);
    expectReceipt(await send(sample(4), 'world'), 201, 'accepted');
    const [, correction] = await reader.hasRead(2);
    assert.equal(correction.action, 'correct');
    assert.deepEqual(correction.item, asSent(4));
    assert.equal(correction.item.descriptions[0].role, 'correction');
    assert.ok(!JSON.stringify(reader.messages).includes('Corrects vote'), 'the note to editors stays inside');
    assert.equal((await stage.http(`/v1/items/${encodeURIComponent(sample(1).uri)}`)).body.item.version, '2');
  });

  test(`${way}: 05 kills 03: a notice, and not a word of the flash`, async (t) => {
    const stage = await Stage.open(t);
    const send = through(stage);
    const reader = await stage.reader({ channels: ['world'] });
    await send(sample(3), 'world');
    await reader.hasRead(1);
    expectReceipt(await send(sample(5), 'world'), 201, 'accepted');
    const [, { cursor, ...kill }] = await reader.hasRead(2);
    const notice = 'This report has been withdrawn. The alert it quoted was caused by a sensor fault.';
    assert.deepEqual(kill, { type: 'post', action: 'kill', uri: sample(3).uri, version: '2', notice });
    assert.deepEqual((await stage.feed()).items, []);
    const gone = await stage.http(`/v1/items/${encodeURIComponent(sample(3).uri)}`);
    assert.equal(gone.status, 410);
    assert.deepEqual(gone.body, kill, 'the item\'s own address says the same');
  });

  test(`${way}: 06 is held under its embargo, and comes out when the newsroom lifts it`, async (t) => {
    const stage = await Stage.open(t);
    const send = through(stage);
    const reader = await stage.reader({ channels: ['world'] });
    const untilWhen = inAnHour();
    expectReceipt(await send(sample(6, { embargoedUntil: untilWhen }), 'world'), 202, 'held');
    await until(async () => (await stage.redis.zcard('{newswire}:embargo')) === 1, 'the item to be held');
    assert.equal(await stage.redis.xlen('{newswire}:wire'), 0);
    assert.deepEqual((await stage.feed()).items, []);
    await reader.settled();
    assert.deepEqual(reader.posts, []);
    // The newsroom brings it forward: the same story under an embargo that is over.
    expectReceipt(await send(sample(6), 'world'), 201, 'accepted');
    const [post] = await reader.hasRead(1);
    assert.equal(post.action, 'publish', 'nobody had been told of it');
    assert.deepEqual(post.item, asSent(6));
    assert.equal(await stage.redis.zcard('{newswire}:embargo'), 0);
  });

  test(`${way}: 08, Superdesk's dialect, becomes ninjs 3.1`, async (t) => {
    const stage = await Stage.open(t);
    const send = through(stage);
    const reader = await stage.reader({ channels: ['local-desk'] });
    const raw = JSON.stringify(sample(8)).replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
    assert.match(raw, /^[ -~]*$/, 'as Superdesk sends it: nothing but ASCII');
    expectReceipt(await send(raw, 'local-desk'), 201, 'accepted');
    const [post] = await reader.hasRead(1);
    const sent = sample(8);
    const got = post.item;

    assert.deepEqual([post.action, post.class], ['publish', 'urgent']);
    for (const channel of ['local-desk', 'feed:all', 'class:urgent', 'type:text', 'lang:uk', 'desk:local', 'topic:20000337'])
      assert.ok(post.channels.includes(channel), `${channel} in ${post.channels}`);
    assert.deepEqual(got.standard, { name: 'ninjs', version: '3.1' });
    assert.equal(got.uri, sent.guid);
    assert.equal(got.version, '3');
    assert.equal(got.pubStatus, 'usable');
    assert.equal(got.firstCreated, '2026-01-10T09:29:02Z');
    assert.equal(got.versionCreated, '2026-01-10T10:02:48Z');
    assert.equal(got.by, sent.byline);
    assert.equal(got.slugline, sent.slugline);
    assert.deepEqual(got.headlines, [{ role: 'main', value: sent.headline }]);
    assert.deepEqual(got.descriptions, [{ role: 'summary', contentType: 'text/plain', value: sent.description_text }]);
    assert.deepEqual(got.bodies, [{ role: 'main', contentType: 'text/html', value: sent.body_html, charCount: 57, wordCount: 9 }]);
    for (const gone of ['guid', 'headline', 'description_text', 'body_html', 'byline', 'pubstatus', 'versioncreated', 'firstcreated',
      'subject', 'genre', 'authors'])
      assert.ok(!(gone in got), `${gone} has its new name only`);
    assert.equal(got.priority, 6, 'what ninjs does not know is kept');
    assert.deepEqual(got.service, sent.service);

    assert.equal(got.subjects[0].name, 'transport');
    assert.match(JSON.stringify(got.subjects[0]), /20000337/);
    assert.equal(got.genres[0].name, 'Article (news)');
    const picture = got.associations.find((a) => a.name === 'featuremedia');
    const { renditions: [original], ...about } = picture;
    assert.deepEqual([about.uri, about.type, about.rel, about.by, about.copyrightHolder],
      ['urn:newsml:desk.example:pic-5', 'picture', 'featured', 'Ігор Риф', 'Desk Example']);
    assert.equal(about.descriptions.find((d) => d.role === 'caption').value, 'Мол увечері.');
    assert.equal(about.descriptions.find((d) => d.role === 'alt').value, 'Мол із ліхтарями');
    assert.deepEqual([original.name, original.href, original.contentType, original.width, original.height],
      ['original', 'https://img.desk.example/5.jpg', 'image/jpeg', 1600, 1067]);
    const author = got.associations.find((a) => a.rel === 'author');
    assert.deepEqual([author.type, author.title], ['component', 'Олена Пристань']);
    assert.deepEqual(Object.fromEntries(author.descriptions.map((d) => [d.role, d.value])),
      { jobtitle: 'Репортерка', role: 'writer', biography: 'Пише про порт.' });
    assert.equal(author.renditions.find((r) => r.name === 'avatar').href, 'https://img.desk.example/op.png');
    const { text } = await stage.http('/v1/feed');
    assert.ok(text.includes('Ліхтарі'), 'UTF-8, not escapes');
  });

  test(`${way}: Superdesk's own correction, update and kill`, async (t) => {
    const stage = await Stage.open(t);
    const send = through(stage);
    const reader = await stage.reader({ channels: ['local-desk'] });
    const { guid } = sample(8);
    await send(sample(8), 'local-desk');
    await send(sample(8, { version: '4', headline: 'Ліхтарі на молі не світять', versioncreated: '2026-01-10T11:00:00+0000' }), 'local-desk');
    await send(sample(8, { guid: `${guid}-2`, evolvedfrom: guid, version: '1' }), 'local-desk');
    await reader.hasRead(3); // a kill that comes within the same tick would take their text before it went out
    await send(sample(8, { version: '4', pubstatus: 'canceled', headline: 'Kill/Takedown notice', body_html: '<p>Please kill story slugged pier-lights.</p>' }),
      'local-desk');
    const [, correction, update, kill] = await reader.hasRead(4);
    assert.deepEqual([correction.action, correction.item.version, correction.item.headlines[0].value],
      ['correct', '4', 'Ліхтарі на молі не світять']);
    assert.deepEqual([update.action, update.item.uri, update.item.evolvedFrom], ['update', `${guid}-2`, guid]);
    assert.deepEqual(Object.keys(kill), ['type', 'cursor', 'action', 'uri', 'version', 'notice']);
    assert.deepEqual([kill.action, kill.uri, kill.version, kill.notice], ['kill', guid, '4', 'This report has been withdrawn.']);
    assert.ok(!JSON.stringify(kill).includes('lease kill'), 'the letter to editors is not for readers');
  });
}
