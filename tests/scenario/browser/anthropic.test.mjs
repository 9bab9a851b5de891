// A page that is named, with Anthropic's client library.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { costOf, startBrowser, startMock, startProxy, uniqueWord } from './lib/programs.mjs';
import { startSite } from './lib/site.mjs';

let browser;
let site;
let mock;
let proxy;
let page;

before(async () => {
  browser = await startBrowser();
  site = await startSite();
  mock = await startMock();
  proxy = await startProxy({ upstream: mock.url, options: ['--cors-origins', site.url] });
  page = await browser.open(site, 'anthropic');
});
after(async () => {
  for (const program of [browser, proxy, mock, site]) await program?.stop();
});

// A request that no other test makes.
const question = (more = {}) => ({
  model: 'mock-large',
  max_tokens: 1024,
  messages: [{ role: 'user', content: `Question ${uniqueWord()}: what is a cache?` }],
  ...more,
});
const ask = (body) => page.ask({ proxy: proxy.url, body });

for (const [form, more] of [['message', {}], ['stream', { stream: true }]]) {
  test(`a page reads a ${form} as a miss and then as a hit`, async () => {
    const body = question(more);
    const first = await costOf(mock, () => ask(body));
    const second = await costOf(mock, () => ask(body));
    assert.match(first.answer.fields['cache-status'], /^llm-edge-cache; fwd=miss/);
    assert.match(second.answer.fields['cache-status'], /^llm-edge-cache; hit; ttl=\d+/);
    assert.deepEqual(second.answer.answer, first.answer.answer);
    assert.deepEqual([first.calls, second.calls], [1, 0]);
  });
}

test('a page reads an error, of the provider and of the proxy', async () => {
  const provider = await ask(question({ messages: [] }));
  assert.equal(provider.status, 400);
  assert.equal(provider.error, 'BadRequestError');
  const gone = await startMock();
  await gone.stop();
  const own = await startProxy({ upstream: gone.url, options: ['--cors-origins', site.url] });
  try {
    const answer = await page.ask({ proxy: own.url, body: question() });
    assert.equal(answer.status, 502);
    assert.equal(answer.error, 'InternalServerError');
  } finally {
    await own.stop();
  }
});
