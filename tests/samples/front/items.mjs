// items.mjs - a day's front page of made-up news, every kind of item in it, for screenshots and for eyes.
import { face, scenes } from './scenes.mjs';

const wire = 'urn:newsml:wire.example:front';
const MINUTE_MS = 60_000;

const picture = (scene, alt, caption, by) => ({
  name: 'main', rel: 'featured', type: 'picture', uri: `${wire}:picture:${scene}`, by, copyrightNotice: `${by}/Example Wire`,
  descriptions: [{ role: 'alt', value: alt }, { role: 'caption', value: caption }],
  renditions: [{ name: 'web', href: scenes[scene] ?? scene, contentType: 'image/svg+xml', width: 1200, height: 800 }],
});

const author = (name, role, biography, seed) => ({
  name: 'author', rel: 'author', type: 'component', uri: `${wire}:author:${name.replace(/\s/g, '-')}`, title: name,
  descriptions: [{ role: 'jobtitle', value: role }, { role: 'biography', value: biography }],
  renditions: seed ? [{ name: 'avatar', href: face(seed), contentType: 'image/svg+xml', width: 96, height: 96 }] : [],
});

const html = (...paragraphs) => [{ role: 'main', contentType: 'text/html', value: paragraphs.map((p) => (p.startsWith('<') ? p : `<p>${p}</p>`)).join('') }];

/** [channel, minutes ago, item], oldest first; versions and times are put in by front(). */
const STORIES = [
  ['opinion', 1500, { urgency: 7, headline: 'The case for slow ferries', summary: 'Nobody ever fell in love with a timetable.', by: 'Per Holm', genres: [{ name: 'Opinion' }],
    bodies: html('A crossing is the last hour of the day that belongs to nobody.', 'Let it take as long as it takes.') }],
  ['culture', 1380, { type: 'video', urgency: 6, headline: 'Documentary: how the tide gates were built', summary: 'A new film follows the crew that closed the northern gate.', by: 'Video desk',
    renditions: [{ name: 'mp4', href: 'https://v.wire.example/tides.mp4', contentType: 'video/mp4', width: 1280, height: 720, duration: 1264 },
      { name: 'poster', href: scenes.fields, contentType: 'image/svg+xml', width: 1200, height: 800 }] }],
  ['world', 900, { urgency: 5, language: 'uk', headline: 'Ліхтарі на молі знову світять', summary: 'Після дванадцяти років ремонту маяк повернули кораблям.', by: 'Олена Пристань', located: 'Вандський порт',
    bodies: html('Перший вогонь запалив наглядач, що працював тут ще до війни.') }],
  ['business', 700, { urgency: 6, headline: 'Timber prices fall for a fifth week', by: 'Markets desk', located: 'Ostrel',
    bodies: html('Sawmills along the coast cut their prices again on Friday.', '<table><thead><tr><th>Grade</th><th>Price</th><th>Change</th></tr></thead><tbody><tr><td>Spruce</td><td>412</td><td>−3.1 %</td></tr><tr><td>Pine</td><td>388</td><td>−2.4 %</td></tr></tbody></table>') }],
  ['world', 520, { urgency: 5, bodies: [{ role: 'main', contentType: 'text/plain', value: 'An item without anything but a body: the bridge at Sund is open again in both directions.' }] }],
  ['sport', 430, { urgency: 6, headline: 'Vand coach: “We were second to every ball”', by: 'Sport desk', bodies: html('He did not look for excuses.', '<ul><li>Two shots on target</li><li>Eleven corners</li></ul>') }],
  ['world', 360, { urgency: 5, headline: 'Council publishes the minutes of the closed session', summary: 'Forty pages, half of them black.', by: 'Ilse Marrow',
    associations: [picture('https://img.wire.example/gone.jpg', 'A page with black bars.', 'It will not load.', 'Staff')] }],
  ['culture', 300, { urgency: 7, headline: 'Z̶a̶l̶g̶o̶ poetry: ć̴̡̛̳̖͐̈́̋o̷̢̗̝̅̿m̶̛̠̖͋̌b̴̛̟͎̓̏i̶̢̛͖̓n̸̨̛̗͑ị̴̛̈́͠n̷̨̛̖͗g̶̛̗̲͌̒ characters get a prize', summary: 'The jury called it “unreadable, in the best sense”.' }],
  ['world', 240, { urgency: 5, headline: `Minutes in full: ${'the committee notes that the committee has noted what was noted before, and '.repeat(130).slice(0, 9980)}`, by: 'A machine' }],
  ['science', 200, { urgency: 5, headline: 'Glacier above Norrholm moved eleven metres in a night', summary: 'Researchers heard it before their instruments did.', by: 'Ada Lindqvist', located: 'Norrholm',
    bodies: html('“It was like a train that does not come,” said the station’s keeper.'), associations: [picture('mountains', 'Blue ridges one behind the other above a dark forest.', 'The ridge seen from the research station on Thursday.', 'Mira Kest')] }],
  ['world', 170, { urgency: 5, language: 'ar', headline: 'المجلس البلدي يوافق على عبّارة ليلية بين أوستريل وفاند', summary: 'تنطلق أول رحلة في آذار المقبل، بحسب بيان صدر يوم الجمعة.', by: 'ليلى حدّاد', located: 'أوستريل',
    bodies: html('صوّت المجلس بأغلبية سبعة أصوات مقابل صوتين.', 'وقال المجلس إن قاربين سيؤمّنان أربع رحلات.') }],
  ['world', 150, { uri: `${wire}:withdrawn`, urgency: 4, headline: 'This will be withdrawn' }],
  ['sport', 95, { urgency: 5, headline: 'Late goal sends Ostrel to the final', summary: 'A header in the 93rd minute ended Vand’s run of fourteen games.', by: 'Jonas Vik', located: 'Ostrel',
    bodies: html('The stadium had begun to empty.', 'Those who stayed will tell it for years.'), associations: [picture('stadium', 'Two players run for a ball before a full stand.', 'Seconds before the header.', 'Tomas Reef')] }],
  ['world', 80, { urgency: 5, bodies: [{ role: 'main', contentType: 'text/plain', value: '“We will pay for the second boat ourselves if we must,” the mayor of Vand said after the vote.' }], by: 'Ilse Marrow', located: 'Vand' }],
  ['business', 62, { urgency: 5, headline: 'Power prices turn negative as the wind picks up', summary: 'For three hours on Friday, the grid paid people to boil water.', by: 'Noor Haddad',
    bodies: html('The record was set at 2 p.m.'), associations: [picture('fields', 'White turbines stand in a yellow field.', 'Turbines near Sund.', 'Tomas Reef')] }],
  ['world', 48, { urgency: 3, headline: 'Strikers and port agree on a truce until Monday', summary: 'Containers move again from six in the morning.', by: 'Ilse Marrow', located: 'Vand', bodies: html('Both sides said they had given nothing up.') }],
  ['city', 34, { urgency: 5, headline: 'The city switches off every second lamp', summary: 'What sounds like thrift is meant for the bats.', by: 'Ada Lindqvist',
    bodies: html('Counting begins at dusk.'), associations: [picture('city', 'Lit windows of towers below a full moon.', 'The old town on Wednesday night.', 'Mira Kest'), author('Ada Lindqvist', 'City reporter', 'Ada Lindqvist walks the city for a living, mostly at night.', 4)] }],
  ['world', 21, { uri: `${wire}:ferry`, urgency: 4, headline: 'Harbour council approves night ferry between Ostrel and Vand', summary: 'The first crossing is planned for March. Residents on both shores fought it for a year; the vote ends a debate over noise, light and sleep.',
    by: 'Ilse Marrow', located: 'Ostrel', infoSources: [{ name: 'Example Wire', role: 'source' }],
    bodies: html('The harbour council of Ostrel voted 7 to 2 on Friday to open a night ferry to Vand.', 'Two boats will make four crossings between 11 p.m. and 5 a.m., the council said.'),
    associations: [picture('harbour', 'White ferry beside a stone pier at dusk.', 'A ferry leaves the old pier at Ostrel.', 'Tomas Reef'),
      author('Ilse Marrow', 'Reporter', 'Ilse Marrow covers ports and coastal towns. She joined Example Wire in 2021 after five years on a regional paper.', 9)] }],
];

const FOLLOW_UPS = [
  ['world', 0, { uri: `${wire}:withdrawn`, version: '2', pubStatus: 'canceled', descriptions: [{ role: 'withdrawal', value: 'This report has been withdrawn. The document it quoted was forged.' }] }],
  ['world', 12, { uri: `${wire}:ferry`, version: '2', correction: 'An earlier version of this story gave the vote as 7 to 2; it was 6 to 3.', vote: true }],
];

const FLASH = ['world', 0, { uri: `${wire}:flash`, urgency: 1, headline: 'PRIME MINISTER OF NORRHOLM RESIGNS AFTER NIGHT SESSION', by: 'Newsdesk', located: 'Norrholm' }];

function itemOf({ headline, summary, correction, version = '1', uri, vote, ...rest }, at, serial) {
  const descriptions = [...(rest.descriptions ?? []), ...(summary ? [{ role: 'summary', value: summary }] : []), ...(correction ? [{ role: 'correction', value: correction }] : [])];
  return {
    uri: uri ?? `${wire}:${serial}`, type: 'text', version, language: 'en', versionCreated: at, firstCreated: at,
    ...(headline ? { headlines: [{ role: 'main', value: headline }] } : {}), ...rest, ...(descriptions.length ? { descriptions } : {}),
  };
}

/**
 * The whole front page as of now: [channel, item], in the order in which they are to be published.
 * @param {{flash?: boolean, now?: number}} [options]
 */
export function front({ flash = false, now = Date.now() } = {}) {
  const ferry = STORIES.at(-1)[2];
  const corrected = FOLLOW_UPS.map(([channel, ago, item]) => [channel, ago, item.vote
    ? { ...ferry, ...item, vote: undefined, bodies: html('The harbour council of Ostrel voted 6 to 3 on Friday to open a night ferry to Vand.', 'Two boats will make four crossings between 11 p.m. and 5 a.m., the council said.') } : item]);
  return [...STORIES, ...corrected, ...(flash ? [FLASH] : [])].map(([channel, ago, item], serial) =>
    [channel, itemOf(item, new Date(now - ago * MINUTE_MS).toISOString(), serial)]);
}
