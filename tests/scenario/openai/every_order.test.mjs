// Every endpoint that streams, plain and streamed, in both orders, by the library's own helpers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  checkEveryOrder, client, collect, costOf, question, startMock, startProxy, uniqueWord,
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

const parameters = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } };
const weather = { name: 'get_weather', parameters };
const usage = { stream_options: { include_usage: true } };
const schema = { type: 'json_schema', json_schema: { name: 'thing', schema: parameters } };

// Without what the library adds, and without what only one form has: null, and a place in a list.
const plain = (value) => JSON.parse(JSON.stringify(value, (name, member) => (
  member === null || ['parsed', 'parsed_arguments', 'object'].includes(name) ? undefined : member)));

const chatKinds = {
  text: {},
  'several choices': { n: 3 },
  'a tool call': { tools: [{ type: 'function', function: weather }], tool_choice: 'required' },
  'structured output': { response_format: schema },
};

for (const [kind, more] of Object.entries(chatKinds)) {
  test(`chat, ${kind}`, () => checkEveryOrder(mock, () => question(more), {
    plain: async (body) => plain(await openai.chat.completions.create(body)),
    streamed: async (body) => plain(
      await openai.chat.completions.stream({ ...body, ...usage }).finalChatCompletion()),
  }));
}

for (const n of [1, 2]) {
  test(`completions, ${n} choices`, () => checkEveryOrder(
    mock,
    () => ({ model: 'gpt-3.5-turbo-instruct', prompt: `Say ${uniqueWord()}`, n }),
    {
      plain: async (body) => {
        const whole = await openai.completions.create(body);
        return [whole.id, whole.usage, whole.choices.map((choice) => [choice.text, choice.finish_reason])];
      },
      streamed: async (body) => {
        const chunks = await collect(await openai.completions.create({ ...body, ...usage, stream: true }));
        const choices = Array.from({ length: n }, () => ['', null]);
        for (const choice of chunks.flatMap((chunk) => chunk.choices)) {
          choices[choice.index][0] += choice.text;
          choices[choice.index][1] = choice.finish_reason;
        }
        return [chunks[0].id, chunks.at(-1).usage, choices];
      },
    },
  ));
}

test('structured output is parsed from a hit', async () => {
  const city = { type: 'json_schema', name: 'thing', schema: parameters };
  const asks = {
    chat: async (input) => (await openai.chat.completions.parse({
      ...question({ response_format: schema }), messages: [{ role: 'user', content: input }],
    })).choices[0].message.parsed,
    responses: async (input) => (await openai.responses.parse({
      model: 'gpt-4.1', input, text: { format: city },
    })).output_parsed,
  };
  for (const ask of Object.values(asks)) {
    const word = uniqueWord();
    const first = await ask(word);
    assert.equal(typeof first.city, 'string');
    const { answer, calls } = await costOf(mock, () => ask(word));
    assert.equal(calls, 0);
    assert.deepEqual(answer, first);
  }
});
