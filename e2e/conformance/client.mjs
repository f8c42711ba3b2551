// The client under test: it runs the real mcp-login with the flags that the
// suite's environment requires. Usage: node client.mjs SERVER-URL
//
// MCP_LOGIN is the path of the binary. Every run has a new home folder.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const server = process.argv.at(-1);
const scenario = process.env.MCP_CONFORMANCE_SCENARIO ?? '';
const version = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION ?? '';
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');
const home = mkdtempSync(join(tmpdir(), 'conformance-'));

if (!scenario.startsWith('auth/')) {
  console.error(`${scenario}: not about authorization`);
  process.exit(1);
}

const env = { ...process.env, HOME: home, MCP_LOGIN_LOG_LEVEL: 'debug' };
for (const name of Object.keys(env)) if (name.startsWith('XDG_')) delete env[name];

// secret passes a value in the environment, so that it is not in argv, and returns the source.
function secret(name, value) {
  env[name] = value;
  return `env:${name}`;
}

// flags returns the flags that a user must set, because the server cannot provide their values.
function flags() {
  const browser = ['--flow', 'browser', '--browser-command', 'curl -sL -o /dev/null'];
  switch (scenario) {
    case 'auth/basic-cimd':
    case 'auth/offline-access-scope':
      return [...browser, '--client-metadata-url', 'https://conformance-test.local/client-metadata.json'];
    case 'auth/pre-registration':
      return [...browser, '--client-id', context.client_id, '--client-secret-from', secret('CLIENT_SECRET', context.client_secret)];
    case 'auth/authorization-server-migration':
      return [...browser, '--accept-new-issuer'];
    case 'auth/client-credentials-basic':
      return ['--flow', 'client-credentials', '--client-id', context.client_id,
        '--client-secret-from', secret('CLIENT_SECRET', context.client_secret)];
    case 'auth/client-credentials-jwt':
      return ['--flow', 'client-credentials', '--client-id', context.client_id,
        '--client-key-from', secret('CLIENT_KEY', context.private_key_pem)];
    case 'auth/enterprise-managed-authorization':
      return ['--flow', 'id-jag', '--client-id', context.client_id,
        '--client-secret-from', secret('CLIENT_SECRET', context.client_secret),
        '--idp-issuer', context.idp_issuer, '--idp-token-endpoint', context.idp_token_endpoint,
        '--idp-client-id', context.idp_client_id, '--subject-token-from', secret('ID_TOKEN', context.idp_id_token)];
    case 'auth/wif-jwt-bearer':
      return ['--flow', 'jwt-bearer', '--client-id', context.client_id,
        '--assertion-from', secret('ASSERTION', context.valid_jwt)];
    case 'auth/dpop':
    case 'auth/dpop-nonce':
      return [...browser, '--dpop'];
  }
  return browser;
}

function run(...args) {
  console.error('+ mcp-login', args.join(' '));
  const { status, stderr } = spawnSync(process.env.MCP_LOGIN, args, { env, stdio: ['ignore', 'inherit', 'pipe'] });
  process.stderr.write(stderr);
  return { status, stderr: stderr.toString() };
}

// moreScopes returns the flags for the scopes that a hint suggests for the next sign-in.
function moreScopes(stderr) {
  const [, quoted, plain] = /^hint: mcp-login login .*--add-scope (?:'([^']*)'|(\S+))/m.exec(stderr) ?? [];
  const scopes = quoted ?? plain;
  return scopes ? ['--add-scope', scopes] : [];
}

// Exit code 4 of a test requires a sign-in. The specification allows a few.
const maxLogins = 3;
const login = ['login', 'conformance', server, ...flags()];
const protocol = version === '' ? [] : ['--protocol', version];
const calls = scenario === 'auth/authorization-server-migration' ? ['test-tool', 'test-tool'] : ['test-tool'];
let { status } = run(...login);
for (let logins = 1; status === 0; logins += 1) {
  const test = run('test', 'conformance', ...protocol, ...calls.flatMap((tool) => ['--call', tool]));
  status = test.status;
  if (status !== 4 || logins === maxLogins || run(...login, ...moreScopes(test.stderr)).status !== 0) break;
  status = 0;
}
rmSync(home, { recursive: true, force: true });
process.exit(status);
