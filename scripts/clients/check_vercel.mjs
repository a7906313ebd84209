// Checks of responses with the Vercel AI SDK, over each of OpenAI's APIs that it supports.

import { createRequire } from 'node:module';
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, embed, embedMany, generateText, Output, streamText, tool } from 'ai';
import { z } from 'zod';
import {
  AUTH,
  EMBEDDING_MODEL,
  Failed,
  MODEL,
  PACED,
  PLAIN,
  chat,
  check,
  client,
  goodVector,
  neverEarly,
  run,
  same,
  that,
} from './kit.mjs';
import { Order } from './order.mjs';

// It warns about what the completion model lacks: a tool choice, which these checks don't use.
globalThis.AI_SDK_LOG_WARNINGS = false;

const openai = (base = PLAIN, apiKey = 'test-key') =>
  createOpenAI({ baseURL: base + '/v1', apiKey });
const APIS = {
  responses: (by = openai()) => by(MODEL), // The provider's default.
  chat: (by = openai()) => by.chat(MODEL),
  completion: (by = openai()) => by.completion(MODEL),
};
const { completion: _, ...WITH_TOOLS } = APIS;

// The settings of every call. No retries: a second attempt would hide an error of the first.
const asked = { prompt: 'Hello', maxRetries: 0, timeout: 30_000 };
const wantedText = async () => (await chat(client())).choices[0].message.content;

// A stream whose errors are thrown; by default they are only written to the console.
function stream(model, more = {}) {
  const result = streamText({ model, ...asked, ...more, onError: () => {} });
  async function* parts() {
    for await (const part of result.stream) {
      if (part.type === 'error') throw part.error;
      yield part;
    }
  }
  return { result, parts: parts() };
}

// Returns the texts of the parts of a stream that have this type.
async function pieces(parts, type) {
  const texts = [];
  for await (const part of parts) {
    if (part.type === type) texts.push(part.text ?? part.delta);
  }
  return texts;
}

function goodUsage({ inputTokens, outputTokens, totalTokens }) {
  that(inputTokens > 0 && outputTokens > 0, `tokens are ${inputTokens} and ${outputTokens}`);
  same('totalTokens', totalTokens, inputTokens + outputTokens);
}

// --- texts ----------------------------------------------------------------------------------

for (const [api, model] of Object.entries(APIS)) {
  check(`${api} generateText`, async () => {
    const answer = await generateText({ model: model(), ...asked });
    same('text', answer.text, await wantedText());
    same('finishReason', answer.finishReason, 'stop');
    same('modelId', answer.response.modelId, MODEL);
    goodUsage(answer.usage);
  });

  check(`${api} maxOutputTokens 3`, async () => {
    const answer = await generateText({ model: model(), ...asked, maxOutputTokens: 3 });
    same('words', answer.text.split(' ').length, 3);
    same('finishReason', answer.finishReason, 'length');
    same('outputTokens', answer.usage.outputTokens, 3);
  });

  check(`${api} streamText`, async () => {
    const { result, parts } = stream(model());
    const told = await pieces(parts, 'text-delta');
    const text = await wantedText();
    same('text', told.join(''), text);
    same('pieces', told.length, text.split(' ').length);
    same('finishReason', await result.finishReason, 'stop');
    goodUsage(await result.usage);
  });

  check(`${api} streamText is never early`, async () => {
    const paced = model(openai(PACED));
    await neverEarly(() => stream(paced).parts, (part) => part.type === 'text-delta');
  });

  check(`${api} wrong key`, async () => {
    const failed = generateText({ model: model(openai(AUTH, 'wrong')), ...asked });
    const error = await failed.then(
      () => { throw new Failed('answered, wanted an error'); },
      (error) => error,
    );
    that(APICallError.isInstance(error), `threw ${error}`);
    same('statusCode', error.statusCode, 403);
    that(error.data?.error?.message, `the body is not OpenAI's: ${error.responseBody}`);
  });
}

// --- tools and structured outputs -----------------------------------------------------------

const Place = z.strictObject({ city: z.string(), days: z.int().min(1).max(7) });
const weather = tool({
  inputSchema: Place,
  execute: async (place) => ({ forecast: Place.parse(place).days }),
});
const order = tool({ inputSchema: Order });
const tools = { weather, order };

function goodCall(calls, name, schema) {
  same('calls', calls.map((call) => call.toolName), [name]);
  that(calls[0].toolCallId.startsWith('call_mock'), `id is ${calls[0].toolCallId}`);
  that(!calls[0].invalid, `the call is invalid: ${calls[0].error}`);
  schema.parse(calls[0].input);
}

for (const [api, model] of Object.entries(WITH_TOOLS)) {
  check(`${api} toolChoice required`, async () => {
    const answer = await generateText({ model: model(), ...asked, tools, toolChoice: 'required' });
    goodCall(answer.toolCalls, 'weather', Place);
    same('finishReason', answer.finishReason, 'tool-calls');
    same('results', answer.toolResults.length, 1);
  });

  check(`${api} toolChoice named`, async () => {
    const toolChoice = { type: 'tool', toolName: 'order' };
    const answer = await generateText({ model: model(), ...asked, tools, toolChoice });
    goodCall(answer.toolCalls, 'order', Order);
  });

  check(`${api} toolChoice required, streamed`, async () => {
    const { result, parts } = stream(model(), { tools, toolChoice: 'required' });
    const told = await pieces(parts, 'tool-input-delta');
    that(told.length > 1, 'the arguments arrived in one piece');
    const calls = await result.toolCalls;
    goodCall(calls, 'weather', Place);
    same('pieces', JSON.parse(told.join('')), calls[0].input);
    same('finishReason', await result.finishReason, 'tool-calls');
  });

  check(`${api} two steps, a tool's result in the second`, async () => {
    const answer = await generateText({
      model: model(),
      ...asked,
      tools,
      toolChoice: 'required',
      stopWhen: ({ steps }) => steps.length === 2,
      prepareStep: ({ stepNumber }) => (stepNumber === 1 ? { toolChoice: 'auto' } : {}),
    });
    same('steps', answer.steps.length, 2);
    goodCall(answer.steps[0].toolCalls, 'weather', Place);
    same('text', answer.text, await wantedText());
  });

  check(`${api} Output.object`, async () => {
    const output = Output.object({ schema: Order });
    const answer = await generateText({ model: model(), ...asked, output });
    Order.parse(answer.output);
  });

  check(`${api} Output.object, streamed`, async () => {
    const { result, parts } = stream(model(), { output: Output.object({ schema: Order }) });
    that((await pieces(parts, 'text-delta')).length > 1, 'the response arrived in one piece');
    Order.parse(await result.output);
  });

  check(`${api} Output.array and Output.choice`, async () => {
    const list = Output.array({ element: Place });
    const places = (await generateText({ model: model(), ...asked, output: list })).output;
    z.array(Place).parse(places);
    const options = ['sunny', 'rainy'];
    const choice = Output.choice({ options });
    const chosen = (await generateText({ model: model(), ...asked, output: choice })).output;
    that(options.includes(chosen), `chose ${chosen}`);
  });
}

// --- embeddings -----------------------------------------------------------------------------

check('embed', async () => {
  const model = openai().embedding(EMBEDDING_MODEL);
  const { embedding, usage } = await embed({ model, value: 'Hello', maxRetries: 0 });
  goodVector(embedding);
  that(usage.tokens > 0, `tokens are ${usage.tokens}`);
});

check('embed, dimensions 256', async () => {
  const model = openai().embedding(EMBEDDING_MODEL);
  const providerOptions = { openai: { dimensions: 256 } };
  const asked = { model, value: 'Hello', maxRetries: 0, providerOptions };
  goodVector((await embed(asked)).embedding, 256);
});

check('embedMany', async () => {
  const model = openai().embedding(EMBEDDING_MODEL);
  const { embeddings } = await embedMany({ model, values: ['a', 'b', 'c'], maxRetries: 0 });
  same('different vectors', new Set(embeddings.map((vector) => vector.join())).size, 3);
  for (const vector of embeddings) goodVector(vector);
});

const version = (name) => createRequire(import.meta.url)(`${name}/package.json`).version;
await run('vercel', `ai ${version('ai')}, @ai-sdk/openai ${version('@ai-sdk/openai')}`);
