import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { client, costOf, raw, startMock, startProxy, uniqueWord } from './lib/programs.mjs';

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

const model = 'text-embedding-3-small';
const path = '/v1/embeddings';
const words = (count) => Array.from({ length: count }, () => `word ${uniqueWord()}`);
const vectors = (answer) => answer.data.map((element) => element.embedding);

test('the second time nothing goes to the provider, in either encoding', async () => {
  for (const encoding_format of [undefined, 'float', 'base64']) {
    const body = { model, input: words(3), encoding_format };
    const first = await openai.embeddings.create(body);
    const { answer, calls } = await costOf(mock, () => openai.embeddings.create(body));
    assert.equal(calls, 0);
    assert.deepEqual(answer, first);
    assert.equal(first.data.length, 3);
  }
});

test('a mix of known and new elements is what the provider itself would say', async () => {
  const own = new OpenAI({ apiKey: 'sk-alice', baseURL: `${mock.url}/v1`, maxRetries: 0 });
  const [a, b, c, d] = words(4);
  await openai.embeddings.create({ model, input: [b, d] });
  const input = [a, b, c, d, a];
  const answer = await raw(proxy, { model, input, encoding_format: 'base64' }, { path });
  assert.equal(answer.status, 200);
  const mixed = await openai.embeddings.create({ model, input });
  const expected = await own.embeddings.create({ model, input });
  assert.deepEqual(vectors(mixed), vectors(expected));
  assert.deepEqual(mixed.data.map((element) => element.index), [0, 1, 2, 3, 4]);
});

test('Cache-Status says how many were found', async () => {
  const [a, b, c] = words(3);
  const ask = (input) => raw(proxy, { model, input }, { path });
  assert.match((await ask([a, b])).cacheStatus, /fwd=miss; stored$/);
  assert.match((await ask([a, b, c])).cacheStatus, /fwd=miss; stored; detail=hits-2-of-3$/);
  assert.match((await ask([c, a])).cacheStatus, /; hit; ttl=\d+; detail=l1$/);
});

test('one text is an element, alone or in a list', async () => {
  const [a] = words(1);
  await openai.embeddings.create({ model, input: a });
  assert.equal((await costOf(mock, () => openai.embeddings.create({ model, input: [a] }))).calls, 0);
});

test('tokens and dimensions', async () => {
  const tokens = [process.pid, 1, 2];
  const body = { model, input: tokens, dimensions: 5 };
  const first = await openai.embeddings.create(body);
  assert.equal(first.data[0].embedding.length, 5);
  assert.equal(first.usage.prompt_tokens, 3);
  const again = await costOf(mock, () => openai.embeddings.create({ ...body, input: [tokens] }));
  assert.equal(again.calls, 0);
  assert.equal((await costOf(mock, () => openai.embeddings.create({ ...body, dimensions: 6 }))).calls, 1);
});

test('a wrong count passes and is not kept', async () => {
  const body = { model: 'mock-miscount', input: words(2) };
  assert.equal((await openai.embeddings.create(body)).data.length, 1);
  assert.equal((await costOf(mock, () => openai.embeddings.create(body))).calls, 1);
});

test('errors pass in the shape of the API', async () => {
  await assert.rejects(
    openai.embeddings.create({ model: 'mock-status-429', input: 'a' }),
    OpenAI.RateLimitError,
  );
  await assert.rejects(openai.embeddings.create({ model, input: [] }), OpenAI.BadRequestError);
});

test('callers who ask the same at the same time share one call', async () => {
  const slow = await startMock('--ttft-ms', '300');
  const own = await startProxy({ upstream: slow.url });
  try {
    const body = { model, input: words(4) };
    const answers = await Promise.all(Array.from({ length: 6 }, () => raw(own, body, { path })));
    assert.equal(new Set(answers.map((answer) => answer.text)).size, 1);
    assert.equal((await slow.counts()).requests, 1);
  } finally {
    await own.stop();
    await slow.stop();
  }
});
