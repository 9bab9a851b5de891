import Anthropic from '@anthropic-ai/sdk';
import { read } from './page.mjs';

window.ask = ({ proxy, body, apiKey = 'sk-ant-alice' }) => {
  const anthropic = new Anthropic({
    apiKey,
    baseURL: proxy,
    maxRetries: 0,
    dangerouslyAllowBrowser: true,
  });
  return read(Anthropic, anthropic.messages.create(body), (part) => part.delta?.text);
};
