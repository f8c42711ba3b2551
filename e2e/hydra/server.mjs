// A test server: Ory Hydra with an MCP server and pages for sign-in and consent.
// It listens on 127.0.0.1, prints the MCP server's origin when it is ready, and exits
// when its standard input is closed. The first argument is the path of Hydra's binary.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const freePort = async () => {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
};

const server = http.createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const base = `http://127.0.0.1:${server.address().port}`;
const [publicPort, adminPort] = [await freePort(), await freePort()];
const issuer = `http://127.0.0.1:${publicPort}`;
const admin = `http://127.0.0.1:${adminPort}/admin`;

const hydra = spawn(process.argv[2], ['serve', 'all', '--dev', '--sqa-opt-out'], {
  stdio: ['ignore', 'ignore', 'inherit'],
  env: {
    ...process.env,
    DSN: 'memory',
    LOG_LEVEL: 'error',
    SECRETS_SYSTEM: 'a secret of a test, long enough for it',
    SERVE_PUBLIC_HOST: '127.0.0.1', SERVE_PUBLIC_PORT: publicPort,
    SERVE_ADMIN_HOST: '127.0.0.1', SERVE_ADMIN_PORT: adminPort,
    URLS_SELF_ISSUER: issuer,
    URLS_LOGIN: `${base}/login`, URLS_CONSENT: `${base}/consent`, URLS_ERROR: `${base}/error`,
    OIDC_DYNAMIC_CLIENT_REGISTRATION_ENABLED: 'true',
    WEBFINGER_OIDC_DISCOVERY_CLIENT_REGISTRATION_URL: `${issuer}/oauth2/register`,
    TTL_ACCESS_TOKEN: `${process.env.ACCESS_TTL ?? 3600}s`,
    STRATEGIES_ACCESS_TOKEN: 'opaque',
  },
});
hydra.on('exit', () => process.exit(1));
while (!await fetch(`${issuer}/health/ready`).then((r) => r.ok, () => false)) await sleep(50);

const call = async (method, path, body) => (await fetch(`${admin}${path}`, {
  method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body),
})).json();

const readBody = async (req) => {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};
const json = (res, status, body, headers = {}) => {
  res.writeHead(status, { 'content-type': 'application/json', ...headers });
  res.end(JSON.stringify(body));
};
const form = (res, action, challenge, fields) => {
  res.writeHead(200, { 'content-type': 'text/html' });
  res.end(`<!doctype html><form method="post" action="${action}"><input type="hidden" name="challenge" value="${
    encodeURIComponent(challenge)}">${fields.map((k) => `<input name="${k}">`).join('')}<button>Continue</button></form>`);
};
const redirect = (res, { redirect_to: to }) => { res.writeHead(303, { location: to }); res.end(); };

const pages = {
  '/.well-known/oauth-protected-resource/mcp': (req, res) => json(res, 200, { resource: `${base}/mcp`, authorization_servers: [issuer] }),
  '/error': (req, res, url) => json(res, 400, Object.fromEntries(url.searchParams)),
  '/login': async (req, res, url, { challenge, login }) => {
    if (req.method === 'GET') return form(res, '/login', url.searchParams.get('login_challenge'), ['login', 'password']);
    return redirect(res, await call('PUT', `/oauth2/auth/requests/login/accept?login_challenge=${challenge}`, { subject: login }));
  },
  '/consent': async (req, res, url, { challenge, accept }) => {
    if (req.method === 'GET') return form(res, '/consent', url.searchParams.get('consent_challenge'), ['accept']);
    if (accept === 'no') {
      return redirect(res, await call('PUT', `/oauth2/auth/requests/consent/reject?consent_challenge=${challenge}`, { error: 'access_denied' }));
    }
    const requested = await call('GET', `/oauth2/auth/requests/consent?consent_challenge=${challenge}`);
    return redirect(res, await call('PUT', `/oauth2/auth/requests/consent/accept?consent_challenge=${challenge}`, {
      grant_scope: requested.requested_scope, grant_access_token_audience: requested.requested_access_token_audience,
    }));
  },
  '/mcp': async (req, res) => {
    const token = /^Bearer (.+)$/i.exec(req.headers.authorization ?? '')?.[1];
    const known = token && await (await fetch(`${admin}/oauth2/introspect`, { method: 'POST', body: new URLSearchParams({ token }) })).json();
    if (!known?.active) {
      return json(res, 401, {}, { 'www-authenticate': `Bearer resource_metadata="${base}/.well-known/oauth-protected-resource/mcp"` });
    }
    const { id = null } = JSON.parse(await readBody(req));
    return json(res, 200, { jsonrpc: '2.0', id, result: { tools: [{ name: 'test', inputSchema: { type: 'object' } }] } });
  },
};

server.on('request', async (req, res) => {
  const url = new URL(req.url, base);
  const page = pages[url.pathname];
  if (!page) return json(res, 404, {});
  const isForm = req.headers['content-type'] === 'application/x-www-form-urlencoded';
  const fields = isForm ? Object.fromEntries(new URLSearchParams(await readBody(req))) : {};
  return page(req, res, url, { ...fields, challenge: fields.challenge && encodeURIComponent(decodeURIComponent(fields.challenge)) });
});
console.log(base);

process.stdin.resume();
process.stdin.on('end', () => {
  hydra.removeAllListeners('exit');
  hydra.kill();
  process.exit(0);
});
