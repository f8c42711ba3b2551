// Better Auth with its OAuth, MCP and device plugins, and the pages of an
// application around it, for the tests. It listens on 127.0.0.1, prints its URL
// when ready and ends when its standard input does.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

import { mcp, requireMcpAuth } from '@better-auth/mcp';
import { oauthDeviceAuthorization } from '@better-auth/oauth-provider';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { getAuthTables } from 'better-auth/db';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';

const { TLS_CERT, TLS_KEY } = process.env; // files; without them it speaks plain http
const server = TLS_CERT ? https.createServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) }) : http.createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const base = `${TLS_CERT ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
const resource = `${base}/mcp`;
const person = { email: 'somebody@example.com', password: 'any password', name: 'Somebody' };

const options = {
  baseURL: base,
  secret: 'a secret of a test, long enough for it',
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  trustedOrigins: [base],
  plugins: [
    jwt(),
    mcp({
      loginPage: '/login',
      consentPage: '/consent',
      resource,
      scopes: ['openid', 'profile', 'email', 'offline_access', 'tools'],
      allowDynamicClientRegistration: true,
      allowUnauthenticatedClientRegistration: true,
      refreshTokenReuseInterval: 0,
      accessTokenExpiresIn: Number(process.env.ACCESS_TTL ?? 3600),
    }),
    oauthDeviceAuthorization({ verificationUri: '/device', interval: '1s' }),
  ],
};
const tables = Object.fromEntries(Object.values(getAuthTables(options)).map((table) => [table.modelName, []]));
const auth = betterAuth({ ...options, database: memoryAdapter(tables) });
await auth.api.signUpEmail({ body: person });
const handler = toNodeHandler(auth);


const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const form = (action, hidden, fields) => `<!doctype html><form method="post" action="${action}">${
  Object.entries(hidden).map(([k, v]) => `<input type="hidden" name="${k}" value="${escape(v)}">`).join('')
}${fields.map((k) => `<input name="${k}" placeholder="${k}">`).join('')}<button>Continue</button></form>`;
const answer = (res, status, html, headers = {}) => {
  res.writeHead(status, { 'content-type': 'text/html', ...headers });
  res.end(html);
};

// call sends what a page's script would send, with the browser's cookies.
const call = (req, path, body) => auth.handler(new Request(`${base}/api/auth${path}`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', cookie: req.headers.cookie ?? '', origin: base },
  body: JSON.stringify(body),
}));

// go sends the browser where the answer says, with the cookies that it sets.
const go = async (res, resp, otherwise) => {
  const body = await resp.json();
  const cookies = resp.headers.getSetCookie();
  const to = body.url ?? body.redirect_uri ?? body.redirectURI;
  if (!resp.ok) return answer(res, resp.status, escape(JSON.stringify(body)));
  if (to) return answer(res, 303, '', { location: to, 'set-cookie': cookies });
  return answer(res, otherwise ? 303 : 200, 'Success', { 'set-cookie': cookies, ...(otherwise && { location: otherwise }) });
};

const read = async (req) => {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

// The pages of the application around Better Auth.
const pages = {
  'GET /login': (req, res, url) => answer(res, 200, form('/login', { query: url.search.slice(1) }, ['login', 'password'])),
  'POST /login': async (req, res, url, { query, login, password }) => {
    const back = new URLSearchParams(query).get('user_code');
    const resp = await call(req, '/sign-in/email', { email: login, password, ...(back ? {} : { oauth_query: query }) });
    return go(res, resp, back && `/device?${query}`);
  },
  'GET /consent': (req, res, url) => answer(res, 200, form('/consent', { query: url.search.slice(1) }, ['accept'])),
  'POST /consent': async (req, res, url, { query, accept }) => go(res, await call(req, '/oauth2/consent', { accept: accept !== 'no', oauth_query: query })),
  'GET /device': async (req, res, url) => {
    const session = await auth.api.getSession({ headers: new Headers({ cookie: req.headers.cookie ?? '' }) });
    if (!session) return answer(res, 303, '', { location: `/login${url.search}` });
    await auth.handler(new Request(`${base}/api/auth/device${url.search}`, { headers: { cookie: req.headers.cookie } }));
    return answer(res, 200, form('/device', { code: url.searchParams.get('user_code') ?? '' }, ['accept']));
  },
  'POST /device': async (req, res, url, { code, accept }) => go(res, await call(req, accept === 'no' ? '/device/deny' : '/device/approve', { userCode: code })),
};

// The MCP server: a request with a good token is answered with one tool.
const guarded = requireMcpAuth(auth, async (request) => {
  const { id = null } = await request.json();
  return Response.json({ jsonrpc: '2.0', id, result: { tools: [{ name: 'test', inputSchema: { type: 'object' } }] } });
}, { resource });

const mcpServer = async (req, res) => {
  const resp = await guarded(new Request(resource, { method: req.method, headers: req.headers, body: req.method === 'POST' ? await read(req) : undefined }));
  res.writeHead(resp.status, Object.fromEntries(resp.headers));
  res.end(await resp.text());
};

server.on('request', async (req, res) => {
  const url = new URL(req.url, base);
  if (url.pathname === '/mcp') return mcpServer(req, res);
  const page = pages[`${req.method} ${url.pathname}`];
  if (!page) return handler(req, res);
  return page(req, res, url, req.method === 'POST' ? Object.fromEntries(new URLSearchParams(await read(req))) : {});
});
console.log(base);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
