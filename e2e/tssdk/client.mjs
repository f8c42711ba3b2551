// A client of a TypeScript SDK. Usage: node client.mjs MAJOR SERVER CALLS
//
// MAJOR is the SDK's major version, 1 or 2. SERVER is a URL or a command line. CALLS
// is a JSON array of { tool, args, wait, abort }. It prints one JSON line for each
// call. TSSDK is the folder of node_modules.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const require = createRequire(`${process.env.TSSDK}/`);
const sdks = { 1: first, 2: second };
const [major, server, calls] = process.argv.slice(2);
const [command, ...args] = server.split(' ');
const { Client, HTTP, Stdio, options, onMessage, onElicit, call } = sdks[major]();

// The first SDK uses the protocol with sessions.
function first() {
  const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
  const { StdioClientTransport: Stdio } = require('@modelcontextprotocol/sdk/client/stdio.js');
  const { StreamableHTTPClientTransport: HTTP } = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
  const { ElicitRequestSchema, LoggingMessageNotificationSchema } = require('@modelcontextprotocol/sdk/types.js');
  return {
    Client, HTTP, Stdio, options: {}, onMessage: LoggingMessageNotificationSchema, onElicit: ElicitRequestSchema,
    call: (client, params, options) => client.callTool(params, undefined, options),
  };
}

// The second SDK is pinned to the stateless protocol.
function second() {
  const { Client, StreamableHTTPClientTransport: HTTP } = require('@modelcontextprotocol/client');
  const { StdioClientTransport: Stdio } = require('@modelcontextprotocol/client/stdio');
  return {
    Client, HTTP, Stdio, options: { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    onMessage: 'notifications/message', onElicit: 'elicitation/create',
    call: (client, params, options) => client.callTool(params, options),
  };
}

const transport = server.startsWith('http')
  ? new HTTP(new URL(server))
  : new Stdio({ command, args, env: process.env, maxBufferSize: 64 << 20 });
const client = new Client({ name: 'e2e', version: '1' }, { capabilities: { elicitation: { form: {} } }, ...options });
client.onerror = (error) => console.error(`client: ${error}`);
let messages = 0;
client.setNotificationHandler(onMessage, () => { messages += 1; });
client.setRequestHandler(onElicit, async () => ({
  action: 'accept', content: { name: 'Ada', email: 'ada@example.com', theme: 'dark' },
}));
await client.connect(transport);

for (const { tool, args, wait, abort } of JSON.parse(calls)) {
  await sleep(wait ?? 0);
  const stop = new AbortController();
  const report = { tool, progress: 0, messages: 0 };
  messages = 0;
  try {
    const result = await call(client, { name: tool, arguments: args ?? {} }, {
      signal: stop.signal,
      onprogress: () => {
        report.progress += 1;
        if (abort) stop.abort('enough');
      },
    });
    const text = result.content.map((part) => part.text ?? '').join('');
    report.length = text.length;
    report.text = text.slice(0, 200);
  } catch (error) {
    report.error = String(error);
  }
  report.messages = messages;
  console.log(JSON.stringify(report));
}
await client.close();
