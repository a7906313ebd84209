// Checks of tool calls and structured outputs with the Node OpenAI client.

import OpenAI from 'openai';
import {
  zodFunction,
  zodResponseFormat,
  zodResponsesFunction,
  zodTextFormat,
} from 'openai/helpers/zod';
import { VERSION } from 'openai/version';
import { z } from 'zod';
import {
  HELLO,
  MODEL,
  chat,
  check,
  client,
  goodChat,
  goodResponse,
  raises,
  respond,
  run,
  same,
  that,
} from './kit.mjs';
import { Comment, Order } from './order.mjs';

const Place = z.strictObject({ city: z.string(), days: z.int().min(1).max(7) });
const MODELS = { weather: Place, order: Order };
const CHAT_TOOLS = Object.entries(MODELS).map(([name, parameters]) =>
  zodFunction({ name, parameters }),
);
const TOOLS = Object.entries(MODELS).map(([name, parameters]) =>
  zodResponsesFunction({ name, parameters }),
);
const CHAT_CHOICES = {
  required: ['required', 'weather'],
  named: [{ type: 'function', function: { name: 'order' } }, 'order'],
};
const CHOICES = {
  required: ['required', 'weather'],
  named: [{ type: 'function', name: 'order' }, 'order'],
};
const asked = { model: MODEL, messages: HELLO };
const askedResponse = { model: MODEL, input: 'Hello' };

// --- calls ----------------------------------------------------------------------------------

function goodCall({ choices: [choice] }, name) {
  same('finish_reason', choice.finish_reason, 'tool_calls');
  same('content', choice.message.content, null);
  same('calls', choice.message.tool_calls.map((call) => call.function.name), [name]);
  const [call] = choice.message.tool_calls;
  that(call.id.startsWith('call_mock'), `id is ${call.id}`);
  MODELS[name].parse(JSON.parse(call.function.arguments));
  return call;
}

function goodFunctionCall(answer, name) {
  same('status', answer.status, 'completed');
  same('output', answer.output.map((item) => [item.type, item.name]), [['function_call', name]]);
  const [call] = answer.output;
  that(call.call_id.startsWith('call_mock'), `call_id is ${call.call_id}`);
  MODELS[name].parse(JSON.parse(call.arguments));
  return call;
}

for (const [what, [tool_choice, name]] of Object.entries(CHAT_CHOICES)) {
  const more = { tools: CHAT_TOOLS, tool_choice };

  check(`chat tool_choice ${what}`, async () => {
    goodCall(await chat(client(), more), name);
    const { function: called } = goodCall(
      await client().chat.completions.parse({ ...asked, ...more }),
      name,
    );
    same('parsed_arguments', called.parsed_arguments, JSON.parse(called.arguments));
  });

  check(`chat tool_choice ${what}, streamed`, async () => {
    const stream = client().chat.completions.stream({ ...asked, ...more });
    const done = [];
    stream.on('tool_calls.function.arguments.done', (event) => done.push(event));
    const { function: called } = goodCall(await stream.finalChatCompletion(), name);
    same('done', done.map((event) => [event.index, event.name]), [[0, name]]);
    same('arguments', done[0].arguments, called.arguments);
  });
}

for (const [what, [tool_choice, name]] of Object.entries(CHOICES)) {
  const more = { tools: TOOLS, tool_choice };

  check(`responses tool_choice ${what}`, async () => {
    goodFunctionCall(await respond(client(), more), name);
    const parsed = await client().responses.parse({ ...askedResponse, ...more });
    const call = goodFunctionCall(parsed, name);
    same('parsed_arguments', call.parsed_arguments, JSON.parse(call.arguments));
  });

  check(`responses tool_choice ${what}, streamed`, async () => {
    const stream = client().responses.stream({ ...askedResponse, ...more });
    let text = '';
    stream.on('response.function_call_arguments.delta', ({ delta }) => (text += delta));
    const call = goodFunctionCall(await stream.finalResponse(), name);
    same('arguments', text, call.arguments);
  });
}

check('tools without a call: auto, none, absent', async () => {
  for (const more of [{ tool_choice: 'auto' }, { tool_choice: 'none' }, {}]) {
    goodChat(await chat(client(), { tools: CHAT_TOOLS, ...more }));
    goodResponse(await respond(client(), { tools: TOOLS, ...more }));
  }
});

check("chat with a tool's result", async () => {
  const called = await chat(client(), { tools: CHAT_TOOLS, tool_choice: 'required' });
  const call = goodCall(called, 'weather');
  const result = { role: 'tool', tool_call_id: call.id, content: 'sunny' };
  const messages = [...HELLO, called.choices[0].message, result];
  goodChat(await chat(client(), { messages, tools: CHAT_TOOLS }));
});

check('chat refuses a call of an unknown function', async () => {
  const tool_choice = { type: 'function', function: { name: 'unknown' } };
  const call = () => chat(client(), { tools: CHAT_TOOLS, tool_choice });
  const error = await raises(OpenAI.BadRequestError, 400, call);
  same('type', error.type, 'invalid_request_error');
  that(error.param?.startsWith('tool_choice'), `param is ${error.param}`);
});

// --- structured outputs ---------------------------------------------------------------------

check('parse() of a Zod model that holds itself', async () => {
  const format = zodResponseFormat(Comment, 'comment');
  const answer = await client().chat.completions.parse({ ...asked, response_format: format });
  goodChat(answer);
  Comment.parse(answer.choices[0].message.parsed);
});

const response_format = zodResponseFormat(Order, 'order');
const text = { format: zodTextFormat(Order, 'order') };

check('chat parse() of a Zod model', async () => {
  const answer = await client().chat.completions.parse({ ...asked, response_format });
  goodChat(answer);
  same('parsed', answer.choices[0].message.parsed, JSON.parse(answer.choices[0].message.content));
});

check('chat.completions.stream() of a Zod model', async () => {
  const usage = { stream_options: { include_usage: true } };
  const stream = client().chat.completions.stream({ ...asked, response_format, ...usage });
  const answer = await stream.finalChatCompletion();
  goodChat(answer);
  Order.parse(answer.choices[0].message.parsed);
});

check('responses parse() of a Zod model', async () => {
  const answer = await client().responses.parse({ ...askedResponse, text });
  goodResponse(answer);
  same('output_parsed', answer.output_parsed, JSON.parse(answer.output_text));
});

check('responses.stream() of a Zod model', async () => {
  const answer = await client().responses.stream({ ...askedResponse, text }).finalResponse();
  goodResponse(answer);
  Order.parse(answer.output_parsed);
});

await run('node tools', `openai ${VERSION}`);
