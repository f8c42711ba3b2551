// A test server: the certified authorization server oidc-provider, with an MCP
// server. It listens on 127.0.0.1, prints its URL when it is ready, and exits when
// its standard input is closed.
//
// oidc-provider is unchanged: real forms, real rotation. Middleware adds a polling
// interval, slow_down, injected faults, the resource metadata, and a record of the
// requests.
//
//   GET  /control   returns the record: polls, refreshes, tokens, ...
//   POST /control   {"name": value} changes a setting
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

import Provider, { errors } from 'oidc-provider';

const { TLS_CERT, TLS_KEY } = process.env; // paths of PEM files; without them, the server uses HTTP
const server = TLS_CERT ? https.createServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) }) : http.createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `${TLS_CERT ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
const resource = `${issuer}/mcp`;
const scope = 'mcp:tools';

const settings = {
  accessTTL: 3600, // seconds
  deviceTTL: 600,
  interval: null, // seconds, in the device authorization response; null: omitted
  slowDowns: 0, // number of the next polls that get slow_down
  unavailable: 0, // number of the next token requests that get 503
  drops: 0, // number of the next token responses that are lost: the connection is closed after the request was processed
  refreshDelay: 0, // milliseconds before each response to a refresh
  stalls: 0, // number of the next refreshes that hang, then get 503 without being processed
  stallTime: 0, // milliseconds that they hang
  rotate: true,
  dpopNonce: false, // DPoP proofs must contain a nonce of the server (RFC 9449)
};
const observed = {
  polls: [], // milliseconds since the epoch, one per poll
  refreshes: 0, // successful refresh requests
  refusedRefreshes: 0,
  stalled: 0,
  registrations: 0,
  deregistrations: 0,
  documents: [], // client ID metadata documents that were fetched
  revocations: [], // token_type_hint of each
  resources: [], // the resource parameter of each device and token request
  tokens: [], // every access and refresh token that was issued
};

// With DOCUMENTS=yes, the server supports client ID metadata documents. The library's
// fetch rejects loopback addresses, so this one connects every host to this machine.
const documents = process.env.DOCUMENTS === 'yes';
const fetchFromLoopback = (url) => new Promise((resolve, reject) => {
  const loopback = { address: '127.0.0.1', family: 4 };
  const lookup = (host, { all }, found) => (all ? found(null, [loopback]) : found(null, loopback.address, loopback.family));
  https.get(url, { lookup }, async (res) => {
    observed.documents.push(String(url));
    resolve(new Response(await readBody(res), { status: res.statusCode, headers: { 'content-type': res.headers['content-type'] } }));
  }).on('error', reject);
});

const provider = new Provider(issuer, {
  ...(documents && { fetch: fetchFromLoopback }),
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
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 1), requireNonce: () => settings.dpopNonce },
    introspection: { enabled: true },
    registration: { enabled: true },
    registrationManagement: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, indicator) => {
        if (indicator !== resource) throw new errors.InvalidTarget();
        return { scope, accessTokenFormat: 'opaque', accessTokenTTL: settings.accessTTL };
      },
    },
    revocation: { enabled: true },
  },
  pkce: { required: () => true },
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
  expiresWithSession: () => false,
  rotateRefreshToken: () => settings.rotate,
  ttl: {
    AccessToken: () => settings.accessTTL,
    AuthorizationCode: 60,
    DeviceCode: () => settings.deviceTTL,
    Grant: 86400,
    IdToken: 3600,
    Interaction: 3600,
    RefreshToken: 86400,
    Session: 86400,
  },
});

const readBody = async (req) => {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

const control = async (ctx) => {
  if (ctx.method === 'POST') {
    for (const [name, value] of Object.entries(JSON.parse(await readBody(ctx.req)))) {
      if (!(name in settings)) ctx.throw(400, `no setting ${name}`);
      settings[name] = value;
    }
  }
  ctx.body = { ...observed, ...settings };
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

// The MCP server returns one tool for every request with a valid token.
const mcp = async (ctx) => {
  const [, value = ''] = /^Bearer (.+)$/i.exec(ctx.get('authorization')) ?? [];
  const token = value && await provider.AccessToken.find(value);
  if (!token || token.aud !== resource) {
    ctx.status = 401;
    ctx.set('www-authenticate', `Bearer resource_metadata="${issuer}/.well-known/oauth-protected-resource/mcp"`
      + (value ? ', error="invalid_token"' : ''));
    return;
  }
  const { id = null } = JSON.parse(await readBody(ctx.req));
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

// Token requests: inject faults, then record what the provider did.
provider.use(async (ctx, next) => {
  if (ctx.method !== 'POST' || ctx.path !== '/token') return next();
  const form = new URLSearchParams(ctx.req.body = await readBody(ctx.req));
  const poll = form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:device_code';
  const refresh = form.get('grant_type') === 'refresh_token';
  if (poll) observed.polls.push(Date.now());
  if (settings.unavailable > 0) {
    settings.unavailable -= 1;
    ctx.status = 503;
    return undefined;
  }
  if (poll && settings.slowDowns > 0) {
    settings.slowDowns -= 1;
    ctx.status = 400;
    ctx.body = { error: 'slow_down' };
    return undefined;
  }
  observed.resources.push(form.get('resource'));
  if (refresh && settings.stalls > 0) {
    settings.stalls -= 1;
    observed.stalled += 1;
    await sleep(settings.stallTime);
    ctx.status = 503;
    return undefined;
  }
  if (refresh) await sleep(settings.refreshDelay);
  await next();
  const ok = ctx.status === 200;
  if (refresh && ok) observed.refreshes += 1;
  if (refresh && !ok) observed.refusedRefreshes += 1;
  if (ok) observed.tokens.push(...[ctx.body.access_token, ctx.body.refresh_token].filter(Boolean));
  if (ok && settings.drops > 0) {
    settings.drops -= 1;
    ctx.req.socket.destroy();
  }
  return undefined;
});

provider.use(async (ctx, next) => {
  if (ctx.method === 'POST' && (ctx.path === '/device/auth' || ctx.path === '/token/revocation')) {
    const form = new URLSearchParams(ctx.req.body = await readBody(ctx.req));
    if (ctx.path === '/device/auth') observed.resources.push(form.get('resource'));
    else observed.revocations.push(form.get('token_type_hint'));
  }
  await next();
  if (ctx.path === '/device/auth' && ctx.status === 200 && settings.interval) ctx.body.interval = settings.interval;
  if (ctx.method === 'POST' && ctx.path === '/reg' && ctx.status === 201) observed.registrations += 1;
  if (ctx.method === 'DELETE' && ctx.path.startsWith('/reg/') && ctx.status === 204) observed.deregistrations += 1;
});

server.on('request', provider.callback());
console.log(issuer);

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
