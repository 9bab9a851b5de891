import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  client, collect, costOf, eventually, question, raw, startMock, startProxy, textOf, uniqueWord,
} from './lib/programs.mjs';

let mock;
let proxy;

before(async () => {
  mock = await startMock('--ttft-ms', '10', '--tokens-per-second', '100');
  proxy = await startProxy({ upstream: mock.url });
});
after(async () => {
  await proxy?.stop();
  await mock?.stop();
});

const flightsActive = async () => (await proxy.metrics()).llm_edge_flights_active;

test('a client that hangs up does not end the call; the next one is a hit', async () => {
  const openai = client(proxy);
  const body = question({ stream: true });
  const asked = (await mock.counts()).requests;
  const stream = await openai.chat.completions.create(body);
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta?.content) break; // leaves the loop, which aborts
  }
  await eventually(async () => (await flightsActive()) === 0, 'the call ends by itself');
  const again = await collect(await openai.chat.completions.create(body));
  assert.ok(textOf(again).length > 0);
  assert.equal(again.at(-1).choices[0].finish_reason, 'stop');
  assert.equal((await mock.counts()).requests, asked + 1);
  assert.match((await raw(proxy, body)).cacheStatus, /; hit;/);
});

test('a client that hangs up on a completion does not end the call either', async () => {
  const openai = client(proxy);
  const body = { model: 'gpt-3.5-turbo-instruct', prompt: `Say ${uniqueWord()}`, stream: true };
  const stream = await openai.completions.create(body);
  for await (const chunk of stream) {
    if (chunk.choices[0]?.text) break; // leaves the loop, which aborts
  }
  await eventually(async () => (await flightsActive()) === 0, 'the call ends by itself');
  const { answer, calls } = await costOf(mock, async () => collect(await openai.completions.create(body)));
  assert.equal(calls, 0);
  assert.equal(answer.at(-1).choices[0].finish_reason, 'stop');
});

test('one that joined goes on when the first hangs up', async () => {
  const body = question({ stream: true });
  const asked = (await mock.counts()).requests;
  const leader = new AbortController();
  const first = raw(proxy, body, { signal: leader.signal }).catch((error) => error);
  await eventually(async () => (await mock.counts()).requests === asked + 1, 'the call is made');
  const second = raw(proxy, body);
  leader.abort();
  assert.ok((await first) instanceof Error);
  assert.match((await second).text, /data: \[DONE\]\n\n$/);
  assert.equal((await mock.counts()).requests, asked + 1);
});
