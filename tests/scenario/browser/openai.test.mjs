// Pages that are named, with OpenAI's client library.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  costOf, startBrowser, startHalting, startMock, startProxy, temporaryFile, uniqueWord,
} from './lib/programs.mjs';
import { startSite } from './lib/site.mjs';

let browser;
let site;
let otherSite;
let mock;
let proxy;
let page;
let pageElsewhere;

before(async () => {
  browser = await startBrowser();
  site = await startSite();
  otherSite = await startSite();
  mock = await startMock();
  proxy = await startNaming({ upstream: mock.url });
  page = await browser.open(site, 'openai');
  pageElsewhere = await browser.open(otherSite, 'openai');
});
after(async () => {
  for (const program of [browser, proxy, mock, site, otherSite]) await program?.stop();
});

const startNaming = ({ upstream, options = [], env }) => startProxy({
  upstream,
  options: ['--cors-origins', `${site.url}, ${otherSite.url}`, ...options],
  env,
});

// A request that no other test makes.
const question = (more = {}) => ({
  model: 'gpt-4o',
  messages: [{ role: 'user', content: `Question ${uniqueWord()}: what is a cache?` }],
  ...more,
});
const ask = (body, more = {}) => page.ask({ proxy: proxy.url, body, ...more });
const isMiss = ({ fields }) => assert.match(fields['cache-status'], /^llm-edge-cache; fwd=miss/);
const isHit = ({ fields }) => assert.match(fields['cache-status'], /^llm-edge-cache; hit; ttl=\d+/);

test('a page reads a miss and then a hit, with what the proxy says of them', async () => {
  const body = question();
  const first = await costOf(mock, () => ask(body));
  const second = await costOf(mock, () => ask(body));
  isMiss(first.answer);
  isHit(second.answer);
  assert.match(second.answer.fields.age, /^\d+$/);
  assert.match(second.answer.fields['x-llm-cache-key'], /^[0-9a-f]{16}$/);
  assert.ok(second.answer.answer.choices[0].message.content.length > 0);
  assert.deepEqual(second.answer.answer, first.answer.answer);
  assert.deepEqual([first.calls, second.calls], [1, 0]);
});

test('a page reads a stream, and its replay from the cache says the same', async () => {
  const body = question({ stream: true });
  const first = await ask(body);
  const { answer: second, calls } = await costOf(mock, () => ask(body));
  isMiss(first);
  isHit(second);
  assert.equal(first.answer.at(-1).choices[0].finish_reason, 'stop');
  assert.deepEqual(second.answer, first.answer);
  assert.equal(calls, 0);
});

test('a page has the first words of a stream before the provider has said the last', async () => {
  const halting = await startHalting();
  const own = await startNaming({ upstream: halting.url });
  try {
    page.heard = halting.goOn;
    const request = { proxy: own.url, body: question({ stream: true }) };
    const first = await page.ask(request);
    const words = first.answer.map((part) => part.choices[0].delta.content ?? '');
    assert.equal(words.join(''), 'One two');
    const second = await page.ask(request);
    isHit(second);
    assert.deepEqual(second.answer, first.answer);
  } finally {
    await own.stop();
    await halting.stop();
  }
});

test('what a page of one origin has asked is a hit for a page of another', async () => {
  const body = question();
  const first = await ask(body);
  const { answer: second, calls } = await costOf(
    mock, () => pageElsewhere.ask({ proxy: proxy.url, body }),
  );
  isHit(second);
  assert.deepEqual(second.answer, first.answer);
  assert.equal(calls, 0);
  isHit(await ask(body));
});

test('pages with credentials of their own share no answer', async () => {
  const body = question();
  const other = await browser.open(site, 'openai');
  const both = [
    () => ask(body, { apiKey: 'sk-alice' }),
    () => other.ask({ proxy: proxy.url, body, apiKey: 'sk-bob' }),
  ];
  for (const [check, expected] of [[isMiss, 1], [isHit, 0]]) {
    for (const askOne of both) {
      const { answer, calls } = await costOf(mock, askOne);
      check(answer);
      assert.equal(calls, expected);
    }
  }
});

test('a page may send what directs the cache', async () => {
  const body = question();
  const headers = { 'x-llm-cache-tags': 'docs', 'x-llm-cache-ttl': '60' };
  isMiss(await ask(body, { headers }));
  isHit(await ask(body));
  const fresh = await ask(body, { headers: { 'cache-control': 'no-cache' } });
  assert.match(fresh.fields['cache-status'], /fwd=request/);
});

test('a page reads an error of the provider, and when to come again', async () => {
  const own = await startNaming({
    upstream: mock.url, options: ['--upstream-max-retries', '0'],
  });
  try {
    const body = question({ model: 'mock-status-429' });
    const answer = await page.ask({ proxy: own.url, body });
    assert.equal(answer.status, 429);
    assert.equal(answer.error, 'RateLimitError');
    assert.equal(answer.fields['retry-after'], '1');
  } finally {
    await own.stop();
  }
});

test('a page reads why the proxy refuses a field', async () => {
  const answer = await ask(question(), { headers: { 'x-llm-cache-nonsense': '1' } });
  assert.equal(answer.status, 400);
  assert.equal(answer.error, 'BadRequestError');
  assert.match(answer.message, /x-llm-cache-nonsense/);
});

test('a page reads that its request is too large, however much is still to come', async () => {
  const own = await startNaming({ upstream: mock.url, options: ['--max-body-bytes', '65536'] });
  try {
    for (const bytes of [70_000, 8_000_000]) {
      const body = question({ user: 'x'.repeat(bytes) });
      const answer = await page.ask({ proxy: own.url, body });
      assert.equal(answer.status, 413, `${bytes}: ${answer.unreadable}`);
    }
  } finally {
    await own.stop();
  }
});

test('a page reads that the provider cannot be reached', async () => {
  const gone = await startMock();
  await gone.stop();
  const own = await startNaming({ upstream: gone.url });
  try {
    const answer = await page.ask({ proxy: own.url, body: question() });
    assert.equal(answer.status, 502);
    assert.equal(answer.error, 'InternalServerError');
  } finally {
    await own.stop();
  }
});

test('a page reads that its key is refused or has asked too often', async () => {
  const digest = createHash('sha256').update('lec_key').digest('hex');
  const file = temporaryFile('proxy.yaml', `tenants:
  - {name: a, keys: ['sha256:${digest}'], requests_per_second: 0.001, burst: 1}
`);
  const own = await startNaming({
    upstream: mock.url,
    options: ['--config', file.path],
    env: { LLM_EDGE_CACHE_UPSTREAM_CREDENTIAL: 'sk-1' },
  });
  try {
    const askOwn = (apiKey) => page.ask({ proxy: own.url, body: question(), apiKey });
    const refused = await askOwn('sk-alice');
    assert.equal(refused.status, 401);
    assert.equal(refused.error, 'AuthenticationError');
    assert.equal((await askOwn('lec_key')).status, 200);
    const limited = await askOwn('lec_key');
    assert.equal(limited.status, 429);
    assert.match(limited.fields['retry-after'], /^\d+$/);
  } finally {
    await own.stop();
    file.remove();
  }
});
