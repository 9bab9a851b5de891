import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import {
  client, collect, costOf, eventually, raw, startMock, startProxy, uniqueWord,
} from './lib/programs.mjs';

let mock;
let proxy;
let openai;

before(async () => {
  mock = await startMock();
  proxy = await startProxy({ upstream: mock.url });
  openai = client(proxy);
});
after(async () => {
  await proxy?.stop();
  await mock?.stop();
});

const path = '/v1/responses';
const ask = (more = {}) => ({ model: 'gpt-4.1', input: `Tell me of ${uniqueWord()}`, ...more });
const weather = {
  type: 'function',
  name: 'get_weather',
  strict: true,
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
};
const schema = {
  format: {
    type: 'json_schema',
    name: 'thing',
    schema: { type: 'object', properties: { name: { type: 'string' }, size: { type: 'integer' } } },
  },
};

const kinds = {
  text: () => ask(),
  reasoning: () => ask({ reasoning: { effort: 'low', summary: 'auto' } }),
  'a function call': () => ask({ tools: [weather], tool_choice: 'required' }),
  'a web search': () => ask({ tools: [{ type: 'web_search' }] }),
  'structured text': () => ask({ text: schema }),
};

for (const [kind, request] of Object.entries(kinds)) {
  test(`${kind}: the second answer is a hit, plain and streamed`, async () => {
    for (const stream of [false, true]) {
      const body = { ...request(), stream };
      const first = await raw(proxy, body, { path });
      const second = await raw(proxy, body, { path });
      assert.equal(first.status, 200);
      assert.match(second.cacheStatus, /; hit;/);
      assert.equal(second.text, first.text);
    }
  });

  test(`${kind}: is the same streamed or whole, whichever was stored`, async () => {
    for (const storedAsStream of [true, false]) {
      const body = request();
      const asBody = async () => openai.responses.create(body);
      const asStream = async () => openai.responses.stream(body).finalResponse();
      const plain = (response) => JSON.parse(JSON.stringify(response.output, (name, value) => (
        name === 'parsed' || name === 'parsed_arguments' ? undefined : value)));
      const stored = await (storedAsStream ? asStream() : asBody());
      const { answer, calls } = await costOf(mock, storedAsStream ? asBody : asStream);
      assert.equal(calls, 0);
      assert.deepEqual(plain(answer), plain(stored));
      assert.deepEqual(answer.usage, stored.usage);
      assert.equal(answer.id, stored.id);
    }
  });
}

test('the events made of a body add up to it', async () => {
  const body = ask();
  const whole = await openai.responses.create(body);
  const events = await collect(await openai.responses.create({ ...body, stream: true }));
  assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, index) => index));
  const text = events
    .filter((event) => event.type === 'response.output_text.delta')
    .map((event) => event.delta)
    .join('');
  assert.equal(text, whole.output_text);
  assert.equal(events.at(-1).type, 'response.completed');
});

test('what refers to state of the provider is not cached', async () => {
  for (const more of [
    { previous_response_id: 'resp_1' },
    { conversation: 'conv_1' },
    { background: true },
    { tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] },
  ]) {
    const body = ask(more);
    for (let i = 0; i < 2; i += 1) {
      assert.match((await raw(proxy, body, { path })).cacheStatus, /fwd=bypass/);
    }
  }
});

test('an answer never repeats what another request said', async () => {
  const body = ask({ metadata: { customer: 'a' } });
  await openai.responses.create(body);
  const other = await openai.responses.create({ ...body, metadata: { customer: 'b' } });
  assert.equal(other.metadata.customer, 'b');
  assert.equal((await costOf(mock, () => openai.responses.create({ ...body, store: false }))).calls, 1);
});

test('an incomplete answer and an error are not kept', async () => {
  for (const stream of [false, true]) {
    const body = ask({ max_output_tokens: 2, stream });
    await raw(proxy, body, { path });
    assert.equal((await costOf(mock, () => raw(proxy, body, { path }))).calls, 1);
  }
  await assert.rejects(
    openai.responses.create(ask({ model: 'mock-status-500' })),
    OpenAI.InternalServerError,
  );
});

test('a client that hangs up does not end the call', async () => {
  const slow = await startMock('--ttft-ms', '10', '--tokens-per-second', '200');
  const own = await startProxy({ upstream: slow.url });
  try {
    const body = ask({ stream: true });
    const stream = await client(own).responses.create(body);
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta') break; // leaves the loop, which aborts
    }
    await eventually(
      async () => (await own.metrics()).llm_edge_flights_active === 0, 'the call ends by itself');
    assert.match((await raw(own, body, { path })).cacheStatus, /; hit;/);
  } finally {
    await own.stop();
    await slow.stop();
  }
});
