// eventsource.js - a live list of headlines with a plain EventSource and no library.
//
// The browser comes back by itself after a loss, and says where it was. What is left to do: fetch the list first, take the
// latest version of each story, take killed ones away, and fetch the list again after a gap.
const { server } = document.body.dataset;
const list = document.querySelector('#news');
const lines = new Map(); // uri -> its line

function show({ action, uri, notice, item }) {
  const name = item?.uri ?? uri;
  let line = lines.get(name);
  if (!item && action !== 'kill') { // hold, remove
    line?.remove();
    lines.delete(name);
    return;
  }
  if (!line) {
    line = document.createElement('li');
    lines.set(name, line);
    list.prepend(line);
  }
  // As text, never as HTML: it comes from elsewhere.
  line.textContent = item ? item.headlines?.[0]?.value ?? item.bodies?.[0]?.value ?? '' : notice || 'This story was withdrawn.';
  line.lang = item?.language ?? '';
}

async function begin() {
  const answer = await fetch(`${server}/v1/feed?channels=world`);
  if (!answer.ok) throw new Error(`the feed answers ${answer.status}`);
  const { items, cursor } = await answer.json();
  list.replaceChildren();
  lines.clear();
  for (const post of items.reverse()) show(post);

  const stream = new EventSource(`${server}/v1/stream?channels=world&since=${encodeURIComponent(cursor)}`);
  stream.addEventListener('hello', () => { document.querySelector('#link').textContent = 'Live'; });
  stream.addEventListener('post', ({ data }) => show(JSON.parse(data)));
  stream.addEventListener('gap', () => { stream.close(); insist(); });
  stream.onerror = () => {
    document.querySelector('#link').textContent = 'Reconnecting…';
    if (stream.readyState === EventSource.CLOSED) insist(); // it was refused, and does not try again by itself
  };
}

function insist() {
  begin().catch(() => setTimeout(insist, 1000 + Math.random() * 5000));
}
insist();
