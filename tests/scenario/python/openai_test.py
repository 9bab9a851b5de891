"""OpenAI's Python client library through the proxy."""

import asyncio
import functools

import openai
import pydantic

from programs import ProxyTest, start_mock, start_proxy

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
FUNCTION = {"type": "function", "name": "get_weather", "strict": True, "parameters": PARAMETERS}
THING = {"name": "thing", "schema": PARAMETERS}
USAGE = {"stream_options": {"include_usage": True}}


class Thing(pydantic.BaseModel):
    name: str
    size: int


def plain(answer):
    """Without what the library adds in parsing, and without what is null."""
    if isinstance(answer, list):
        return [plain(element) for element in answer]
    if not isinstance(answer, dict):
        return answer
    added = ("parsed", "parsed_arguments")
    return {
        name: plain(value)
        for name, value in answer.items()
        if name not in added and value is not None
    }


def without_additions(answer):
    """Without what the library itself reads wrongly from streams of other providers: members that
    it does not know, of which it keeps the last delta, and a role that is said in each."""
    if isinstance(answer, list):
        return [without_additions(element) for element in answer]
    if not isinstance(answer, dict):
        return answer
    added = ("reasoning_content", "native_finish_reason", "role")
    return {
        name: without_additions(value) for name, value in answer.items() if name not in added
    }


def chat_body(client, request):
    return plain(client.chat.completions.create(**request).to_dict(mode="json"))


def chat_stream(client, request):
    """What the library makes of a stream; the objects' names differ between the two forms."""
    with client.chat.completions.stream(**request, **USAGE) as stream:
        return plain(stream.get_final_completion().to_dict(mode="json"))


def said_in_chat(answer):
    choices = [
        (
            choice["finish_reason"],
            choice["message"].get("content"),
            [
                (call["id"], call["function"]["name"], call["function"]["arguments"])
                for call in choice["message"].get("tool_calls", [])
            ],
        )
        for choice in answer["choices"]
    ]
    return answer["id"], answer["model"], answer["usage"], choices


def completion_body(client, request):
    whole = client.completions.create(**request)
    texts = [(choice.text, choice.finish_reason) for choice in whole.choices]
    return whole.id, texts, whole.usage


def completion_stream(client, request):
    texts, reasons, usage, answer_id = {}, {}, None, None
    for chunk in client.completions.create(**request, stream=True, **USAGE):
        answer_id, usage = chunk.id, chunk.usage
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + choice.text
            reasons[choice.index] = choice.finish_reason
    return answer_id, [(texts[i], reasons[i]) for i in sorted(texts)], usage


def response_body(client, request):
    whole = client.responses.create(**request)
    return plain(whole.to_dict(mode="json"))


def response_stream(client, request):
    with client.responses.stream(**request) as stream:
        return plain(stream.get_final_response().to_dict(mode="json"))


class OpenAiTest(ProxyTest):
    def setUp(self):
        self.client = self.client_of(self.proxy)

    def client_of(self, proxy, **options):
        client = openai.OpenAI(
            **{"api_key": "sk-alice", "base_url": f"{proxy.url}/v1", "max_retries": 0, **options}
        )
        self.addCleanup(client.close)
        return client

    def chat(self, **more):
        return {
            "model": "gpt-4o", "messages": [{"role": "user", "content": self.word()}], **more
        }

    def completion(self, **more):
        return {"model": "gpt-3.5-turbo-instruct", "prompt": self.word(), **more}

    def response(self, **more):
        return {"model": "gpt-4.1", "input": self.word(), **more}

    def test_chat_in_every_order(self):
        json_schema = {"type": "json_schema", "json_schema": THING}
        for kind, more in {
            "text": {},
            "choices": {"n": 3},
            "tool": {"tools": [WEATHER], "tool_choice": "required"},
            "structured": {"response_format": json_schema},
        }.items():
            with self.subTest(kind=kind):
                self.check_every_order(
                    lambda: self.chat(**more),
                    {
                        "plain": lambda request: said_in_chat(chat_body(self.client, request)),
                        "streamed": lambda request: said_in_chat(
                            chat_stream(self.client, request)
                        ),
                    },
                )

    def test_completions_in_every_order(self):
        for kind, more in {"text": {}, "choices": {"n": 2}}.items():
            with self.subTest(kind=kind):
                self.check_every_order(
                    lambda: self.completion(**more),
                    {
                        "plain": functools.partial(completion_body, self.client),
                        "streamed": functools.partial(completion_stream, self.client),
                    },
                )

    def test_responses_in_every_order(self):
        for kind, more in {
            "text": {},
            "reasoning": {"reasoning": {"effort": "low", "summary": "auto"}},
            "tool": {"tools": [FUNCTION], "tool_choice": "required"},
            "search": {"tools": [{"type": "web_search"}]},
            "structured": {"text": {"format": {"type": "json_schema", **THING}}},
        }.items():
            with self.subTest(kind=kind):
                self.check_every_order(
                    lambda: self.response(**more),
                    {
                        "plain": functools.partial(response_body, self.client),
                        "streamed": functools.partial(response_stream, self.client),
                    },
                )

    def test_transcripts_are_read_from_a_hit_as_from_their_provider(self):
        def chat(model, word):
            return {"model": model, "messages": [{"role": "user", "content": word}]}

        for endpoint, request, body, stream in (
            ("chat", chat, chat_body, chat_stream),
            ("completions", lambda model, word: {"model": model, "prompt": word},
             completion_body, completion_stream),
            ("responses", lambda model, word: {"model": model, "input": word},
             response_body, response_stream),
        ):
            self.check_transcripts(endpoint, {
                "plain": lambda program, model, word: without_additions(
                    body(self.client_of(program), request(model, word))
                ),
                "streamed": lambda program, model, word: without_additions(
                    stream(self.client_of(program), request(model, word))
                ),
            })

    def test_chunks_of_a_hit_are_those_of_the_miss(self):
        request = self.chat(stream=True, **USAGE)
        first = list(self.client.chat.completions.create(**request))
        again = self.free(lambda: list(self.client.chat.completions.create(**request)))
        self.assertEqual(again, first)

    def test_structured_output_is_parsed_from_a_hit(self):
        chat = self.chat(response_format=Thing)
        first = self.client.chat.completions.parse(**chat).choices[0].message.parsed
        self.assertIsInstance(first, Thing)
        again = self.free(lambda: self.client.chat.completions.parse(**chat))
        self.assertEqual(again.choices[0].message.parsed, first)

        def streamed():
            with self.client.chat.completions.stream(**chat) as stream:
                return stream.get_final_completion().choices[0].message.parsed

        self.assertEqual(self.free(streamed), first)

        response = self.response(text_format=Thing)
        parsed = self.client.responses.parse(**response).output_parsed
        self.assertIsInstance(parsed, Thing)
        again = self.free(lambda: self.client.responses.parse(**response))
        self.assertEqual(again.output_parsed, parsed)

    def test_embeddings_by_element(self):
        model = "text-embedding-3-small"
        a, b = f"{self.word()} a", f"{self.word()} b"
        first = self.client.embeddings.create(model=model, input=[a, b])
        swapped = self.free(lambda: self.client.embeddings.create(model=model, input=[b, a]))
        self.assertEqual(swapped.data[0].embedding, first.data[1].embedding)
        self.assertEqual(swapped.data[1].embedding, first.data[0].embedding)
        alone = self.free(lambda: self.client.embeddings.create(model=model, input=a))
        self.assertEqual(alone.data[0].embedding, first.data[0].embedding)

    def test_embeddings_in_either_encoding(self):
        for encoding in ({}, {"encoding_format": "float"}, {"encoding_format": "base64"}):
            with self.subTest(encoding=encoding):
                request = {"model": "text-embedding-3-small", "input": [self.word()], **encoding}
                first = self.client.embeddings.create(**request)
                again = self.free(lambda: self.client.embeddings.create(**request))
                self.assertEqual(again, first)

    def test_the_asynchronous_client_hits(self):
        async def ask(request, more):
            async with openai.AsyncOpenAI(
                api_key="sk-alice", base_url=f"{self.proxy.url}/v1", max_retries=0
            ) as client:
                whole = await client.chat.completions.create(**request)
                chunks = [
                    chunk
                    async for chunk in await client.chat.completions.create(
                        **request, stream=True, **USAGE
                    )
                ]
                response = await client.responses.create(**more)
                return whole.id, chunks, response.id

        request, more = self.chat(), self.response()
        first = asyncio.run(ask(request, more))
        self.assertEqual(self.free(lambda: asyncio.run(ask(request, more))), first)

    def test_hanging_up_does_not_end_the_call(self):
        mock = self.started(start_mock("--ttft-ms", "10", "--tokens-per-second", "200"))
        proxy = self.started(start_proxy(mock.url))
        client = self.client_of(proxy)
        for endpoint, request in (
            (client.chat.completions, self.chat()),
            (client.completions, self.completion()),
            (client.responses, self.response()),
        ):

            def begin():
                with endpoint.create(**request, stream=True) as stream:
                    next(iter(stream))

            with self.subTest(endpoint=type(endpoint).__module__):
                chunks = self.check_hanging_up(
                    proxy, mock, begin, lambda: list(endpoint.create(**request, stream=True))
                )
                last = chunks[-1]
                ended = (
                    last.type == "response.completed"
                    if endpoint is client.responses
                    else last.choices[0].finish_reason == "stop"
                )
                self.assertTrue(ended)

    def test_retries_over_a_busy_provider(self):
        def asks_of(proxy, max_retries):
            client = self.client_of(proxy, max_retries=max_retries)
            asks = [
                functools.partial(ask, client, request)
                for ask, request in (
                    (chat_body, self.chat()),
                    (chat_stream, self.chat()),
                    (completion_body, self.completion()),
                    (completion_stream, self.completion()),
                    (response_body, self.response()),
                    (response_stream, self.response()),
                )
            ]
            embedded = {"model": "text-embedding-3-small", "input": [self.word()]}
            return [*asks, lambda: client.embeddings.create(**embedded)]

        self.check_retries(
            asks_of, {429: openai.RateLimitError, 503: openai.InternalServerError}
        )

    def test_errors_are_the_librarys_own(self):
        with self.assertRaises(openai.RateLimitError):
            self.client.chat.completions.create(**self.chat(model="mock-status-429"))
        with self.assertRaises(openai.InternalServerError):
            self.client.responses.create(model="mock-status-500", input="a")
        with self.assertRaises(openai.RateLimitError):
            self.client.completions.create(**self.completion(model="mock-status-429"))
        with self.assertRaises(openai.InternalServerError):
            self.client.embeddings.create(model="mock-status-503", input="a")
