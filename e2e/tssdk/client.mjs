// The TypeScript SDK's client: node client.mjs SERVER CALLS, where SERVER is a
// URL or a command line and CALLS a JSON array of { tool, args, wait, abort }.
// It prints one JSON line for each call. TSSDK is the folder of node_modules.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const require = createRequire(`${process.env.TSSDK}/`);
const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
const { StdioClientTransport } = require('@modelcontextprotocol/sdk/client/stdio.js');
const { StreamableHTTPClientTransport } = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
const { ElicitRequestSchema, LoggingMessageNotificationSchema } = require('@modelcontextprotocol/sdk/types.js');

const [server, calls] = process.argv.slice(2);
const [command, ...args] = server.split(' ');
const transport = server.startsWith('http')
  ? new StreamableHTTPClientTransport(new URL(server))
  : new StdioClientTransport({ command, args, env: process.env, maxBufferSize: 64 << 20 });

const client = new Client({ name: 'e2e', version: '1' }, { capabilities: { elicitation: { form: {} } } });
client.onerror = (error) => console.error(`client: ${error}`);
let messages = 0;
client.setNotificationHandler(LoggingMessageNotificationSchema, () => { messages += 1; });
client.setRequestHandler(ElicitRequestSchema, async () => ({
  action: 'accept', content: { name: 'Ada', email: 'ada@example.com', theme: 'dark' },
}));
await client.connect(transport);

for (const { tool, args, wait, abort } of JSON.parse(calls)) {
  await sleep(wait ?? 0);
  const stop = new AbortController();
  const said = { tool, progress: 0, messages: 0 };
  messages = 0;
  try {
    const result = await client.callTool({ name: tool, arguments: args ?? {} }, undefined, {
      signal: stop.signal,
      onprogress: () => {
        said.progress += 1;
        if (abort) stop.abort('enough');
      },
    });
    const text = result.content.map((part) => part.text ?? '').join('');
    said.length = text.length;
    said.text = text.slice(0, 200);
  } catch (error) {
    said.error = String(error);
  }
  said.messages = messages;
  console.log(JSON.stringify(said));
}
await client.close();
