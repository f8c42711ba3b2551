// A server of the second TypeScript SDK. Usage: node server.mjs LEGACY MODE
//
// The arguments are the SDK's options legacy (stateless or reject) and responseMode
// (auto, json or sse). It listens on 127.0.0.1 and prints its port. TSSDK is the
// folder of node_modules.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';

const require = createRequire(`${process.env.TSSDK}/`);
const { McpServer, createMcpHandler } = require('@modelcontextprotocol/server');
const { z } = require('zod');
const [legacy, responseMode] = process.argv.slice(2);

function buildServer() {
  const server = new McpServer({ name: 'second-sdk', version: '2' });
  server.registerTool('add', { description: 'Adds two numbers', inputSchema: z.object({ a: z.number(), b: z.number() }) },
    async ({ a, b }) => ({ content: [{ type: 'text', text: String(a + b) }] }));
  return server;
}

const handler = createMcpHandler(buildServer, { legacy, responseMode });
createServer(async (req, res) => {
  const body = req.method === 'POST' ? Readable.toWeb(req) : undefined;
  const answer = await handler.fetch(new Request(`http://127.0.0.1${req.url}`, { method: req.method, headers: req.headers, body, duplex: 'half' }));
  res.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body) Readable.fromWeb(answer.body).pipe(res);
  else res.end();
}).listen(0, '127.0.0.1', function () {
  console.log(`listening on ${this.address().port}`);
});
