"""Anthropic's Python client library through the proxy."""

import asyncio
import functools

import anthropic
import pydantic

from programs import ProxyTest, start_mock, start_proxy

CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"name": "get_weather", "input_schema": CITY}
KINDS = {
    "text": {},
    "tool": {"tools": [WEATHER], "tool_choice": {"type": "any"}},
    "thinking": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    "search": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    "structured": {"output_config": {"format": {"type": "json_schema", "schema": CITY}}},
}


class Thing(pydantic.BaseModel):
    name: str
    size: int


def said(message):
    """What a message says, without what the library adds in parsing."""
    text = message.to_dict(exclude_unset=True, exclude_none=True)
    text.pop("parsed_output", None)
    for block in text["content"]:
        block.pop("parsed_output", None)
    return text


def as_body(api, request):
    return said(api.create(**request))


def as_stream(api, request):
    with api.stream(**request) as stream:
        return said(stream.get_final_message())


class AnthropicTest(ProxyTest):
    def setUp(self):
        self.client = self.client_of(self.proxy)

    def client_of(self, proxy, **options):
        client = anthropic.Anthropic(
            **{"api_key": "sk-ant-alice", "base_url": proxy.url, "max_retries": 0, **options}
        )
        self.addCleanup(client.close)
        return client

    def request(self, **more):
        return {
            "model": "mock-large",
            "max_tokens": 4096,
            "messages": [{"role": "user", "content": self.word()}],
            **more,
        }

    def test_messages_in_every_order(self):
        for api in (self.client.messages, self.client.beta.messages):
            for kind, more in KINDS.items():
                with self.subTest(api=type(api).__module__, kind=kind):
                    self.check_every_order(
                        lambda: self.request(**more),
                        {
                            "plain": functools.partial(as_body, api),
                            "streamed": functools.partial(as_stream, api),
                        },
                    )

    def test_transcripts_are_read_from_a_hit_as_from_their_provider(self):
        for beta in (False, True):
            def api(program):
                client = self.client_of(program)
                return client.beta.messages if beta else client.messages

            def request(model, word):
                return {**self.request(model=model), "messages": [{"role": "user", "content": word}]}

            self.check_transcripts("messages", {
                "plain": lambda program, model, word: as_body(api(program), request(model, word)),
                "streamed": lambda program, model, word: as_stream(
                    api(program), request(model, word)
                ),
            })

    def test_events_of_a_hit_are_those_of_the_miss(self):
        request = self.request(stream=True)
        first = list(self.client.messages.create(**request))
        again = self.free(lambda: list(self.client.messages.create(**request)))
        self.assertEqual(again, first)

    def test_structured_output_is_parsed_from_a_hit(self):
        request = self.request(output_format=Thing)
        first = self.client.messages.parse(**request).parsed_output
        self.assertIsInstance(first, Thing)
        again = self.free(lambda: self.client.messages.parse(**request))
        self.assertEqual(again.parsed_output, first)

        def streamed():
            with self.client.messages.stream(**request) as stream:
                return stream.get_final_message().parsed_output

        self.assertEqual(self.free(streamed), first)

    def test_the_asynchronous_client_hits(self):
        async def ask(request):
            async with anthropic.AsyncAnthropic(
                api_key="sk-ant-alice", base_url=self.proxy.url, max_retries=0
            ) as client:
                whole = await client.messages.create(**request)
                async with client.messages.stream(**request) as stream:
                    return said(whole), said(await stream.get_final_message())

        request = self.request()
        whole, streamed = asyncio.run(ask(request))
        self.assertEqual(streamed, whole)
        self.assertEqual(self.free(lambda: asyncio.run(ask(request))), (whole, whole))

    def test_hanging_up_does_not_end_the_call(self):
        mock = self.started(start_mock("--ttft-ms", "10", "--tokens-per-second", "200"))
        proxy = self.started(start_proxy(mock.url))
        messages = self.client_of(proxy).messages
        request = self.request(stream=True)

        def begin():
            with messages.create(**request) as stream:
                next(event for event in stream if event.type == "content_block_delta")

        events = self.check_hanging_up(
            proxy, mock, begin, lambda: list(messages.create(**request))
        )
        self.assertEqual(events[-1].type, "message_stop")

    def test_retries_over_a_busy_provider(self):
        def asks_of(proxy, max_retries):
            client = self.client_of(proxy, max_retries=max_retries)
            return [
                functools.partial(ask, api, self.request())
                for api in (client.messages, client.beta.messages)
                for ask in (as_body, as_stream)
            ]

        self.check_retries(
            asks_of, {429: anthropic.RateLimitError, 503: anthropic.InternalServerError}
        )

    def test_counting_tokens_passes_through(self):
        before = self.calls()
        for _ in range(2):
            count = self.client.messages.count_tokens(
                model="mock-large", messages=[{"role": "user", "content": "Hi"}]
            )
            self.assertGreater(count.input_tokens, 0)
        self.assertEqual(self.calls(), before + 2)

    def test_errors_are_the_librarys_own(self):
        with self.assertRaises(anthropic.RateLimitError):
            self.client.messages.create(**self.request(model="mock-status-429"))
        with self.assertRaises(anthropic.BadRequestError):
            self.client.messages.create(**self.request(messages=[]))
