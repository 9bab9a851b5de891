import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema';
import { client, collect, costOf, plain, question, raw, startMock, startProxy } from './lib/programs.mjs';

let mock;
let proxy;
let anthropic;

before(async () => {
  mock = await startMock();
  proxy = await startProxy({ upstream: mock.url });
  anthropic = client(proxy);
});
after(async () => {
  await proxy?.stop();
  await mock?.stop();
});

const weather = {
  name: 'get_weather',
  input_schema: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } },
};
const kinds = {
  text: () => question(),
  'a tool call': () => question({ tools: [weather], tool_choice: { type: 'any' } }),
  thinking: () => question({ thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 4096 }),
  'redacted thinking': () => question({ model: 'mock-redacted' }),
  'structured output': () => question({
    output_config: { format: { type: 'json_schema', schema: weather.input_schema } },
  }),
  'a web search': () => question({ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }),
};

for (const [kind, request] of Object.entries(kinds)) {
  test(`${kind}: the second answer is a hit, byte for byte, plain and streamed`, async () => {
    for (const stream of [false, true]) {
      const body = { ...request(), stream };
      const own = await raw(mock, body);
      const first = await raw(proxy, body);
      const second = await raw(proxy, body);
      assert.equal(first.status, 200);
      assert.equal(first.text, own.text);
      assert.match(first.cacheStatus, /fwd=miss/);
      assert.match(second.cacheStatus, /^llm-edge-cache; hit; ttl=\d+; detail=l1$/);
      assert.equal(second.text, first.text);
    }
  });

  for (const beta of [false, true]) {
    test(`${kind}: is the same streamed or whole, whichever was stored (beta: ${beta})`, async () => {
      const api = beta ? anthropic.beta.messages : anthropic.messages;
      for (const storedAsStream of [true, false]) {
        const body = request();
        const asBody = async () => plain(await api.create(body));
        const asStream = async () => plain(await api.stream(body).finalMessage());
        const stored = await (storedAsStream ? asStream() : asBody());
        const { answer, calls } = await costOf(mock, storedAsStream ? asBody : asStream);
        assert.equal(calls, 0);
        assert.deepEqual(answer, stored);
      }
    });
  }
}

test('structured output is parsed from a hit', async () => {
  const body = question({ output_config: { format: jsonSchemaOutputFormat(weather.input_schema) } });
  const first = (await anthropic.messages.parse(body)).parsed_output;
  assert.equal(typeof first.city, 'string');
  const { answer, calls } = await costOf(mock, () => anthropic.messages.parse(body));
  assert.equal(calls, 0);
  assert.deepEqual(answer.parsed_output, first);
});

test('events made of a body come in the order of the API', async () => {
  const body = question({ thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 4096 });
  await anthropic.messages.create(body);
  const events = await collect(await anthropic.messages.create({ ...body, stream: true }));
  assert.equal(events[0].type, 'message_start');
  assert.equal(events.at(-2).type, 'message_delta');
  assert.equal(events.at(-1).type, 'message_stop');
  assert.ok(events.some((event) => event.delta?.type === 'signature_delta'));
});

test('the beta path and other versions are other questions', async () => {
  const body = question();
  await raw(proxy, body);
  for (const [path, headers] of [
    ['/v1/messages?beta=true', {}],
    ['/v1/messages', { 'anthropic-version': '2024-01-01' }],
    ['/v1/messages', { 'anthropic-beta': 'novelty-2026-01-01' }],
    ['/v1/messages', { 'anthropic-workspace-id': 'wrkspc_1' }],
  ]) {
    assert.match((await raw(proxy, body, { path, headers })).cacheStatus, /fwd=miss/);
  }
  assert.match((await raw(proxy, body)).cacheStatus, /; hit;/);
});

test('metadata does not matter, every other member does', async () => {
  const body = question();
  await raw(proxy, body);
  assert.match((await raw(proxy, { ...body, metadata: { user_id: 'u' } })).cacheStatus, /; hit;/);
  assert.match((await raw(proxy, { ...body, temperature: 0.1 })).cacheStatus, /fwd=miss/);
  assert.match((await raw(proxy, { ...body, system: 'Be brief.' })).cacheStatus, /fwd=miss/);
});

test('two credentials never share an answer', async () => {
  const body = question();
  await raw(proxy, body);
  assert.match((await raw(proxy, body, { apiKey: 'sk-ant-bob' })).cacheStatus, /fwd=miss/);
});

test('what refers to state of the provider is not cached', async () => {
  for (const more of [
    { container: 'container_1' },
    { mcp_servers: [{ type: 'url', url: 'https://example.com', name: 'n' }] },
    { thread: { type: 'create' } },
    { tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] },
  ]) {
    assert.match((await raw(proxy, question(more))).cacheStatus, /fwd=bypass/);
  }
});

test('counting tokens passes through', async () => {
  const { model, messages } = question();
  const asked = (await mock.counts()).requests;
  for (let i = 0; i < 2; i += 1) {
    assert.ok((await anthropic.messages.countTokens({ model, messages })).input_tokens > 0);
  }
  assert.equal((await mock.counts()).requests, asked + 2);
});
