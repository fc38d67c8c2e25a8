// OpenAI's JavaScript client against the app whose address is given; a line for each method.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import OpenAI from "openai";

const { version } = JSON.parse(readFileSync(new URL("./node_modules/openai/package.json", import.meta.url)));
const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: "none", maxRetries: 0 });
const model = "SmolLM2-135M-Instruct";
const messages = [{ role: "user", content: "Count: one, two," }];
const brief = { model, messages, max_tokens: 6, temperature: 0 };
const works = (method) => console.log(`openai ${version} (JavaScript)\t${method}\tyes`);

const whole = await client.chat.completions.create(brief);
assert.ok(whole.choices[0].message.content);
works("chat.completions.create");

let streamed = "";
for await (const chunk of await client.chat.completions.create({ ...brief, stream: true }))
  streamed += chunk.choices[0]?.delta?.content ?? "";
assert.equal(streamed, whole.choices[0].message.content);
works("chat.completions.create, stream");

const completion = await client.completions.create({ model, prompt: "One, two,", max_tokens: 4, temperature: 0 });
assert.ok(completion.choices[0].text);
works("completions.create");

const { data } = await client.embeddings.create({ model: "all-MiniLM-L6-v2", input: ["A cat.", "A bus."] });
assert.deepEqual(data.map(({ embedding }) => embedding.length), [384, 384]);
works("embeddings.create");

const ids = [];
for await (const one of client.models.list()) ids.push(one.id);
assert.ok(ids.includes(model));
assert.equal((await client.models.retrieve(model)).id, model);
works("models.list, models.retrieve");

await assert.rejects(client.chat.completions.create({ ...brief, model: "gpt-4o" }), OpenAI.NotFoundError);
works("errors");
