// The real programs under test: started on free ports, stopped again, their output kept for a
// failure's report.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createConnection } from 'node:net';

const BINARY = process.env.LEC_TEST_BINARY;
if (!BINARY) throw new Error('LEC_TEST_BINARY names no binary');
const REDIS_SERVER = process.env.LEC_TEST_REDIS_SERVER ?? 'redis-server';

// The proxy's own variables would be errors or change what is tested.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('LLM_EDGE_CACHE_')),
);

class Program {
  constructor(command, args, env = {}) {
    this.log = '';
    this.child = spawn(command, args, {
      env: { ...environment, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stderr.on('data', (bytes) => (this.log += bytes));
    this.exited = new Promise((resolve) => this.child.once('exit', (code) => resolve(code)));
    this.ready = new Promise((resolve, reject) => {
      createInterface({ input: this.child.stdout }).on('line', (line) => {
        this.log += `${line}\n`;
        if (line.startsWith('{"event":"ready"')) resolve(JSON.parse(line));
      });
      this.child.once('error', reject);
      this.exited.then((code) => reject(new Error(`exit code ${code} before ready:\n${this.log}`)));
    });
    this.ready.catch(() => {});
  }

  async stop() {
    this.child.kill('SIGTERM');
    return this.exited;
  }
}

// A mock provider, a proxy before it, and how to look at both.
export async function startMock(...options) {
  const program = new Program(BINARY, ['mock-provider', '--listen', '127.0.0.1:0', ...options]);
  const { listen } = await program.ready;
  const url = `http://${listen}`;
  return {
    url,
    stop: () => program.stop(),
    counts: async () => (await fetch(`${url}/mock/requests`)).json(),
  };
}

export async function startProxy({ upstream, options = [], env = {} }) {
  const program = new Program(
    BINARY,
    [
      'serve', '--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0',
      '--upstream', upstream, ...options,
    ],
    env,
  );
  const { listen, admin } = await program.ready;
  const adminUrl = `http://${admin}`;
  return {
    url: `http://${listen}`,
    adminUrl,
    stop: () => program.stop(),
    log: () => program.log,
    metrics: () => readMetrics(adminUrl),
  };
}

// A provider that refuses every body the first time, with `status` and Retry-After, and then asks
// the mock.
export async function startBusy(mock, status) {
  const refused = new Set();
  const server = createServer(async (request, answer) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const body = Buffer.concat(pieces).toString();
    if (!refused.has(body)) {
      refused.add(body);
      answer.writeHead(status, { 'content-type': 'application/json', 'retry-after': '1' });
      answer.end('{"error":{"message":"Busy."}}');
      return;
    }
    const reply = await fetch(`${mock.url}${request.url}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    answer.writeHead(reply.status, { 'content-type': reply.headers.get('content-type') });
    answer.end(Buffer.from(await reply.arrayBuffer()));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

// The answers that stand in tests/golden/dialects/: a request's model is the name of its answer.
const transcriptsOf = (endpoint) => join(process.env.LEC_TEST_TRANSCRIPTS, endpoint);
export const transcripts = (endpoint) => readdirSync(transcriptsOf(endpoint))
  .filter((name) => name.endsWith('.sse')).map((name) => name.slice(0, -'.sse'.length)).sort();

// A provider that answers with them.
export async function startTranscripts(endpoint) {
  let requests = 0;
  const server = createServer(async (request, answer) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    requests += 1;
    const { model, stream } = JSON.parse(Buffer.concat(pieces).toString());
    answer.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' });
    answer.end(readFileSync(join(transcriptsOf(endpoint), `${model}.${stream ? 'sse' : 'json'}`)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    counts: async () => ({ requests }),
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

// The library reads from a hit what it reads from the provider itself in the same form, whichever
// form was stored. forms: name -> (client, model, word) -> promise of what it reads.
export async function checkTranscript(provider, model, clientOf, forms) {
  const proxy = await startProxy({ upstream: provider.url });
  try {
    for (const [stored, store] of Object.entries(forms)) {
      const word = uniqueWord();
      await store(clientOf(proxy), model, word);
      for (const [asked, ask] of Object.entries(forms)) {
        const own = await ask(clientOf(provider), model, word);
        const { answer, calls } = await costOf(provider, () => ask(clientOf(proxy), model, word));
        assert.equal(calls, 0, `${asked} after ${stored}`);
        assert.deepEqual(answer, own, `${asked} after ${stored}`);
      }
    }
  } finally {
    await proxy.stop();
  }
}

// `asksOf(proxy, maxRetries)` gives functions that each ask something, the same every time. Busy
// provider: the library waits as it says and asks again, or the proxy does it for a library that
// does not; what came at last is a hit.
export async function checkRetries(mock, status, asksOf) {
  const busy = await startBusy(mock, status);
  const passing = await startProxy({ upstream: busy.url, options: ['--upstream-max-retries', '0'] });
  const retrying = await startProxy({ upstream: busy.url });
  try {
    for (const ask of asksOf(passing, 0)) {
      await assert.rejects(ask(), (error) => (
        error.status === status && error.headers.get('retry-after') === '1'));
    }
    for (const [proxy, maxRetries] of [[passing, 2], [retrying, 0]]) {
      const asks = asksOf(proxy, maxRetries);
      const first = await Promise.all(asks.map((ask) => ask()));
      const { answer, calls } = await costOf(mock, () => Promise.all(asks.map((ask) => ask())));
      assert.equal(calls, 0);
      assert.deepEqual(answer, first);
    }
  } finally {
    for (const program of [passing, retrying, busy]) await program.stop();
  }
}

// An answer says the same in all `forms` (name -> what asks), whichever form was stored.
export async function checkEveryOrder(mock, makeRequest, forms) {
  for (const [stored, store] of Object.entries(forms)) {
    for (const [asked, ask] of Object.entries(forms)) {
      const request = makeRequest();
      const first = await store(request);
      const { answer, calls } = await costOf(mock, () => ask(request));
      assert.equal(calls, 0, `${asked} after ${stored}`);
      assert.deepEqual(answer, first, `${asked} after ${stored}`);
    }
  }
}

export async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), 'lec-redis-'));
  const socket = join(folder, 'redis.sock');
  const program = new Program(REDIS_SERVER, [
    '--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder,
  ]);
  program.ready.catch(() => {}); // it has no such line
  await eventually(() => connects(socket), 'redis-server accepts connections');
  return {
    url: `redis+unix://${socket}`,
    stop: async () => {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function connects(socket) {
  return new Promise((resolve) => {
    const connection = createConnection(socket);
    connection.once('connect', () => resolve(connection.end() && true));
    connection.once('error', () => resolve(false));
  });
}

export async function eventually(predicate, what) {
  const until = Date.now() + 20_000;
  while (Date.now() < until) {
    if (await predicate()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`never came true: ${what}`);
}

// {'llm_edge_cache_hits_total{tier="l1"}': 3, ...}
async function readMetrics(adminUrl) {
  const answer = await fetch(`${adminUrl}/metrics`);
  const values = {};
  for (const line of (await answer.text()).split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    values[line.slice(0, space)] = Number(line.slice(space + 1));
  }
  return values;
}

export function outcomes(metrics) {
  const found = {};
  for (const [name, value] of Object.entries(metrics)) {
    const outcome = /^llm_edge_cache_outcomes_total\{outcome="(\w+)"\}$/.exec(name)?.[1];
    if (outcome && value > 0) found[outcome] = value;
  }
  return found;
}

export async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

let unique = 0;
// A word that no other test has.
export function uniqueWord() {
  unique += 1;
  return `${process.pid}-${unique}`;
}

// The bytes of an answer, without a client library's reading of them.
export async function post(server, path, body, { headers = {}, signal } = {}) {
  const answer = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal,
  });
  return {
    status: answer.status,
    cacheStatus: answer.headers.get('cache-status'),
    headers: answer.headers,
    text: await answer.text(),
  };
}

// Asks, and says how many calls that cost the provider.
export async function costOf(mock, ask) {
  const before = (await mock.counts()).requests;
  const answer = await ask();
  return { answer, calls: (await mock.counts()).requests - before };
}
