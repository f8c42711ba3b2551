// A test server: Cloudflare's workers-oauth-provider in workerd. It listens on
// 127.0.0.1, prints its URL when it is ready, and exits when its standard input is
// closed.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import net from 'node:net';

import { Miniflare } from 'miniflare';

const probe = net.createServer().listen(0, '127.0.0.1');
await once(probe, 'listening');
const { port } = probe.address();
probe.close();
await once(probe, 'close');

const { TLS_CERT, TLS_KEY } = process.env; // paths of PEM files; without them, the server uses HTTP
const base = `${TLS_CERT ? 'https' : 'http'}://127.0.0.1:${port}`;
const library = 'node_modules/@cloudflare/workers-oauth-provider/dist/oauth-provider.js';
const miniflare = new Miniflare({
  host: '127.0.0.1',
  port,
  ...(TLS_CERT && { https: true, httpsCert: await readFile(TLS_CERT, 'utf8'), httpsKey: await readFile(TLS_KEY, 'utf8') }),
  compatibilityDate: '2026-03-01',
  compatibilityFlags: ['nodejs_compat', 'global_fetch_strictly_public'],
  kvNamespaces: ['OAUTH_KV'],
  bindings: { BASE: base, ACCESS_TTL: process.env.ACCESS_TTL ?? '3600' },
  modules: [
    { type: 'ESModule', path: 'worker.mjs', contents: await readFile('worker.mjs', 'utf8') },
    { type: 'ESModule', path: '@cloudflare/workers-oauth-provider', contents: await readFile(library, 'utf8') },
  ],
});
await miniflare.ready;
console.log(base);

process.stdin.resume();
process.stdin.on('end', async () => {
  await miniflare.dispose();
  process.exit(0);
});
