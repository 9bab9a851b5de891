import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { client, collect, outcomes, question, raw, startMock, startProxy, textOf } from './lib/programs.mjs';

let mock;
let slow;
let proxy;
let slowProxy;

before(async () => {
  mock = await startMock();
  slow = await startMock('--ttft-ms', '20', '--tokens-per-second', '200');
  proxy = await startProxy({ upstream: mock.url });
  slowProxy = await startProxy({ upstream: slow.url });
});
after(async () => {
  for (const program of [proxy, slowProxy, mock, slow]) await program?.stop();
});

test('a stream is recorded as it passes and replayed byte for byte', async () => {
  const body = question({ stream: true });
  const own = await raw(mock, body);
  const first = await raw(proxy, body);
  const second = await raw(proxy, body);
  assert.equal(first.text, own.text);
  assert.equal(second.text, own.text);
  assert.match(second.headers.get('content-type'), /^text\/event-stream/);
  assert.match(second.cacheStatus, /; hit;/);
});

test('chunks arrive while the provider still writes', async () => {
  const answer = await fetch(`${slowProxy.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-alice', 'content-type': 'application/json' },
    body: JSON.stringify(question({ stream: true })),
  });
  const reader = answer.body.getReader();
  const first = new TextDecoder().decode((await reader.read()).value);
  assert.match(first, /^data: /);
  assert.doesNotMatch(first, /\[DONE\]/);
  let rest = '';
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    rest += new TextDecoder().decode(read.value);
  }
  assert.match(rest, /data: \[DONE\]\n\n$/);
});

test('the client library reads the same text on a miss and on a hit', async () => {
  const openai = client(proxy);
  const body = question({ stream: true, stream_options: { include_usage: true } });
  const first = await collect(await openai.chat.completions.create(body));
  const second = await collect(await openai.chat.completions.create(body));
  assert.deepEqual(second, first);
  assert.ok(textOf(first).length > 0);
  assert.ok(first.at(-1).usage.total_tokens > 0);
});

test('a stored stream answers a request without stream', async () => {
  const openai = client(proxy);
  const body = question();
  const streamed = await collect(
    await openai.chat.completions.create({
      ...body, stream: true, stream_options: { include_usage: true },
    }),
  );
  const asked = (await mock.counts()).requests;
  const whole = await openai.chat.completions.create(body);
  assert.equal((await mock.counts()).requests, asked);
  assert.equal(whole.choices[0].message.content, textOf(streamed));
  assert.deepEqual(whole.usage, streamed.at(-1).usage);
  assert.equal(whole.object, 'chat.completion');
});

test('a stored body answers a request for a stream', async () => {
  const openai = client(proxy);
  const body = question();
  const whole = await openai.chat.completions.create(body);
  const asked = (await mock.counts()).requests;
  const streamed = await collect(await openai.chat.completions.create({ ...body, stream: true }));
  assert.equal((await mock.counts()).requests, asked);
  assert.equal(textOf(streamed), whole.choices[0].message.content);
  assert.equal(streamed.at(-1).choices[0].finish_reason, 'stop');
});

test('callers who ask the same at the same time share one call', async () => {
  const body = question({ stream: true });
  const before = outcomes(await slowProxy.metrics());
  const asked = (await slow.counts()).requests;
  const answers = await Promise.all(Array.from({ length: 8 }, () => raw(slowProxy, body)));
  assert.equal(new Set(answers.map((answer) => answer.text)).size, 1);
  assert.match(answers[0].text, /data: \[DONE\]\n\n$/);
  assert.equal((await slow.counts()).requests, asked + 1);
  const after_ = outcomes(await slowProxy.metrics());
  const gained = (name) => (after_[name] ?? 0) - (before[name] ?? 0);
  assert.equal(gained('miss'), 1);
  assert.equal(gained('coalesced') + gained('l1_hit'), 7);
});
