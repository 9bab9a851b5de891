import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, collect, question, startMock, startProxy } from './lib/programs.mjs';

let mock;
let proxy;

before(async () => {
  mock = await startMock();
  proxy = await startProxy({ upstream: mock.url });
});
after(async () => {
  await proxy?.stop();
  await mock?.stop();
});

const tools = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      parameters: {
        type: 'object',
        properties: { city: { type: 'string' }, days: { type: 'integer' } },
      },
    },
  },
];

function assembled(chunks) {
  const calls = [];
  for (const chunk of chunks) {
    for (const part of chunk.choices[0]?.delta?.tool_calls ?? []) {
      calls[part.index] ??= { id: part.id, type: part.type, function: { name: '', arguments: '' } };
      calls[part.index].function.name += part.function?.name ?? '';
      calls[part.index].function.arguments += part.function?.arguments ?? '';
    }
  }
  return calls;
}

test('a tool call comes back from the cache as it was made', async () => {
  const openai = client(proxy);
  const body = question({ tools, tool_choice: 'required' });
  const first = await openai.chat.completions.create(body);
  const asked = (await mock.counts()).requests;
  assert.deepEqual(await openai.chat.completions.create(body), first);
  assert.equal((await mock.counts()).requests, asked);
  const [call] = first.choices[0].message.tool_calls;
  assert.equal(call.function.name, 'get_weather');
  assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');
});

test('a tool call is the same streamed or whole, whichever was stored', async () => {
  const openai = client(proxy);
  for (const storedAsStream of [true, false]) {
    const body = question({ tools, tool_choice: 'required' });
    const asStream = async () =>
      assembled(await collect(await openai.chat.completions.create({ ...body, stream: true })));
    const asBody = async () =>
      (await openai.chat.completions.create(body)).choices[0].message.tool_calls;
    const stored = storedAsStream ? await asStream() : await asBody();
    const asked = (await mock.counts()).requests;
    const derived = storedAsStream ? await asBody() : await asStream();
    assert.deepEqual(derived, stored);
    assert.equal((await mock.counts()).requests, asked);
  }
});

test('other tools make another question', async () => {
  const openai = client(proxy);
  const body = question({ tools, tool_choice: 'required' });
  await openai.chat.completions.create(body);
  const asked = (await mock.counts()).requests;
  const other = structuredClone(body);
  other.tools[0].function.parameters.properties.unit = { enum: ['c', 'f'] };
  await openai.chat.completions.create(other);
  assert.equal((await mock.counts()).requests, asked + 1);
});
