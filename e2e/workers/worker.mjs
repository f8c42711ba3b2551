// An application with Cloudflare's OAuthProvider: an MCP server with one tool, a
// sign-in page and a consent page. The variable BASE is its origin.
import { OAuthProvider } from '@cloudflare/workers-oauth-provider';

const page = (hidden, fields) => new Response(`<!doctype html><form method="post" action="/authorize">${
  Object.entries(hidden).map(([k, v]) => `<input type="hidden" name="${k}" value="${v.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)}">`).join('')
}${fields.map((k) => `<input name="${k}">`).join('')}<button>Continue</button></form>`, { headers: { 'content-type': 'text/html' } });

const apiHandler = {
  async fetch(request) {
    const { id = null } = await request.json();
    return Response.json({ jsonrpc: '2.0', id, result: { tools: [{ name: 'test', inputSchema: { type: 'object' } }] } });
  },
};

const defaultHandler = {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname !== '/authorize') return new Response('not found', { status: 404 });
    if (request.method === 'GET') {
      await env.OAUTH_PROVIDER.parseAuthRequest(request); // fails if the request is invalid
      return page({ query: url.search }, ['login', 'password']);
    }
    const form = await request.formData();
    const query = form.get('query');
    if (!form.has('accept')) return page({ query, user: form.get('login') }, ['accept']);
    const authRequest = await env.OAUTH_PROVIDER.parseAuthRequest(new Request(`${url.origin}/authorize${query}`));
    if (form.get('accept') === 'no') {
      const to = new URL(authRequest.redirectUri);
      to.searchParams.set('error', 'access_denied');
      to.searchParams.set('state', authRequest.state);
      to.searchParams.set('iss', url.origin);
      return Response.redirect(to, 302);
    }
    const { redirectTo } = await env.OAUTH_PROVIDER.completeAuthorization({
      request: authRequest, userId: form.get('user'), metadata: {}, scope: authRequest.scope, props: { user: form.get('user') },
    });
    return Response.redirect(redirectTo, 302);
  },
};

let provider;
export default {
  fetch(request, env, ctx) {
    provider ??= new OAuthProvider({
      apiRoute: '/mcp',
      apiHandler,
      defaultHandler,
      authorizeEndpoint: '/authorize',
      tokenEndpoint: '/oauth/token',
      clientRegistrationEndpoint: '/oauth/register',
      scopesSupported: ['tools', 'offline_access'],
      accessTokenTTL: Number(env.ACCESS_TTL),
      resourceMetadata: { resource: `${env.BASE}/mcp`, authorization_servers: [env.BASE] },
    });
    return provider.fetch(request, env, ctx);
  },
};
