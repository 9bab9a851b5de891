import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { client, collect, costOf, startMock, startProxy, uniqueWord } from './lib/programs.mjs';

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

const prompt = (more = {}) => ({ model: 'gpt-3.5-turbo-instruct', prompt: `Say ${uniqueWord()}`, ...more });
const textOf = (chunks) => chunks.map((chunk) => chunk.choices[0]?.text ?? '').join('');

test('the second completion is a hit, plain and streamed', async () => {
  for (const stream of [false, true]) {
    const body = prompt({ stream });
    const ask = async () => {
      const answer = await openai.completions.create(body);
      return stream ? collect(answer) : answer;
    };
    const first = await ask();
    const { answer, calls } = await costOf(mock, ask);
    assert.equal(calls, 0);
    assert.deepEqual(answer, first);
  }
});

test('a completion is the same streamed or whole, whichever was stored', async () => {
  for (const storedAsStream of [true, false]) {
    const body = prompt({ n: 2 });
    const asBody = async () => (await openai.completions.create(body)).choices.map((choice) => choice.text);
    const asStream = async () => {
      const texts = ['', ''];
      const stream = await openai.completions.create({
        ...body, stream: true, stream_options: { include_usage: true },
      });
      for await (const chunk of stream) {
        for (const choice of chunk.choices) texts[choice.index] += choice.text;
      }
      return texts;
    };
    const stored = await (storedAsStream ? asStream() : asBody());
    const { answer, calls } = await costOf(mock, storedAsStream ? asBody : asStream);
    assert.equal(calls, 0);
    assert.deepEqual(answer, stored);
  }
});

test('usage comes in a stream where it is asked for and is that of the body', async () => {
  const body = prompt();
  const whole = await openai.completions.create(body);
  const chunks = await collect(
    await openai.completions.create({ ...body, stream: true, stream_options: { include_usage: true } }),
  );
  assert.deepEqual(chunks.at(-1).usage, whole.usage);
  assert.equal(textOf(chunks), whole.choices[0].text);
});

test('errors and cut answers are not kept', async () => {
  await assert.rejects(
    openai.completions.create(prompt({ model: 'mock-status-429' })),
    OpenAI.RateLimitError,
  );
  const body = prompt({ max_tokens: 2 });
  await openai.completions.create(body);
  assert.equal((await costOf(mock, () => openai.completions.create(body))).calls, 1);
});
