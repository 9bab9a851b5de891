// A site with one page for each client library, which is loaded from its package as it is: an
// import map stands where a bundler would.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { listen } from './programs.mjs';

const PACKAGES = join(import.meta.dirname, '../node_modules');
const PAGES = join(import.meta.dirname, 'pages');
const TYPES = { '.mjs': 'text/javascript', '.js': 'text/javascript' };

// Files of a package that its description replaces in a browser.
function replaced(name) {
  const { browser } = JSON.parse(readFileSync(join(PACKAGES, name, 'package.json')));
  return Object.fromEntries(Object.entries(browser ?? {}).map(
    (files) => files.map((file) => new URL(file, `http://site/packages/${name}/`).pathname),
  ));
}

const IMPORT_MAP = {
  imports: {
    openai: '/packages/openai/index.mjs',
    '@anthropic-ai/sdk': '/packages/@anthropic-ai/sdk/index.mjs',
    '@opentelemetry/api': '/packages/@opentelemetry/api/dist/index.mjs',
    standardwebhooks: '/pages/no_webhooks.mjs', // is no module, and nothing here needs it
    ...replaced('openai'),
    ...replaced('@anthropic-ai/sdk'),
  },
};

const pageOf = (library) => `<!doctype html><title>${library}</title>
<script type="importmap">${JSON.stringify(IMPORT_MAP)}</script>
<script type="module" src="/pages/${library}.mjs"></script>`;

function fileOf(path) {
  if (path.startsWith('/packages/')) return join(PACKAGES, path.slice('/packages/'.length));
  return path.startsWith('/pages/') ? join(PAGES, path.slice('/pages/'.length)) : undefined;
}

// Each has an origin of its own: another port.
export function startSite() {
  return listen(async (request, answer) => {
    const { pathname } = new URL(request.url, 'http://site');
    const file = fileOf(pathname);
    const body = file ? await readFile(file).catch(() => undefined) : pageOf(pathname.slice(1));
    const type = file ? TYPES[extname(file)] : 'text/html';
    answer.writeHead(body === undefined ? 404 : 200, { 'content-type': type ?? 'text/plain' });
    answer.end(body);
  });
}
