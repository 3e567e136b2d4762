// Who is compared: a row each. Every one is started fresh for every measurement.
//
// A started candidate says: its ports; what its readers speak (nw-load's --speak) and where they find a channel;
// how a message is published (nw-publish's --to, --at, --shape) and to what; how many bytes it adds to a message;
// its processes; and how to stop it.

import { existsSync } from 'node:fs';
import { startFloor, startTextbook } from './candidates/floor.mjs';
import { mosquittoVersion, startMosquitto } from './candidates/mosquitto.mjs';
import { natsVersion, startNats } from './candidates/nats.mjs';
import { nchanVersion, startNchan } from './candidates/nchan.mjs';
import { pushpinVersion, startPushpin } from './candidates/pushpin.mjs';
import { startRedisAlone } from './candidates/redis.mjs';
import { startDeflate, startForCentrifuge, startNewswired, startOverEvents, startOverGzip, startResuming, startTwoNodes, startTwoWorkers } from './candidates/newswired.mjs';

// `peer`: it is another server, and takes part where a workload says so; `onlyIfNamed`: it needs so long that it must be
// asked for. `needs`: a file that is there when it is installed.
export const CANDIDATES = {
  floor: { says: 'bare epoll and send', program: 'nw-floor', start: startFloor },
  newswired: { says: 'one worker', program: 'newswired', start: startNewswired },
  centrifuge: { says: 'newswired, Centrifuge\'s protocol', program: 'newswired', start: startForCentrifuge },
  sse: { says: 'newswired, Server-Sent Events', program: 'newswired', start: startOverEvents },
  gzip: { says: 'newswired, Server-Sent Events in a gzip stream', program: 'newswired', start: startOverGzip },
  workers2: { says: 'newswired, two workers', program: 'newswired', start: startTwoWorkers },
  resuming: { says: 'newswired, two workers, readers who come back', program: 'newswired', start: startResuming },
  nodes2: { says: 'newswired, two nodes on one Redis', program: 'newswired', start: startTwoNodes },
  deflate: { says: 'newswired, readers who take compressed messages', program: 'newswired', start: startDeflate },
  textbook: { says: 'libwebsockets, one frame per writable callback', program: 'nw-textbook', peer: true, start: startTextbook },
  redis: { says: 'Redis, its own pub/sub', peer: true, start: startRedisAlone },
  nchan: {
    says: 'nchan in nginx, WebSocket', peer: true, start: startNchan, version: nchanVersion,
    package: 'libnginx-mod-nchan', needs: '/usr/lib/nginx/modules/ngx_nchan_module.so',
  },
  nats: { says: 'nats-server, its own protocol', peer: true, start: startNats, version: natsVersion, package: 'nats-server', needs: '/usr/sbin/nats-server' },
  mosquitto: { says: 'mosquitto, MQTT', peer: true, start: startMosquitto, version: mosquittoVersion, package: 'mosquitto', needs: '/usr/sbin/mosquitto' },
  pushpin: { says: 'pushpin, WebSocket, without a backend', peer: true, onlyIfNamed: true, start: startPushpin, version: pushpinVersion, package: 'pushpin', needs: '/usr/bin/pushpin' },
};

export const PEERS = Object.keys(CANDIDATES).filter((name) => CANDIDATES[name].peer);

export const isInstalled = (name) => !CANDIDATES[name].needs || existsSync(CANDIDATES[name].needs);

// The peers that a list names; without one, those that are installed and not too slow.
export function chosenPeers(list) {
  if (list === undefined) return PEERS.filter((name) => isInstalled(name) && !CANDIDATES[name].onlyIfNamed);
  const names = list.split(',').filter((name) => name && name !== 'none');
  const unknown = names.find((name) => !PEERS.includes(name));
  if (unknown) throw new Error(`there is no peer "${unknown}": ${PEERS.join(', ')}, none`);
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length > 0) throw new Error(`not installed: ${missing.map((name) => CANDIDATES[name].package).join(', ')} (./dev bench installs all but pushpin)`);
  return names;
}
