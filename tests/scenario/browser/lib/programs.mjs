// The programs under test, seen by pages in a real browser.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export * from '../../lib/programs.mjs';

// A browser, and pages in it. Everything is closed by stop().
export async function startBrowser() {
  // The sandbox is off (it cannot start for root, nor in many containers): the pages are our own.
  const browser = await chromium.launch({
    executablePath: process.env.LEC_TEST_CHROMIUM ?? '/usr/bin/chromium',
    chromiumSandbox: false,
  });
  return {
    // Opens the page that uses `library` at a site, as a user who has nothing open yet. Its `heard`
    // is called with the words of a stream as they come.
    open: async (site, library) => {
      const page = await (await browser.newContext()).newPage();
      const trouble = [];
      const opened = {
        heard: () => {},
        ask: (request) => page.evaluate((value) => window.ask(value), request),
        get: (url, options) => page.evaluate((value) => window.get(...value), [url, options]),
      };
      page.on('pageerror', (error) => trouble.push(`${error}`));
      page.on('console', (message) => trouble.push(message.text()));
      await page.exposeFunction('heard', (words) => opened.heard(words));
      await page.goto(`${site.url}/${library}`);
      if (!(await page.evaluate(() => 'ask' in window))) {
        throw new Error(`${library} does not load:\n${trouble.join('\n')}`);
      }
      return opened;
    },
    stop: () => browser.close(),
  };
}

// A provider that lets every page read its answers, which are the mock's.
export async function startPermissive(mock) {
  return listen(async (request, answer) => {
    const permission = {
      'access-control-allow-origin': '*',
      'access-control-expose-headers': '*',
    };
    if (request.method === 'OPTIONS') {
      const names = request.headers['access-control-request-headers'];
      answer.writeHead(204, { ...permission, 'access-control-allow-headers': names }).end();
      return;
    }
    const reply = await fetch(`${mock.url}${request.url}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: await textOf(request),
    });
    const type = reply.headers.get('content-type');
    answer.writeHead(reply.status, { ...permission, 'content-type': type });
    answer.end(await reply.text());
  });
}

// A provider that says one word, and the rest once `goOn` is called.
export async function startHalting() {
  let goOn;
  const told = new Promise((resolve) => (goOn = resolve));
  const event = (delta, finish_reason = null) => `data: ${JSON.stringify({
    id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o',
    choices: [{ index: 0, delta, finish_reason }],
  })}\n\n`;
  const server = await listen(async (request, answer) => {
    await textOf(request);
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.write(event({ role: 'assistant', content: 'One' }));
    await told;
    answer.end(`${event({ content: ' two' })}${event({}, 'stop')}data: [DONE]\n\n`);
  });
  return { ...server, goOn };
}

// A file that ends with its test.
export function temporaryFile(name, text) {
  const folder = mkdtempSync(join(tmpdir(), 'lec-browser-'));
  writeFileSync(join(folder, name), text);
  return {
    path: join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function textOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

export async function listen(handler) {
  const server = createServer(handler);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}
