"""Anthropic's Python client library through the proxy."""

import anthropic

from programs import ProxyTest

WEATHER = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class AnthropicTest(ProxyTest):
    def setUp(self):
        self.client = anthropic.Anthropic(
            api_key="sk-ant-alice", base_url=self.proxy.url, max_retries=0
        )
        self.addCleanup(self.client.close)

    def kinds(self):
        text = {
            "model": "mock-large",
            "max_tokens": 4096,
            "messages": [{"role": "user", "content": self.word()}],
        }
        yield "text", text
        yield "tool", {**text, "tools": [WEATHER], "tool_choice": {"type": "any"}}
        yield "thinking", {**text, "thinking": {"type": "enabled", "budget_tokens": 1024}}
        yield "search", {**text, "tools": [{"type": "web_search_20250305", "name": "web_search"}]}

    def test_hits_both_ways(self):
        for api in (self.client.messages, self.client.beta.messages):
            for kind, request in self.kinds():
                for stored_as_stream in (True, False):
                    request = {**request, "system": f"{kind} {stored_as_stream}"}

                    def as_stream():
                        with api.stream(**request) as stream:
                            return stream.get_final_message()

                    def as_body():
                        return api.create(**request)

                    with self.subTest(kind=kind, stored_as_stream=stored_as_stream):
                        stored = as_stream() if stored_as_stream else as_body()
                        derived = self.free(as_body if stored_as_stream else as_stream)
                        self.assertEqual(self.said(derived), self.said(stored))
                        self.free(as_stream)
                        self.free(as_body)

    @staticmethod
    def said(message):
        """What a message says, without what the library adds in parsing."""
        said = message.to_dict(exclude_unset=True, exclude_none=True)
        for block in said["content"]:
            block.pop("parsed_output", None)
        return said

    def test_counting_tokens_passes_through(self):
        before = self.calls()
        for _ in range(2):
            count = self.client.messages.count_tokens(
                model="mock-large", messages=[{"role": "user", "content": "Hi"}]
            )
            self.assertGreater(count.input_tokens, 0)
        self.assertEqual(self.calls(), before + 2)

    def test_errors_are_the_librarys_own(self):
        request = dict(next(self.kinds())[1])
        with self.assertRaises(anthropic.RateLimitError):
            self.client.messages.create(**{**request, "model": "mock-status-429"})
        with self.assertRaises(anthropic.BadRequestError):
            self.client.messages.create(**{**request, "messages": []})
