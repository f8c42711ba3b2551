// A client of a TypeScript SDK that signs in. Usage: node signin.mjs MAJOR SERVER HOW
//
// MAJOR is the SDK's major version, 1 or 2. SERVER is a URL or a command line. HOW is
// tool or elicitation. It prints one JSON line for each event: { tools }, { text } of
// a call, { page } to open, { closed } when the page is done, { changed } when the
// list of tools has changed. TSSDK is the folder of node_modules.
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.TSSDK}/`);
const [major, server, how] = process.argv.slice(2);
const [command, ...args] = server.split(' ');
const { Client, HTTP, Stdio, options, onChange, onElicit, onClosed, call } = { 1: first, 2: second }[major]();

function first() {
  const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
  const { StdioClientTransport: Stdio } = require('@modelcontextprotocol/sdk/client/stdio.js');
  const { StreamableHTTPClientTransport: HTTP } = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
  const types = require('@modelcontextprotocol/sdk/types.js');
  return {
    Client, HTTP, Stdio, options: {},
    onChange: types.ToolListChangedNotificationSchema, onElicit: types.ElicitRequestSchema,
    onClosed: types.ElicitationCompleteNotificationSchema,
    call: (client, params) => client.callTool(params),
  };
}

// The second SDK checks first whether the server supports the stateless protocol.
function second() {
  const { Client, StreamableHTTPClientTransport: HTTP } = require('@modelcontextprotocol/client');
  const { StdioClientTransport: Stdio } = require('@modelcontextprotocol/client/stdio');
  return {
    Client, HTTP, Stdio, options: { versionNegotiation: { mode: 'auto' } },
    onChange: 'notifications/tools/list_changed', onElicit: 'elicitation/create',
    onClosed: 'notifications/elicitation/complete',
    call: (client, params) => client.callTool(params),
  };
}

const report = (event) => console.log(JSON.stringify(event));
const text = (result) => result.content.map((part) => part.text ?? '').join('');

const transport = server.startsWith('http')
  ? new HTTP(new URL(server))
  : new Stdio({ command, args, env: process.env });
const client = new Client({ name: 'e2e', version: '1' }, {
  capabilities: how === 'elicitation' ? { elicitation: { url: {} } } : {}, ...options,
});
client.onerror = (error) => console.error(`client: ${error}`);
let changed;
const change = new Promise((resolve) => { changed = resolve; });
client.setNotificationHandler(onChange, () => {
  report({ changed: true });
  changed();
});
if (how === 'elicitation') {
  client.setRequestHandler(onElicit, async ({ params }) => {
    report({ page: params });
    return { action: 'accept' };
  });
  client.setNotificationHandler(onClosed, () => report({ closed: true }));
}
await client.connect(transport);

const tools = async () => report({ tools: (await client.listTools()).tools.map((tool) => tool.name) });
await tools();
report({ text: text(await call(client, { name: 'sign_in', arguments: {} })) });
if (how === 'tool') {
  report({ text: text(await call(client, { name: 'sign_in', arguments: {} })) });
}
await change;
await tools();
report({ text: text(await call(client, { name: 'add', arguments: { a: 2, b: 3 } })) });
await client.close();
