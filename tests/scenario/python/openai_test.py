"""OpenAI's Python client library through the proxy."""

import openai

from programs import ProxyTest

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


class OpenAiTest(ProxyTest):
    def setUp(self):
        self.client = openai.OpenAI(
            api_key="sk-alice", base_url=f"{self.proxy.url}/v1", max_retries=0
        )
        self.addCleanup(self.client.close)

    def chat(self, **more):
        return {
            "model": "gpt-4o", "messages": [{"role": "user", "content": self.word()}], **more
        }

    def test_chat_hits_plain_and_streamed(self):
        whole = self.client.chat.completions.create(**self.chat())
        again = self.free(lambda: self.client.chat.completions.create(**self.chat()))
        self.assertEqual(again, whole)
        chunks = self.free(
            lambda: list(
                self.client.chat.completions.create(
                    **self.chat(stream=True, stream_options={"include_usage": True})
                )
            )
        )
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        self.assertEqual(text, whole.choices[0].message.content)
        self.assertEqual(chunks[-1].usage, whole.usage)

    def test_a_stored_stream_answers_a_plain_request(self):
        request = self.chat(tools=[WEATHER], tool_choice="required")
        with self.client.chat.completions.stream(
            **request, stream_options={"include_usage": True}
        ) as stream:
            streamed = stream.get_final_completion()
        whole = self.free(lambda: self.client.chat.completions.create(**request))
        call, streamed_call = (
            answer.choices[0].message.tool_calls[0] for answer in (whole, streamed)
        )
        self.assertEqual(call.id, streamed_call.id)
        self.assertEqual(call.function.name, streamed_call.function.name)
        self.assertEqual(call.function.arguments, streamed_call.function.arguments)

    def test_completions(self):
        request = {"model": "gpt-3.5-turbo-instruct", "prompt": self.word()}
        chunks = list(self.client.completions.create(**request, stream=True))
        whole = self.free(lambda: self.client.completions.create(**request))
        self.assertEqual("".join(c.choices[0].text for c in chunks), whole.choices[0].text)

    def test_a_stored_completion_is_streamed(self):
        request = {"model": "gpt-3.5-turbo-instruct", "prompt": self.word()}
        whole = self.client.completions.create(**request)
        chunks = self.free(lambda: list(self.client.completions.create(**request, stream=True)))
        self.assertEqual("".join(c.choices[0].text for c in chunks), whole.choices[0].text)

    def test_embeddings_by_element(self):
        model = "text-embedding-3-small"
        a, b = f"{self.word()} a", f"{self.word()} b"
        first = self.client.embeddings.create(model=model, input=[a, b])
        swapped = self.free(lambda: self.client.embeddings.create(model=model, input=[b, a]))
        self.assertEqual(swapped.data[0].embedding, first.data[1].embedding)
        self.assertEqual(swapped.data[1].embedding, first.data[0].embedding)
        alone = self.free(lambda: self.client.embeddings.create(model=model, input=a))
        self.assertEqual(alone.data[0].embedding, first.data[0].embedding)

    def test_responses_both_ways(self):
        for stored_as_stream in (True, False):
            request = {"model": "gpt-4.1", "input": f"{self.word()} {stored_as_stream}"}

            def as_stream():
                with self.client.responses.stream(**request) as stream:
                    stream.until_done()
                    return stream.get_final_response()

            def as_body():
                return self.client.responses.create(**request)

            stored = as_stream() if stored_as_stream else as_body()
            derived = self.free(as_body if stored_as_stream else as_stream)
            self.assertEqual(derived.id, stored.id)
            self.assertEqual(derived.output_text, stored.output_text)
            self.assertEqual(derived.usage, stored.usage)

    def test_errors_are_the_librarys_own(self):
        with self.assertRaises(openai.RateLimitError):
            self.client.chat.completions.create(**self.chat(model="mock-status-429"))
        with self.assertRaises(openai.InternalServerError):
            self.client.responses.create(model="mock-status-500", input="a")
