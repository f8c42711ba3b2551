// A test server: Better Auth with its OAuth, MCP and device plugins, in an
// application with the pages that it needs. It listens on 127.0.0.1, prints its URL
// when it is ready, and exits when its standard input is closed.
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

const { TLS_CERT, TLS_KEY } = process.env; // paths of PEM files; without them, the server uses HTTP
const server = TLS_CERT ? https.createServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) }) : http.createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const base = `${TLS_CERT ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
const resource = `${base}/mcp`;
const user = { email: 'somebody@example.com', password: 'any password', name: 'Somebody' };

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
await auth.api.signUpEmail({ body: user });
const handler = toNodeHandler(auth);

const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const form = (action, hidden, fields) => `<!doctype html><form method="post" action="${action}">${
  Object.entries(hidden).map(([k, v]) => `<input type="hidden" name="${k}" value="${escape(v)}">`).join('')
}${fields.map((k) => `<input name="${k}" placeholder="${k}">`).join('')}<button>Continue</button></form>`;
const respond = (res, status, html, headers = {}) => {
  res.writeHead(status, { 'content-type': 'text/html', ...headers });
  res.end(html);
};

// call sends a request to Better Auth, as a page's script would, with the browser's cookies.
const call = (req, path, body) => auth.handler(new Request(`${base}/api/auth${path}`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', cookie: req.headers.cookie ?? '', origin: base },
  body: JSON.stringify(body),
}));

// redirect sends the browser to the URL in a response, with the response's cookies.
const redirect = async (res, resp, otherwise) => {
  const body = await resp.json();
  const cookies = resp.headers.getSetCookie();
  const to = body.url ?? body.redirect_uri ?? body.redirectURI;
  if (!resp.ok) return respond(res, resp.status, escape(JSON.stringify(body)));
  if (to) return respond(res, 303, '', { location: to, 'set-cookie': cookies });
  return respond(res, otherwise ? 303 : 200, 'Success', { 'set-cookie': cookies, ...(otherwise && { location: otherwise }) });
};

const readBody = async (req) => {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

// The pages of the application.
const pages = {
  'GET /login': (req, res, url) => respond(res, 200, form('/login', { query: url.search.slice(1) }, ['login', 'password'])),
  'POST /login': async (req, res, url, { query, login, password }) => {
    const back = new URLSearchParams(query).get('user_code');
    const resp = await call(req, '/sign-in/email', { email: login, password, ...(back ? {} : { oauth_query: query }) });
    return redirect(res, resp, back && `/device?${query}`);
  },
  'GET /consent': (req, res, url) => respond(res, 200, form('/consent', { query: url.search.slice(1) }, ['accept'])),
  'POST /consent': async (req, res, url, { query, accept }) => redirect(res, await call(req, '/oauth2/consent', { accept: accept !== 'no', oauth_query: query })),
  'GET /device': async (req, res, url) => {
    const session = await auth.api.getSession({ headers: new Headers({ cookie: req.headers.cookie ?? '' }) });
    if (!session) return respond(res, 303, '', { location: `/login${url.search}` });
    await auth.handler(new Request(`${base}/api/auth/device${url.search}`, { headers: { cookie: req.headers.cookie } }));
    return respond(res, 200, form('/device', { code: url.searchParams.get('user_code') ?? '' }, ['accept']));
  },
  'POST /device': async (req, res, url, { code, accept }) => redirect(res, await call(req, accept === 'no' ? '/device/deny' : '/device/approve', { userCode: code })),
};

// The MCP server returns one tool for every request with a valid token.
const handleMCP = requireMcpAuth(auth, async (request) => {
  const { id = null } = await request.json();
  return Response.json({ jsonrpc: '2.0', id, result: { tools: [{ name: 'test', inputSchema: { type: 'object' } }] } });
}, { resource });

const mcpServer = async (req, res) => {
  const resp = await handleMCP(new Request(resource, { method: req.method, headers: req.headers, body: req.method === 'POST' ? await readBody(req) : undefined }));
  res.writeHead(resp.status, Object.fromEntries(resp.headers));
  res.end(await resp.text());
};

server.on('request', async (req, res) => {
  const url = new URL(req.url, base);
  if (url.pathname === '/mcp') return mcpServer(req, res);
  const page = pages[`${req.method} ${url.pathname}`];
  if (!page) return handler(req, res);
  return page(req, res, url, req.method === 'POST' ? Object.fromEntries(new URLSearchParams(await readBody(req))) : {});
});
console.log(base);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
