// scenes.mjs - pictures for a front page, drawn by program: places that do not exist, of nobody.
//
// Each is a whole SVG, 1200 wide and 800 high, of a few kilobytes.

/** Numbers that look like chance, and are the same each time. */
function dice(seed) {
  let state = seed;
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  };
}

const range = (n) => Array.from({ length: n }, (_, i) => i);

function svg(defs, body) {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="800" viewBox="0 0 1200 800" preserveAspectRatio="xMidYMid slice"><defs>${defs}` +
    `</defs>${body}</svg>`;
}

const gradient = (id, ...stops) => `<linearGradient id="${id}" x2="0" y2="1">${stops.map(([at, colour]) =>
  `<stop offset="${at}" stop-color="${colour}"/>`).join('')}</linearGradient>`;

/** A line of hills from left to right. */
function ridge(random, base, height, colour, step = 60) {
  const points = range(1200 / step + 2).map((i) => `${i * step},${(base - random() * height).toFixed(0)}`);
  return `<path fill="${colour}" d="M0,800 L${points.join(' L')} L1200,800Z"/>`;
}

function harbour() {
  const random = dice(7);
  const waves = range(46).map(() => {
    const y = 520 + random() * 270;
    return `<rect x="${(random() * 1150).toFixed(0)}" y="${y.toFixed(0)}" width="${(30 + (y - 500) * random()).toFixed(0)}" height="${(1 + (y - 500) / 120).toFixed(1)}" rx="2" fill="#ffd9a0" opacity="${(0.1 + random() * 0.3).toFixed(2)}"/>`;
  });
  return svg(gradient('s', [0, '#24345c'], [0.45, '#b0607a'], [0.62, '#f4a261']) + gradient('w', [0, '#d98a62'], [0.3, '#5a4a6d'], [1, '#182440']),
    `<rect width="1200" height="520" fill="url(#s)"/><circle cx="820" cy="500" r="70" fill="#ffe3b0"/>${ridge(random, 520, 90, '#3b3556')}` +
    `<rect y="520" width="1200" height="280" fill="url(#w)"/>${waves.join('')}` +
    '<path d="M250,560 h430 l-40,70 h-350z" fill="#f7f3ea"/><path d="M300,560 v-60 h300 l20,60z" fill="#e9e2d2"/><rect x="360" y="455" width="190" height="48" fill="#f7f3ea"/>' +
    '<rect x="430" y="400" width="40" height="58" fill="#b5332e"/><path d="M250,560 h430 l-8,14 h-414z" fill="#22406e"/>' +
    `${range(9).map((i) => `<rect x="${318 + i * 30}" y="517" width="16" height="16" fill="#ffcf7a"/>`).join('')}` +
    '<path d="M0,800 V640 h150 l30,160z" fill="#141a2e"/><path d="M60,640 v-210 h8 v210z" fill="#141a2e"/><circle cx="64" cy="424" r="13" fill="#fff1c4"/>');
}

function mountains() {
  const random = dice(21);
  return svg(gradient('s', [0, '#8fb7d9'], [0.7, '#f3e6d2']),
    `<rect width="1200" height="800" fill="url(#s)"/>${ridge(random, 470, 300, '#8c9db5', 110)}${ridge(random, 560, 220, '#65798f', 90)}` +
    `${ridge(random, 660, 160, '#41566a', 70)}${ridge(random, 760, 110, '#25394a', 45)}` +
    `${range(60).map(() => { const x = random() * 1200; const y = 690 + random() * 110; const h = 26 + random() * 44;
      return `<path d="M${x.toFixed(0)},${(y - h).toFixed(0)} l${(h / 4).toFixed(0)},${h.toFixed(0)} h-${(h / 2).toFixed(0)}z" fill="#14242f"/>`; }).join('')}`);
}

function city() {
  const random = dice(3);
  const towers = (base, colour, window) => range(22).map((i) => {
    const w = 40 + random() * 60; const h = 120 + random() * base; const x = i * 56 - 20; const y = 700 - h;
    const lights = range(8).map(() => `<rect x="${(x + 6 + random() * (w - 16)).toFixed(0)}" y="${(y + 10 + random() * (h - 30)).toFixed(0)}" width="6" height="9" fill="${window}" opacity="${(0.35 + random() * 0.6).toFixed(2)}"/>`);
    return `<rect x="${x}" y="${y.toFixed(0)}" width="${w.toFixed(0)}" height="${(h + 110).toFixed(0)}" fill="${colour}"/>${lights.join('')}`;
  }).join('');
  return svg(gradient('s', [0, '#0c1430'], [1, '#51467a']),
    `<rect width="1200" height="800" fill="url(#s)"/><circle cx="930" cy="150" r="54" fill="#f3ecd6"/>${towers(330, '#241f47', '#ffd98a')}${towers(170, '#12122c', '#ffe9b8')}<rect y="780" width="1200" height="20" fill="#0a0a1c"/>`);
}

function stadium() {
  const random = dice(11);
  const crowd = range(330).map(() => `<circle cx="${(random() * 1200).toFixed(0)}" cy="${(120 + random() * 250).toFixed(0)}" r="5" fill="${['#c8412f', '#efe6d5', '#2d4f86', '#e3b04b', '#35383f'][Math.floor(random() * 5)]}"/>`);
  return svg(gradient('s', [0, '#182233'], [1, '#2f4057']) + gradient('g', [0, '#2f7d43'], [1, '#4fae5c']),
    `<rect width="1200" height="800" fill="url(#s)"/><rect y="110" width="1200" height="270" fill="#27303d"/>${crowd.join('')}<rect y="380" width="1200" height="420" fill="url(#g)"/>` +
    `${range(6).map((i) => `<path d="M${i * 240 - 160},380 h120 l-70,420 h-190z" fill="#fff" opacity=".07"/>`).join('')}` +
    '<path d="M0,520 L1200,450" stroke="#fff" stroke-width="8" opacity=".8"/><ellipse cx="640" cy="700" rx="300" ry="90" fill="none" stroke="#fff" stroke-width="7" opacity=".8"/>' +
    '<circle cx="470" cy="640" r="20" fill="#fff"/><path d="M540,430 q30,-40 56,0 l22,120 -30,10 22,120 h-34 l-30,-100 -34,104 h-34 l36,-130 -16,-80z" fill="#b5261f"/><circle cx="568" cy="395" r="26" fill="#8a5a3c"/>' +
    '<path d="M820,440 q26,-36 50,0 l16,110 -24,10 12,116 h-30 l-24,-96 -34,96 h-30 l34,-126 -10,-70z" fill="#f2efe6"/><circle cx="845" cy="405" r="24" fill="#d9a77c"/>');
}

function fields() {
  const random = dice(5);
  return svg(gradient('s', [0, '#5d7ea8'], [0.6, '#dfe7ea']),
    `<rect width="1200" height="800" fill="url(#s)"/>${range(7).map(() => `<ellipse cx="${(random() * 1200).toFixed(0)}" cy="${(80 + random() * 180).toFixed(0)}" rx="${(90 + random() * 120).toFixed(0)}" ry="26" fill="#fff" opacity=".6"/>`).join('')}` +
    `<rect y="430" width="1200" height="370" fill="#caa94a"/>${range(16).map((i) => `<path d="M600,430 L${-700 + i * 170},800 h80z" fill="#a5842f" opacity=".5"/>`).join('')}` +
    `${range(4).map((i) => { const x = 160 + i * 270; const k = 1 - i * 0.14; return `<g transform="translate(${x} 440) scale(${k.toFixed(2)})"><path d="M-5,0 L-2,-230 h4 L5,0z" fill="#f4f4f2"/>${[i * 17, i * 17 + 120, i * 17 + 240].map((a) => `<path d="M0,-230 q12,-60 4,-130 q-12,60 -4,130z" fill="#fdfdfb" transform="rotate(${a} 0 -230)"/>`).join('')}</g>`; }).join('')}`);
}

function portrait(seed) {
  const random = dice(seed);
  const skin = ['#8d5a3b', '#e0ac84', '#c98a60', '#f1c9a5'][Math.floor(random() * 4)];
  const hair = ['#1f1a17', '#5b3a21', '#8a8580', '#a8642a'][Math.floor(random() * 4)];
  const coat = ['#2d4f86', '#3c5a48', '#6b2d3c', '#40404c'][Math.floor(random() * 4)];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96" viewBox="0 0 96 96"><rect width="96" height="96" fill="#d7dde0"/><path d="M10,96 q4,-30 38,-30 t38,30z" fill="${coat}"/>` +
    `<rect x="40" y="52" width="16" height="18" fill="${skin}"/><ellipse cx="48" cy="40" rx="17" ry="21" fill="${skin}"/><path d="M29,42 q-2,-28 19,-28 t19,28 q-4,-14 -12,-17 q-14,6 -20,3 q-5,4 -6,14z" fill="${hair}"/></svg>`;
}

const data = (image) => `data:image/svg+xml,${encodeURIComponent(image)}`;

/** name -> data URI */
export const scenes = Object.fromEntries(Object.entries({ harbour, mountains, city, stadium, fields }).map(([name, draw]) => [name, data(draw())]));
/** A small portrait of nobody. */
export const face = (seed) => data(portrait(seed));
