// A certified authorization server (npm oidc-provider) with an MCP server in
// front, for the tests. It listens on 127.0.0.1, prints its URL when ready and
// ends when its standard input does.
//
// oidc-provider itself is left as it is: real forms, real rotation. What it
// lacks is added by the middleware below: a polling interval, slow_down, faults
// on demand, the resource metadata, and an account of what happened.
//
//   GET  /control   what was seen: polls, refreshes, tokens, ...
//   POST /control   {"name": value} sets what is to happen next
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

import Provider, { errors } from 'oidc-provider';

const { TLS_CERT, TLS_KEY } = process.env; // files; without them it speaks plain http
const server = TLS_CERT ? https.createServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) }) : http.createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `${TLS_CERT ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
const resource = `${issuer}/mcp`;
const scope = 'mcp:tools';

const knobs = {
  accessTTL: 3600, // seconds
  deviceTTL: 600,
  interval: null, // seconds, sent with a device authorization; null: left out
  slowDowns: 0, // so many polls are answered slow_down
  unavailable: 0, // so many token requests are answered 503
  drops: 0, // so many token answers are lost: the connection is cut after the work
  refreshDelay: 0, // milliseconds before a refresh is answered
  stalls: 0, // so many refreshes hang, with nothing done, and are answered 503
  stallTime: 0, // milliseconds that they hang
  rotate: true,
  dpopNonce: false, // DPoP proofs must hold a nonce of the server (RFC 9449)
};
const seen = {
  polls: [], // milliseconds since the epoch, one per poll
  refreshes: 0, // refresh requests that got new tokens
  refusedRefreshes: 0,
  stalled: 0,
  registrations: 0,
  deregistrations: 0,
  documents: [], // client id metadata documents that were fetched
  revocations: [], // token_type_hint of each
  resources: [], // the resource parameter of each device and token request
  tokens: [], // every access and refresh token ever issued
};

// With DOCUMENTS set, the server takes client id metadata documents. Its own fetch
// refuses those on this machine, where all hosts are here.
const documents = process.env.DOCUMENTS === 'yes';
const fetchHere = (url) => new Promise((resolve, reject) => {
  const here = { address: '127.0.0.1', family: 4 };
  const lookup = (host, { all }, found) => (all ? found(null, [here]) : found(null, here.address, here.family));
  https.get(url, { lookup }, async (res) => {
    seen.documents.push(String(url));
    resolve(new Response(await read(res), { status: res.statusCode, headers: { 'content-type': res.headers['content-type'] } }));
  }).on('error', reject);
});

const provider = new Provider(issuer, {
  ...(documents && { fetch: fetchHere }),
  clients: [{
    client_id: 'introspector',
    client_secret: 'introspector-secret',
    grant_types: [],
    response_types: [],
    redirect_uris: [],
    token_endpoint_auth_method: 'client_secret_post',
  }],
  cookies: { keys: ['a key of a test'] },
  scopes: ['openid', 'offline_access', scope],
  features: {
    clientCredentials: { enabled: true },
    ...(documents && { clientIdMetadataDocument: { enabled: true, ack: 'draft-02' } }),
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****' },
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 1), requireNonce: () => knobs.dpopNonce },
    introspection: { enabled: true },
    registration: { enabled: true },
    registrationManagement: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, indicator) => {
        if (indicator !== resource) throw new errors.InvalidTarget();
        return { scope, accessTokenFormat: 'opaque', accessTokenTTL: knobs.accessTTL };
      },
    },
    revocation: { enabled: true },
  },
  pkce: { required: () => true },
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: () => false,
  rotateRefreshToken: () => knobs.rotate,
  ttl: {
    AccessToken: () => knobs.accessTTL,
    AuthorizationCode: 60,
    DeviceCode: () => knobs.deviceTTL,
    Grant: 86400,
    IdToken: 3600,
    Interaction: 3600,
    RefreshToken: 86400,
    Session: 86400,
  },
});

const read = async (req) => {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const control = async (ctx) => {
  if (ctx.method === 'POST') {
    for (const [name, value] of Object.entries(JSON.parse(await read(ctx.req)))) {
      if (!(name in knobs)) ctx.throw(400, `no knob ${name}`);
      knobs[name] = value;
    }
  }
  ctx.body = { ...seen, ...knobs };
};

const metadata = (ctx) => {
  ctx.body = {
    resource,
    authorization_servers: [issuer],
    scopes_supported: [scope],
    bearer_methods_supported: ['header'],
    resource_name: 'the MCP server of a test',
  };
};

// The MCP server: any request with a good token is answered with one tool.
const mcp = async (ctx) => {
  const [, value = ''] = /^Bearer (.+)$/i.exec(ctx.get('authorization')) ?? [];
  const token = value && await provider.AccessToken.find(value);
  if (!token || token.aud !== resource) {
    ctx.status = 401;
    ctx.set('www-authenticate', `Bearer resource_metadata="${issuer}/.well-known/oauth-protected-resource/mcp"`
      + (value ? ', error="invalid_token"' : ''));
    return;
  }
  const { id = null } = JSON.parse(await read(ctx.req));
  ctx.body = { jsonrpc: '2.0', id, result: { tools: [{ name: 'test', inputSchema: { type: 'object' } }] } };
};

const routes = {
  '/control': control,
  '/.well-known/oauth-protected-resource/mcp': metadata,
  '/mcp': mcp,
};

provider.use(async (ctx, next) => {
  const route = routes[ctx.path];
  await (route ? route(ctx) : next());
});

// Token requests: faults first, then the account of what the provider did.
provider.use(async (ctx, next) => {
  if (ctx.method !== 'POST' || ctx.path !== '/token') return next();
  const form = new URLSearchParams(ctx.req.body = await read(ctx.req));
  const poll = form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:device_code';
  const refresh = form.get('grant_type') === 'refresh_token';
  if (poll) seen.polls.push(Date.now());
  if (knobs.unavailable > 0) {
    knobs.unavailable -= 1;
    ctx.status = 503;
    return undefined;
  }
  if (poll && knobs.slowDowns > 0) {
    knobs.slowDowns -= 1;
    ctx.status = 400;
    ctx.body = { error: 'slow_down' };
    return undefined;
  }
  seen.resources.push(form.get('resource'));
  if (refresh && knobs.stalls > 0) {
    knobs.stalls -= 1;
    seen.stalled += 1;
    await sleep(knobs.stallTime);
    ctx.status = 503;
    return undefined;
  }
  if (refresh) await sleep(knobs.refreshDelay);
  await next();
  const ok = ctx.status === 200;
  if (refresh && ok) seen.refreshes += 1;
  if (refresh && !ok) seen.refusedRefreshes += 1;
  if (ok) seen.tokens.push(...[ctx.body.access_token, ctx.body.refresh_token].filter(Boolean));
  if (ok && knobs.drops > 0) {
    knobs.drops -= 1;
    ctx.req.socket.destroy();
  }
  return undefined;
});

provider.use(async (ctx, next) => {
  if (ctx.method === 'POST' && (ctx.path === '/device/auth' || ctx.path === '/token/revocation')) {
    const form = new URLSearchParams(ctx.req.body = await read(ctx.req));
    if (ctx.path === '/device/auth') seen.resources.push(form.get('resource'));
    else seen.revocations.push(form.get('token_type_hint'));
  }
  await next();
  if (ctx.path === '/device/auth' && ctx.status === 200 && knobs.interval) ctx.body.interval = knobs.interval;
  if (ctx.method === 'POST' && ctx.path === '/reg' && ctx.status === 201) seen.registrations += 1;
  if (ctx.method === 'DELETE' && ctx.path.startsWith('/reg/') && ctx.status === 204) seen.deregistrations += 1;
});

server.on('request', provider.callback());
console.log(issuer);

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
