#!/usr/bin/env node
// certificates.mjs - certificates for tests, by openssl: an authority of our own, and what it signs.
//
//   certificates.mjs DIRECTORY              cert.pem, key.pem (for localhost and 127.0.0.1) and ca.pem, which Node, curl and newswire can be told to trust
//   const mine = await certificate(dir, 'second', { days: 5 });       { cert, key } of files, signed by that authority
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const openssl = (...args) => run('openssl', args);
const CURVE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

async function authority(dir) {
  await openssl('req', '-x509', ...CURVE, '-nodes', '-keyout', join(dir, 'ca.key'), '-out', join(dir, 'ca.pem'), '-days', '30', '-subj', '/CN=newswire tests');
}

/** In `dir`, where an authority is. begin, end: YYYYMMDDHHMMSSZ. The file of the certificate holds the authority's too. */
export async function certificate(dir, name, { days = 20, begin, end } = {}) {
  const file = (ending) => join(dir, `${name}.${ending}`);
  await openssl('req', ...CURVE, '-nodes', '-keyout', file('key'), '-out', file('csr'), '-subj', `/CN=${name}`);
  await writeFile(file('ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  await writeFile(file('cnf'), `[ca]\ndefault_ca=own\n[own]\ndatabase=${file('db')}\nserial=${file('serial')}\nnew_certs_dir=${dir}\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n`);
  await writeFile(file('db'), '');
  await writeFile(file('serial'), `${Math.floor(Math.random() * 0xffffff + 0x1000000).toString(16).padStart(8, '0')}\n`);
  const time = begin === undefined ? ['-days', String(days)] : ['-startdate', begin, '-enddate', end];
  await openssl('ca', '-batch', '-notext', '-config', file('cnf'), '-cert', join(dir, 'ca.pem'), '-keyfile', join(dir, 'ca.key'), '-extfile', file('ext'),
    ...time, '-in', file('csr'), '-out', file('crt'));
  await writeFile(file('pem'), await readFile(file('crt'), 'utf8') + await readFile(join(dir, 'ca.pem'), 'utf8'));
  return { cert: file('pem'), key: file('key') };
}

/** Makes the directory and all that NEWSWIRE_TLS (stage.mjs) wants in it. */
export async function certificates(dir) {
  await mkdir(dir, { recursive: true });
  await authority(dir);
  const { cert, key } = await certificate(dir, 'server');
  await copyFile(cert, join(dir, 'cert.pem'));
  await copyFile(key, join(dir, 'key.pem'));
}

if (process.argv[1] === new URL(import.meta.url).pathname) await certificates(process.argv[2]);
