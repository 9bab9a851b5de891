// What the provider really sends, read by the library from a hit in either form.
import { after, before, test } from 'node:test';
import {
  checkTranscript, client, plain, startTranscripts, transcripts,
} from './lib/programs.mjs';

let provider;
before(async () => {
  provider = await startTranscripts('messages');
});
after(() => provider?.stop());

const request = (model, word) => (
  { model, max_tokens: 1024, messages: [{ role: 'user', content: word }] });

for (const api of ['stable', 'beta']) {
  const messages = (anthropic) => (api === 'beta' ? anthropic.beta.messages : anthropic.messages);
  const forms = {
    plain: async (anthropic, model, word) => plain(
      await messages(anthropic).create(request(model, word))),
    streamed: async (anthropic, model, word) => plain(
      await messages(anthropic).stream(request(model, word)).finalMessage()),
  };
  for (const name of transcripts('messages')) {
    test(`${name} is read from a hit as from its provider (${api})`,
      () => checkTranscript(provider, name, client, forms));
  }
}
